/**
 * Damage to a data directory (src/storage): what a disk, a cable or a person may do to bytes that were acknowledged.
 *
 * An input is a list of edits, JSON, on a directory that is known: test/golden/disk-v1, or the life of a member.
 * Promise: the directory reads as exactly what was acknowledged, or is refused with a code; or the log lost its last
 * append and looks like one that a crash has torn: too short, or zeros at its end. Never anything between, and never
 * empty.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { StoredState } from "../../../src/ports/storage.ts";
import { contentsAfter, type Contents, load } from "../../support/storage-contents.ts";
import { LIFE } from "../../support/storage-lives.ts";
import { EMPTY_STATE, statesOf, type StorageCall } from "../../support/storage-model.ts";
import { changeJson, parsed } from "../engine/json.ts";
import { refusal, require, same, type Target } from "../engine/target.ts";

const GOLDEN = join(import.meta.dirname, "../../golden");
const FILES = ["wal", "snapshot.json", "identity.json", "form.json"] as const;
const CODES = ["storage_corrupt", "storage_version", "storage_unreadable"] as const;
const WAL = "wal";
const SECTOR_BYTES = 512;
const RECORD_HEADER_BYTES = 12;

const number = v.pipe(
  v.number(),
  v.transform((value) => (Number.isFinite(value) ? Math.abs(Math.trunc(value)) : 0)),
);
const editSchema = v.object({
  file: v.fallback(number, 0),
  op: v.picklist(["flip", "set", "zero", "cut", "append", "insert", "take", "copy", "swap"]),
  at: v.fallback(number, 0),
  length: v.fallback(number, 1),
  text: v.fallback(v.string(), ""),
});
type Edit = v.InferOutput<typeof editSchema>;
const inputSchema = v.object({
  life: v.fallback(number, 0),
  edits: v.fallback(v.array(v.fallback(v.nullable(editSchema), null)), []),
});

interface Life {
  readonly contents: Contents;
  /** After each append of the present log file, with the length of the file at that moment; the whole is the last. */
  readonly ends: readonly { readonly bytes: number; readonly state: StoredState }[];
}

/** The states that a crash in one of the last appends may leave. */
async function lifeOf(calls: readonly StorageCall[]): Promise<Life> {
  const states = statesOf(calls);
  const contents = await contentsAfter(calls);
  const wal = contents.get(WAL);
  const ends: Life["ends"][number][] = [];
  for (let made = calls.length; made >= 1; made -= 1) {
    const before = (await contentsAfter(calls.slice(0, made))).get(WAL);
    // Another file took its place since: what was in the old one is no part of this one.
    if (wal === undefined || before === undefined || !wal.subarray(0, before.length).equals(before)) break;
    const others = calls.slice(made).every(({ kind }) => kind === "append");
    if (!others) break;
    ends.unshift({ bytes: before.length, state: states[made] ?? EMPTY_STATE });
  }
  return { contents, ends };
}

async function lives(): Promise<readonly Life[]> {
  // Written once by the calls beside it, and checked against them by test/unit/storage/golden.test.ts.
  const calls = JSON.parse(readFileSync(join(GOLDEN, "disk-v1.calls.json"), "utf8")) as readonly StorageCall[];
  const files = readdirSync(join(GOLDEN, "disk-v1")).map(
    (name) => [name, readFileSync(join(GOLDEN, "disk-v1", name))] as const,
  );
  const golden = await lifeOf(calls);
  return [{ ...golden, contents: new Map(files) }, await lifeOf(LIFE.slice(0, 10)), await lifeOf(LIFE)];
}

