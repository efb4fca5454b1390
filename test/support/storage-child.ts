/**
 * A process that uses a data directory, for tests that stop it or make its system calls fail.
 *
 *     node storage-child.ts <directory> <appends>
 *
 * Prints one line of JSON per step: {"done":"load"} and so on, {"done":"append 7"}, or {"failed":"append 7","code":…};
 * after a failure it tries once more, to show that nothing is retried. With 0 appends it stays until it is killed.
 */
import { systemCodeOf } from "../../src/base/errors.ts";
import { openDiskStorage } from "../../src/storage/disk-storage.ts";
import { FOUNDED, hardState, noop } from "./storage-lives.ts";
import { carryOut } from "./storage-model.ts";

const [, , directory = "", appends = "0"] = process.argv;

async function report(step: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    process.stdout.write(`${JSON.stringify({ done: step })}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ failed: step, code: systemCodeOf(error), message: String(error) })}\n`);
    return false;
  }
}

async function main(): Promise<void> {
  const storage = await openDiskStorage({ directory, observer: { synced: () => undefined, tailCut: () => undefined } });
  const load = async (): Promise<void> => {
    const state = await storage.load();
    if (state.identity === null) for (const call of FOUNDED) await carryOut(storage, call);
  };
  if (!(await report("load", load))) return;
  for (let index = 1; index <= Number(appends); index += 1) {
    const append = async (): Promise<void> => storage.append({ hardState: hardState(1), entries: [noop(index, 1)] });
    if (await report(`append ${index}`, append)) continue;
    await report(`append ${index} again`, append);
    return;
  }
  if (Number(appends) === 0) process.stdin.resume();
}

await main();
