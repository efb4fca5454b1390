/**
 * Removes everything that a run has made in the kernel and on the disk: processes, mounts, loop devices, namespaces,
 * control groups, directories. Called at the end of a run, and by a process of its own when the test-bed dies.
 *
 * Started as a program, it waits for the end of its standard input, which is the end of the test-bed, whatever caused
 * it, and then removes what is left.
 *
 * Invariant: only what bears the run's name is touched: processes by CHAOS_RUN in their environment, mounts and files
 * below its directory, namespaces and groups by prefix. It may be called twice.
 *
 * Deliberately absent: an orderly stop. Nothing here deserves one.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { throttleRoot } from "./throttle.ts";
import { tryRun } from "./shell.ts";

const NAMESPACES = "/run/netns";

export function removeLeftovers(runName: string, directory: string): void {
  killProcesses(runName);
  for (const path of mountsBelow(directory)) tryRun(["umount", path]);
  // Their images are in a file system that is unmounted only after them.
  for (const device of loopsBelow(directory)) tryRun(["losetup", "--detach", device]);
  for (const path of mountsBelow(directory)) if (!tryRun(["umount", path])) tryRun(["umount", "--lazy", path]);
  for (const name of listed(NAMESPACES)) if (name.startsWith(runName)) tryRun(["ip", "netns", "delete", name]);
  const groups = throttleRoot();
  for (const name of groups === null ? [] : listed(groups)) {
    if (name.startsWith(runName)) tryRun(["rmdir", join(groups ?? "", name)]);
  }
  rmSync(directory, { recursive: true, force: true });
}

/** Until there is none: a process may start another while it is looked for. */
function killProcesses(runName: string): void {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = processesOf(runName);
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone by itself.
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/** Not those that have ended and wait for their parent: their environment is empty. */
export function processesOf(runName: string): readonly number[] {
  return listed("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      return environment.split("\0").includes(`CHAOS_RUN=${runName}`) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

/** The innermost first. */
function mountsBelow(directory: string): readonly string[] {
  const paths = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return paths.filter((path) => path === directory || path.startsWith(`${directory}/`)).toReversed();
}

function loopsBelow(directory: string): readonly string[] {
  return listed("/sys/block").flatMap((name) => {
    try {
      const file = readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").trim();
      return file.startsWith(`${directory}/`) ? [`/dev/${name}`] : [];
    } catch {
      return [];
    }
  });
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

if (import.meta.main) {
  const [runName = "", directory = ""] = process.argv.slice(2);
  if (runName === "" || directory === "") throw new Error("usage: leftovers.ts RUN DIRECTORY");
  // The signals of a terminal go to the whole group; this one must outlive them.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  process.stdin.on("end", () => removeLeftovers(runName, directory)).resume();
}
