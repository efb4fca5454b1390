/**
 * The four ways in which a data directory fails, each with a message that says where and what to do.
 *
 * Invariant: a path stands in every message, and an offset wherever bytes are at fault.
 *
 * Deliberately absent: recovery. Whoever gets one of these ends the process.
 */
import { messageOf, systemCodeOf, TenureError } from "../base/errors.ts";

const RESTORE = "Restore the disk, or empty the directory so that this pod comes back as a new member.";

/** `storage_corrupt`. `offset` in bytes from the beginning of the file; null when the file as a whole is at fault. */
export function corrupt(path: string, offset: number | null, fact: string): TenureError {
  const where = offset === null ? path : `${path}, byte ${offset}`;
  return new TenureError("storage_corrupt", `${where}: ${fact}. ${RESTORE}`);
}

/** `storage_version`: written by a tenure that this one cannot read. */
export function unknownVersion(path: string, version: number, known: number): TenureError {
  return new TenureError(
    "storage_version",
    `${path}: format version ${version}, and this tenure reads version ${known}. Run the tenure that wrote it.`,
  );
}

/** `storage_unreadable`. `action` is what was tried, as in "cannot <action> /data/wal". */
export function unreadable(action: string, path: string, cause: unknown): TenureError {
  return new TenureError("storage_unreadable", `cannot ${action} ${path}: ${adviceFor(cause)}`, { cause });
}

/** `storage_sync_failed`: what is on the disk is unknown from here on. */
export function syncFailed(path: string, cause: unknown): TenureError {
  return new TenureError("storage_sync_failed", `cannot sync ${path}: ${messageOf(cause)}`, { cause });
}

function adviceFor(cause: unknown): string {
  const fact = messageOf(cause);
  switch (systemCodeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return `the disk is full (${fact})`;
    case "EACCES":
    case "EPERM":
      return `check its owner and permissions (${fact})`;
    case "EROFS":
      return `the mount is read-only (${fact})`;
    case null:
    default:
      return fact;
  }
}