function edited(contents: Contents, { file, op, at, length, text }: Edit): Contents {
  const name = FILES[file % FILES.length] ?? WAL;
  const bytes = Buffer.from(contents.get(name) ?? "");
  const from = at % (bytes.length + 1);
  const to = Math.min(bytes.length, from + (length % 1_024));
  const put = (...parts: readonly Uint8Array[]): Contents => new Map([...contents, [name, Buffer.concat(parts)]]);
  const head = bytes.subarray(0, from);
  const tail = bytes.subarray(to);
  switch (op) {
    case "flip":
      if (from < bytes.length) bytes.writeUInt8(bytes.readUInt8(from) ^ (1 << (length % 8)), from);
      return put(bytes);
    case "set":
      return put(
        head,
        Buffer.from(text, "latin1").subarray(0, to - from),
        bytes.subarray(Math.min(to, from + text.length)),
      );
    case "zero":
      return put(head, Buffer.alloc(bytes.length - from));
    case "cut":
      return put(head);
    case "append":
      return put(bytes, Buffer.from(text, "latin1"), Buffer.alloc(length % 1_024));
    case "insert":
      return put(head, Buffer.from(text, "latin1"), bytes.subarray(from));
    case "take":
      return put(head, tail);
    case "copy":
      return put(bytes, bytes.subarray(from, to));
    case "swap": {
      const other = FILES[(file + 1 + (length % 3)) % FILES.length] ?? WAL;
      return new Map([...contents, [name, Buffer.from(contents.get(other) ?? "")], [other, bytes]]);
    }
  }
}

/** Whether the file may end in an append that was torn after `bytes`, the length up to the one before. */
function looksTorn(wal: Buffer, life: Life, at: number): boolean {
  const { bytes = 0 } = life.ends[at] ?? {};
  const next = life.ends[at + 1]?.bytes ?? Infinity;
  const whole = life.contents.get(WAL);
  const isSame = whole !== undefined && wal.subarray(0, bytes).equals(whole.subarray(0, bytes));
  return isSame && (wal.length < next || endsInZeros(wal, bytes));
}

/** A disk writes whole sectors: zeros begin where the append began, or at a sector inside it. */
function endsInZeros(wal: Buffer, start: number): boolean {
  let zerosFrom = wal.length;
  while (zerosFrom > start && wal[zerosFrom - 1] === 0) zerosFrom -= 1;
  if (zerosFrom === start) return wal.length > start;
  const isOfHeader = zerosFrom <= start + RECORD_HEADER_BYTES;
  const from = isOfHeader ? Math.ceil(zerosFrom / SECTOR_BYTES) * SECTOR_BYTES : zerosFrom;
  return from < wal.length && from % SECTOR_BYTES === 0;
}

export async function open(): Promise<Target> {
  const known = await lives();
  const seed = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const edit = (op: string, at: number, more: object = {}): unknown => ({
    file: 0,
    op,
    at,
    length: 1,
    text: "",
    ...more,
  });
  return {
    covers: ["src/storage/"],
    seeds: [
      seed({ life: 0, edits: [edit("flip", 700)] }),
      seed({ life: 1, edits: [edit("zero", 1_024), edit("append", 0, { length: 900 })] }),
      seed({ life: 2, edits: [edit("cut", 990), edit("set", 5, { file: 1, text: "2", length: 3 })] }),
      seed({ life: 1, edits: [edit("copy", 500, { length: 100 }), edit("insert", 9, { file: 2, text: "x" })] }),
      seed({ life: 0, edits: [edit("swap", 0, { file: 1 }), edit("take", 30, { file: 3, length: 9 })] }),
    ],
    mutate: changeJson,
    sample: 400,
    async run(input) {
      const given = v.safeParse(inputSchema, parsed(input)?.value);
      const { life: which, edits } = given.success ? given.output : { life: 0, edits: [] };
      const life = known[which % known.length];
      require(life !== undefined, "there is such a life");
      let contents = life.contents;
      for (const each of edits.slice(0, 8)) if (each !== null) contents = edited(contents, each);
      try {
        const { state, cut } = await load(contents);
        const at = life.ends.findLastIndex((end) => same(end.state, state));
        require(at >= 0, "a directory reads as what was acknowledged, or not at all");
        if (at === life.ends.length - 1) return cut === 0 ? "all of it" : "all of it, and a tail that was cut off";
        require(looksTorn(
          contents.get(WAL) ?? Buffer.alloc(0),
          life,
          at,
        ), "nothing is lost but a tail that looks torn");
        return `${life.ends.length - 1 - at} fewer`;
      } catch (error) {
        return refusal(error, CODES);
      }
    },
  };
}
