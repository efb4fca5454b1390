/**
 * Reads a data directory as a whole and decides whether its files belong together.
 *
 * Invariant: only a directory in which nothing was ever acknowledged reads as empty. The order of creation makes that
 * decidable: the log file is durable before identity.json exists, and identity.json before anything else.
 *
 *     no file at all                          empty
 *     a log file as it was made, nothing else empty: a crash before identity.json
 *     identity.json and a log file            a member, with form.json and snapshot.json or without
 *     anything else                           storage_corrupt
 *
 * Deliberately absent: writing. A directory at fault is left as it was found. And wipes: one that was cut short is
 * finished before a directory is read (wipe.ts).
 */
import type { Form, Identity, Snapshot } from "../ports/storage.ts";
import { decodeEnvelope } from "./envelope.ts";
import { corrupt } from "./failures.ts";
import { type Files, TEMPORARY } from "./files.ts";
import { StoredLog } from "./log.ts";
import { appendShape, decode, formShape, identityShape, logStartShape, type Shape, snapshotShape } from "./shapes.ts";
import { scanWal } from "./wal-scan.ts";

export const IDENTITY_FILE = "identity.json";
export const FORM_FILE = "form.json";
export const SNAPSHOT_FILE = "snapshot.json";
export const WAL_FILE = "wal";
/** Every name that a member may have given a file; temporary ones besides. */
export const OWN_FILES = [IDENTITY_FILE, FORM_FILE, SNAPSHOT_FILE, WAL_FILE];

export interface StoredMember {
  readonly identity: Identity;
  readonly form: Form | null;
  readonly snapshot: Snapshot | null;
  /** Starts at the snapshot. */
  readonly log: StoredLog;
}

export interface Directory {
  readonly member: StoredMember | null;
  /** Bytes at the end of the log file that belong to an append which was never acknowledged. */
  readonly tornBytes: number;
  /** Temporary files of a replacement that a crash cut short. */
  readonly leftovers: readonly string[];
}

/** Throws `storage_unreadable`, `storage_corrupt` or `storage_version`. */
export async function readDirectory(files: Files): Promise<Directory> {
  const names = await files.list();
  const leftovers = OWN_FILES.map((name) => `${name}${TEMPORARY}`).filter((name) => names.includes(name));
  const identity = await readSmall(files, IDENTITY_FILE, identityShape);
  const form = await readSmall(files, FORM_FILE, formShape);
  const snapshot = await readSmall(files, SNAPSHOT_FILE, snapshotShape);
  const wal = await readLog(files);
  if (identity === null) {
    for (const [name, found] of [
      [FORM_FILE, form],
      [SNAPSHOT_FILE, snapshot],
    ] as const) {
      if (found !== null) throw corrupt(files.pathOf(IDENTITY_FILE), null, `missing, and there is a ${name}`);
    }
    if (wal?.used) throw corrupt(files.pathOf(IDENTITY_FILE), null, "missing, and the log has been written to");
    if (wal === null) refuseStrangers(files, names);
    return { member: null, tornBytes: 0, leftovers };
  }
  if (wal === null) throw corrupt(files.pathOf(WAL_FILE), null, `missing, and there is an ${IDENTITY_FILE}`);
  joinSnapshot(files, wal.log, snapshot);
  return { member: { identity, form, snapshot, log: wal.log }, tornBytes: wal.tornBytes, leftovers };
}

/** The data of a small file, or null when there is none. Throws `storage_*`. */
export async function readSmall<T>(files: Files, name: string, shape: Shape<T>): Promise<T | null> {
  const bytes = await files.read(name);
  if (bytes === null) return null;
  const path = files.pathOf(name);
  const decoded = decode(shape, decodeEnvelope(bytes, path));
  if (decoded.kind === "fault") throw corrupt(path, null, `it does not make sense: ${decoded.fault}`);
  return decoded.value;
}

interface Wal {
  readonly log: StoredLog;
  readonly tornBytes: number;
  /** Whether it is anything but a log file as it was made before identity.json. */
  readonly used: boolean;
}

async function readLog(files: Files): Promise<Wal | null> {
  const bytes = await files.read(WAL_FILE);
  if (bytes === null) return null;
  const path = files.pathOf(WAL_FILE);
  const { records, tornBytes, appended } = scanWal(bytes, path);
  let log: StoredLog | null = null;
  for (const { position, payload } of records) {
    const fault = (what: string): Error => corrupt(path, position, `the record does not make sense: ${what}`);
    if (log === null) {
      const start = decode(logStartShape, payload);
      if (start.kind === "fault") throw fault(start.fault);
      log = new StoredLog(start.value);
      continue;
    }
    const batch = decode(appendShape, payload);
    if (batch.kind === "fault") throw fault(batch.fault);
    const broken = log.faultOf(batch.value);
    if (broken !== null) throw fault(broken);
    log.apply(batch.value);
  }
  if (log === null) throw corrupt(path, bytes.length, "the file has no first record");
  return { log, tornBytes, used: appended || log.start.base !== null };
}

/** A crash between the two steps of saveSnapshot leaves a snapshot that is ahead of the log's start, never behind. */
function joinSnapshot(files: Files, log: StoredLog, snapshot: Snapshot | null): void {
  const { base } = log.start;
  if (base !== null) {
    const path = files.pathOf(SNAPSHOT_FILE);
    if (snapshot === null) throw corrupt(path, null, `missing, and the log starts at entry ${base.index}`);
    const behind = snapshot.index < base.index || (snapshot.index === base.index && snapshot.term !== base.term);
    if (behind) {
      const at = `entry ${snapshot.index} of term ${snapshot.term}`;
      throw corrupt(path, null, `it ends at ${at}, and the log starts at entry ${base.index} of term ${base.term}`);
    }
  }
  if (snapshot !== null) log.rebase(snapshot);
}

/** A wrong mount must not read as a fresh start. Hidden files and directories such as lost+found belong to volumes. */
function refuseStrangers(files: Files, names: readonly string[]): void {
  const stranger = names.find((name) => !name.startsWith(".") && !name.endsWith(TEMPORARY));
  if (stranger === undefined) return;
  throw corrupt(files.pathOf(stranger), null, "not a file of tenure, in a directory without an identity");
}
