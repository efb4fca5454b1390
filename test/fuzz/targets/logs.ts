/**
 * Log files of any content with right checksums (src/storage/wal-scan.ts, shapes.ts, log.ts): what another version, or
 * a fault of this one, could have written.
 *
 * An input is a JSON list, one value for each record behind the file header. Promise: a log that is accepted makes
 * sense as a whole (indexes without a gap, terms that never fall nor pass the node's own), and is written anew and read
 * as the same.
 */
import { crc32 } from "node:zlib";
import type { StoredState } from "../../../src/ports/storage.ts";
import { encodeEnvelope } from "../../../src/storage/envelope.ts";
import { encodeRecord } from "../../../src/storage/wal-format.ts";
import { type Contents, load } from "../../support/storage-contents.ts";
import { hardState, IDENTITY, noop, oneOfEach, snapshotAt } from "../../support/storage-lives.ts";
import { changeJson, parsed } from "../engine/json.ts";
import { refusal, require, same, type Target } from "../engine/target.ts";

const CODES = ["storage_corrupt", "storage_version"] as const;
const HEADER_BYTES = 24;

/** Made here from docs/reference/disk-format.md, so that a fault of the writer does not hide. */
function fileHeader(sealed: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("TENUREWL");
  header.writeUInt32BE(1, 8);
  header.writeUInt32BE(crc32(header.subarray(0, 12)), 12);
  header.writeUInt32BE(sealed, 16);
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20);
  return header;
}

function walOf(records: readonly unknown[]): Buffer {
  const parts: Buffer[] = [];
  let position = HEADER_BYTES;
  let sealed = 0;
  for (const record of records) {
    const bytes = encodeRecord(record ?? null, position);
    parts.push(bytes);
    position += bytes.length;
    if (sealed === 0) sealed = position;
  }
  return Buffer.concat([fileHeader(sealed), ...parts]);
}

/** The same state as two records: where the log starts, and all entries. */
function anew({ snapshot, hardState: state, entries }: StoredState): Buffer {
  const base = snapshot === null ? null : { index: snapshot.index, term: snapshot.term };
  return walOf([{ base, hardState: state }, ...(entries.length === 0 ? [] : [{ entries }])]);
}

function makesSense({ snapshot, hardState: { term }, entries }: StoredState): void {
  let last = { index: snapshot?.index ?? 0, term: snapshot?.term ?? 0 };
  for (const { index, term: entryTerm } of entries) {
    require(index === last.index + 1, "the entries of a log follow each other");
    require(entryTerm >= last.term &&
      entryTerm <= Math.max(term, snapshot?.term ?? 0), "terms rise up to the node's own");
    last = { index, term: entryTerm };
  }
}

export function open(): Target {
  const files = (wal: Buffer, snapshot: unknown): Contents =>
    new Map([
      ["wal", wal],
      ["identity.json", encodeEnvelope(IDENTITY)],
      ["snapshot.json", encodeEnvelope(snapshot)],
    ]);
  const seed = (snapshot: unknown, ...records: readonly unknown[]): Buffer =>
    Buffer.from(JSON.stringify([snapshot, ...records]));
  const start = { base: { index: 0, term: 0 }, hardState: hardState(1, 0) };
  const member = { ...snapshotAt(0, 0) };
  return {
    covers: ["src/storage/"],
    seeds: [
      seed(
        member,
        start,
        { entries: oneOfEach(1, 1) },
        { hardState: hardState(2, 1), truncateAfter: 3, entries: [noop(4, 2)] },
      ),
      seed(
        { ...snapshotAt(6, 2) },
        { base: { index: 6, term: 2 }, hardState: hardState(2) },
        { entries: [noop(7, 2), noop(8, 2)] },
      ),
      seed(
        { ...snapshotAt(20, 3) },
        { base: { index: 6, term: 2 }, hardState: hardState(4) },
        { entries: [noop(7, 2)] },
      ),
      seed(
        member,
        { base: null, hardState: hardState(3, null, 2_500.5) },
        { entries: [], hardState: hardState(4, 2, 2_500.5) },
      ),
    ],
    mutate: changeJson,
    sample: 300,
    async run(input) {
      const value = parsed(input)?.value;
      const [snapshot = null, ...records] = Array.isArray(value) ? (value as readonly unknown[]) : [];
      try {
        const { state, cut } = await load(files(walOf(records), snapshot));
        require(cut === 0, "a whole log has no torn tail");
        makesSense(state);
        const again = await load(files(anew(state), state.snapshot));
        require(same(again.state, state), "a log that is accepted is written anew and read as the same");
        return `${Math.min(state.entries.length, 6)} entries${state.snapshot === null ? "" : " and a snapshot"}`;
      } catch (error) {
        return refusal(error, CODES);
      }
    },
  };
}
