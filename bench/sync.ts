/**
 * What the disk under the temporary directory takes for one append and fdatasync: the unit in which handovers are paid.
 *
 * Invariant: one after the other, with a pause between, as elections do it.
 *
 * Deliberately absent: the sidecar.
 */
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const RECORD = Buffer.alloc(200, "x");
const PAUSE_MS = 2;

/** In ms, one value a run. */
export async function measureSyncs(runs: number): Promise<readonly number[]> {
  const directory = mkdtempSync(join(tmpdir(), "tenure-bench-"));
  const file = openSync(join(directory, "log"), "a");
  const sync = promisify(fdatasync);
  const spans: number[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      const startedAt = performance.now();
      writeSync(file, RECORD);
      await sync(file);
      spans.push(performance.now() - startedAt);
      await delay(PAUSE_MS);
    }
    return spans;
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true });
  }
}
