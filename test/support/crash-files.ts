/**
 * A directory in memory that loses power: what src/storage/files.ts stands on in tests of crashes.
 *
 * It keeps apart what the page cache says and what the disk has. After a power loss a file has any prefix of its
 * unsynced writes; of the last one perhaps a part only, or its full length with zeros from a sector boundary on; and
 * the directory has any prefix of its unsynced changes of names (a journal keeps their order, and nothing else), or any
 * of them at all where a test asks for a file system without a journal. A
 * sync that fails marks what it should have written as clean, as Linux does: readers still see it, and no later sync
 * of that file writes it.
 *
 * Invariant: nothing but `dataSync`, `sync` and `syncDirectory` makes anything certain to survive.
 */
import { syncFailed, unreadable } from "../../src/storage/failures.ts";
import type { Files, OpenFile } from "../../src/storage/files.ts";

const SECTOR_BYTES = 512;

/** Picks a whole number from 0 to `max`; decides how much of what was not synced reached the disk. */
export type Luck = (max: number) => number;

export const NOTHING_SURVIVES: Luck = () => 0;
export const EVERYTHING_SURVIVES: Luck = (max) => max;

/** Draws from `picks`, over and over. */
export function luckOf(picks: readonly number[]): Luck {
  let at = 0;
  return (max) => (picks[at++ % picks.length] ?? 0) % (max + 1);
}

interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

interface Node {
  cached: Buffer;
  durable: Buffer;
  unsynced: Write[];
}

type Names = Map<string, Node>;

export type Step = "create" | "write" | "sync" | "rename" | "remove" | "syncDirectory";

/** What happens at each step of the storage: go on, fail as a disk fails, or be the moment at which the power goes. */
export type Script = (step: Step, name: string, count: number) => "go" | "fail" | "powerCut";

export class CrashDisk {
  readonly #names: Names = new Map();
  #durableNames: Names = new Map();
  #unsyncedNames: ((names: Names) => void)[] = [];

  /** The files as a process sees them: through the page cache. */
  contents(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].map(([name, node]) => [name, Buffer.from(node.cached)]));
  }

  /** A disk on which these files have been for long. */
  static of(contents: ReadonlyMap<string, Buffer>): CrashDisk {
    const disk = new CrashDisk();
    for (const [name, bytes] of contents) {
      disk.#names.set(name, { cached: Buffer.from(bytes), durable: Buffer.from(bytes), unsynced: [] });
    }
    disk.#durableNames = new Map(disk.#names);
    return disk;
  }

  /** What a machine finds on this disk after its power was lost. The disk itself stays as it is. */
  afterPowerLoss(luck: Luck, order: "journal" | "none" = "journal"): CrashDisk {
    const names = new Map(this.#durableNames);
    const changes = this.#unsyncedNames;
    const kept =
      order === "journal" ? changes.slice(0, luck(changes.length)) : changes.filter(() => luck(1_000) % 2 === 1);
    for (const change of kept) change(names);
    return CrashDisk.of(new Map([...names].map(([name, node]) => [name, survivor(node, luck)])));
  }

  /** The files for one process, whose every step runs by `script`. */
  open(script: Script = () => "go"): Files {
    let count = 0;
    let dead = false;
    const step = (kind: Step, name: string): void => {
      const fate = dead ? "powerCut" : script(kind, name, count);
      count += 1;
      dead ||= fate === "powerCut";
      if (fate === "go") return;
      const cause = new Error(dead ? "the power is off" : "a fault was injected");
      throw kind === "sync" || kind === "syncDirectory" ? syncFailed(name, cause) : unreadable(kind, name, cause);
    };
    return {
      pathOf: (name) => `/data/${name}`,
      list: async () => [...this.#names.keys()],
      read: async (name) => {
        const node = this.#names.get(name);
        return node === undefined ? null : Buffer.from(node.cached);
      },
      create: async (name) => {
        step("create", name);
        const node: Node = { cached: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] };
        this.#rename((names) => names.set(name, node));
        return this.#openFile(name, node, step, () => dead);
      },
      rename: async (from, to) => {
        step("rename", to);
        this.#rename((names) => {
          const node = names.get(from);
          if (node === undefined) return;
          names.delete(from);
          names.set(to, node);
        });
      },
      remove: async (name) => {
        step("remove", name);
        this.#rename((names) => names.delete(name));
      },
      syncDirectory: async () => {
        step("syncDirectory", "/data");
        this.#durableNames = new Map(this.#names);
        this.#unsyncedNames = [];
      },
    };
  }

  #rename(change: (names: Names) => void): void {
    change(this.#names);
    this.#unsyncedNames.push(change);
  }

  #openFile(name: string, node: Node, step: (kind: Step, name: string) => void, isDead: () => boolean): OpenFile {
    const sync = async (): Promise<void> => {
      try {
        step("sync", name);
      } catch (error) {
        if (!isDead()) node.unsynced = [];
        throw error;
      }
      for (const write of node.unsynced) node.durable = written(node.durable, write);
      node.unsynced = [];
    };
    return {
      write: (bytes, position) => {
        step("write", name);
        const write = { position, bytes: Buffer.from(bytes) };
        node.cached = written(node.cached, write);
        node.unsynced.push(write);
      },
      sync,
      dataSync: sync,
      isLinked: () => [...this.#names.values()].includes(node),
      close: async () => undefined,
    };
  }
}

function survivor(node: Node, luck: Luck): Buffer {
  const whole = luck(node.unsynced.length);
  let bytes = node.durable;
  for (const write of node.unsynced.slice(0, whole)) bytes = written(bytes, write);
  const torn = node.unsynced[whole];
  return torn === undefined ? bytes : written(bytes, tear(torn, luck));
}

/** The beginning of a write: cut at any byte, or at full length with nothing behind a sector boundary. */
function tear({ position, bytes }: Write, luck: Luck): Write {
  const kept = luck(bytes.length);
  if (luck(1) === 0) return { position, bytes: bytes.subarray(0, kept) };
  const boundary = Math.floor((position + kept) / SECTOR_BYTES) * SECTOR_BYTES;
  const zeroed = Buffer.from(bytes);
  zeroed.fill(0, Math.max(0, boundary - position));
  return { position, bytes: zeroed };
}

function written(bytes: Buffer, write: Write): Buffer {
  if (write.bytes.length === 0) return bytes;
  const result = Buffer.alloc(Math.max(bytes.length, write.position + write.bytes.length));
  bytes.copy(result);
  write.bytes.copy(result, write.position);
  return result;
}
