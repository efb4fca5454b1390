/**
 * A file that refuses stale tokens: one value, and the highest token that wrote it, replaced together.
 *
 * Invariant: the highest token is durable before a write counts as accepted, and it never falls, also across restarts.
 * An equal token is accepted: a holder writes more than once in its tenure.
 *
 * Deliberately absent: two processes on one file. The check and the write must be one step; here the single thread of
 * one process makes them so. Elsewhere that is a transaction, see fence.sql.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Fenced {
  readonly token: number;
  readonly value: string;
}

export class FencedFile {
  readonly #path: string;
  #now: Fenced;

  /** A file that is not there counts as never written; one that cannot be read is an error, never "empty". */
  constructor(path: string) {
    this.#path = path;
    this.#now = load(path);
  }

  read(): Fenced {
    return this.#now;
  }

  /** False when a later holder was here first. Throws when it is unknown what the disk has: end the process then. */
  write(token: number, value: string): boolean {
    if (!Number.isSafeInteger(token) || token < 1) throw new RangeError(`not a fencing token: ${token}`);
    if (token < this.#now.token) return false;
    const next = { token, value };
    const temporary = `${this.#path}.tmp`;
    writeFileSync(temporary, JSON.stringify(next), { flush: true });
    renameSync(temporary, this.#path);
    syncDirectory(dirname(this.#path));
    this.#now = next;
    return true;
  }
}

function load(path: string): Fenced {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { token: 0, value: "" };
    throw error;
  }
  const parsed = JSON.parse(text) as Partial<Fenced>;
  const { token, value } = parsed;
  if (!Number.isSafeInteger(token) || token === undefined || typeof value !== "string") {
    throw new Error(`${path} is damaged`);
  }
  return { token, value };
}

/** A rename is durable once its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  fsyncSync(directory);
  closeSync(directory);
}
