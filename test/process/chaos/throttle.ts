/**
 * CPU starvation: a control group with a small share of one core, of either version.
 *
 * Invariant: a process is in the group only while it starves; the group is removed with the run.
 *
 * Deliberately absent: memory limits.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION_1 = "/sys/fs/cgroup/cpu";
const VERSION_2 = "/sys/fs/cgroup";
const PERIOD_US = 100_000;
/** The smallest that the kernel takes is 1 ms. */
const MIN_QUOTA_US = 1_000;

export function throttleRoot(): string | null {
  if (existsSync(join(VERSION_1, "cpu.cfs_quota_us"))) return VERSION_1;
  const controllers = join(VERSION_2, "cgroup.controllers");
  return existsSync(controllers) && readFileSync(controllers, "utf8").includes("cpu") ? VERSION_2 : null;
}

export class Throttle {
  readonly #path: string;
  readonly #home: string;

  /**
   * @param name of the group: begins with the run's name, for the clean-up
   * @param share of one core, at least 0.01
   */
  constructor(name: string, share: number) {
    const quotaUs = Math.max(MIN_QUOTA_US, Math.round(share * PERIOD_US));
    const root = throttleRoot();
    if (root === null) throw new Error("there is no CPU control group here");
    this.#home = join(root, "cgroup.procs");
    this.#path = join(root, name);
    mkdirSync(this.#path, { recursive: true });
    if (root === VERSION_1) {
      writeFileSync(join(this.#path, "cpu.cfs_period_us"), String(PERIOD_US));
      writeFileSync(join(this.#path, "cpu.cfs_quota_us"), String(quotaUs));
    } else {
      writeFileSync(join(this.#path, "cpu.max"), `${quotaUs} ${PERIOD_US}`);
    }
  }

  starve(pid: number): void {
    writeFileSync(join(this.#path, "cgroup.procs"), String(pid));
  }

  /** Back to the rest; nothing when the process is gone. */
  feed(pid: number): void {
    try {
      writeFileSync(this.#home, String(pid));
    } catch {
      // It has ended, and with it its place in the group.
    }
  }

  /** How often processes of the group had to wait for their next share. */
  get waits(): number {
    return Number(/^nr_throttled (\d+)$/mu.exec(readFileSync(join(this.#path, "cpu.stat"), "utf8"))?.[1] ?? 0);
  }

  remove(): void {
    try {
      rmdirSync(this.#path);
    } catch {
      // Somebody is still in it: leftovers.ts takes it once they are gone.
    }
  }
}
