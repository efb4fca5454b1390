/**
 * A table that refuses stale tokens, with the SQLite that comes with Node 24.
 *
 * Invariant: check and write are one statement, so nothing can come between them. Zero rows changed means refused.
 *
 * Deliberately absent: a fence of its own (fence.sql, sql_store.py): one row is all that is written here, so the token
 * lives in it.
 */
import { DatabaseSync } from "node:sqlite";

// [row]
const WRITE = "UPDATE progress SET value = :value, token = :token WHERE id = :id AND token <= :token;";
// [/row]

export class SqlStore {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY, value TEXT NOT NULL, token BIGINT NOT NULL);
      INSERT OR IGNORE INTO progress VALUES (1, '', 0);
    `);
  }

  read(): { readonly token: number; readonly value: string } {
    const row = this.#database.prepare("SELECT token, value FROM progress WHERE id = 1").get();
    return { token: Number(row?.["token"]), value: String(row?.["value"]) };
  }

  /** False when a later holder was here first. */
  write(token: number, value: string): boolean {
    // As BigInt: node:sqlite binds a number as a float.
    const { changes } = this.#database.prepare(WRITE).run({ id: 1, value, token: BigInt(token) });
    return changes === 1;
  }

  close(): void {
    this.#database.close();
  }
}
