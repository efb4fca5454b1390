/**
 * The bare room of a run: a name, a directory, an undertaker, and a network if asked for.
 *
 * Invariant: from the first moment on somebody watches over it who removes everything when this process dies.
 *
 * Deliberately absent: what is put into it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Network } from "./network.ts";

export class Room {
  readonly runName: string;
  /** Removed at the end; what is to be kept is copied out before. */
  readonly directory: string;
  readonly #undertaker: ChildProcess;

  constructor() {
    this.runName = `tc${process.pid.toString(36)}${Math.floor(Math.random() * 1_296).toString(36)}`;
    this.directory = mkdtempSync(join(tmpdir(), `tenure-chaos-${this.runName}-`));
    const script = join(import.meta.dirname, "leftovers.ts");
    // Not a child like others: it must outlive this process, whatever ends it.
    this.#undertaker = spawn(process.execPath, [script, this.runName, this.directory], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    });
  }

  /** The environment of every process: how leftovers.ts finds it. */
  get mark(): Readonly<Record<string, string>> {
    return { CHAOS_RUN: this.runName };
  }

  /** Removes everything. */
  async clear(): Promise<void> {
    const gone = new Promise((resolve) => void this.#undertaker.once("exit", resolve));
    this.#undertaker.stdin?.end();
    await gone;
  }
}

export interface Workshop {
  readonly network: Network;
  readonly directory: string;
  readonly mark: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A room with a host for each of these names. */
export async function openWorkshop(names: readonly string[]): Promise<Workshop> {
  const room = new Room();
  try {
    const network = await Network.create(room.runName, names);
    return { network, directory: room.directory, mark: room.mark, close: () => room.clear() };
  } catch (error) {
    await room.clear();
    throw error;
  }
}
