/**
 * Notices an input that does not end: no timer of this thread would ever run again, so another thread looks.
 *
 * Invariant: the input that is under way stands in shared memory before it is run.
 *
 * Deliberately absent: slow inputs. The loop names the slowest; here only what hangs.
 */
import { writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { MAX_INPUT_BYTES } from "./bytes.ts";
import { toLine } from "./texts.ts";

const STANDARD_ERROR = 2;
const LOOK_EVERY_MS = 1_000;
/** What takes this long on a loaded machine is no slow input any more. */
const HANGS_AFTER_LOOKS = 30;

const [COUNT, LENGTH, WORDS] = [0, 1, 2] as const;

interface Orders {
  readonly name: string;
  readonly shared: SharedArrayBuffer;
  readonly looks: number;
}

export interface Watchdog {
  /** Before each input. */
  watch(input: Buffer): void;
  /** Nothing is under way. */
  rest(): void;
  stop(): Promise<void>;
}

/** @param looks so many without an end, one a second, make an input one that hangs */
export function startWatchdog(name: string, looks: number = HANGS_AFTER_LOOKS): Watchdog {
  const shared = new SharedArrayBuffer(4 * WORDS + 4 * MAX_INPUT_BYTES);
  const words = new Int32Array(shared, 0, WORDS);
  const bytes = new Uint8Array(shared, 4 * WORDS);
  const thread = new Worker(new URL(import.meta.url), { workerData: { name, shared, looks } });
  thread.unref();
  return {
    watch(input) {
      bytes.set(input.subarray(0, bytes.length));
      Atomics.store(words, LENGTH, Math.min(input.length, bytes.length) + 1);
      Atomics.add(words, COUNT, 1);
    },
    rest: () => void Atomics.store(words, LENGTH, 0),
    stop: async () => void (await thread.terminate()),
  };
}

function look({ name, shared, looks: most }: Orders): void {
  const words = new Int32Array(shared, 0, WORDS);
  let last = -1;
  let looks = 0;
  setInterval(() => {
    const count = Atomics.load(words, COUNT);
    const length = Atomics.load(words, LENGTH) - 1;
    looks = count === last && length >= 0 ? looks + 1 : 0;
    last = count;
    if (looks < most) return;
    const input = Buffer.from(new Uint8Array(shared, 4 * WORDS, length));
    const path = join(tmpdir(), `tenure-fuzz-${name}-hang.txt`);
    writeFileSync(path, `${toLine(input)}\n`);
    writeSync(STANDARD_ERROR, `\n${name} DOES NOT END: npm run fuzz -- --target ${name} --replay ${path}\n`);
    // The other thread would never get to an orderly exit.
    process.kill(process.pid, "SIGKILL");
  }, LOOK_EVERY_MS);
}

if (!isMainThread) {
  // Given by startWatchdog above.
  look(workerData as Orders);
}
