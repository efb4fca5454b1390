/**
 * Makes a member's directory empty again, in steps each of which a crash may cut short:
 *
 *     rename identity.json to wipe.json, sync     before it the member is as it was; after it there is none
 *     remove the log and the other files, sync
 *     remove wipe.json
 *
 * Invariant: while any file of the member may be left, so is wipe.json, or identity.json and all the rest. So a load
 * can tell a wipe that was cut short from damage, and finishes it. The mark is the identity itself, checksum and all:
 * nothing that was put there by accident has a member wiped. A tenure that does not know of wipes finds the identity
 * missing and refuses the directory; it never takes a part of it for a member.
 *
 * Deliberately absent: overwriting. What is removed is no secret.
 */
import type { Identity } from "../ports/storage.ts";
import { corrupt } from "./failures.ts";
import { type Files, TEMPORARY } from "./files.ts";
import { IDENTITY_FILE, OWN_FILES, readSmall } from "./read-directory.ts";
import { identityShape } from "./shapes.ts";

export const WIPE_FILE = "wipe.json";

/** Of a directory with an identity. Throws `storage_unreadable` or `storage_sync_failed`. */
export async function wipeDirectory(files: Files): Promise<void> {
  await files.rename(IDENTITY_FILE, WIPE_FILE);
  await finish(files);
}

/**
 * Completes a wipe that a crash cut short, if there is one; to be called before a directory is read. Throws
 * `storage_corrupt` or `storage_version` when wipe.json is damaged, and `storage_*` when a step fails.
 */
export async function finishWipe(files: Files): Promise<void> {
  const wiped = await readSmall(files, WIPE_FILE, identityShape);
  if (wiped === null) return;
  // Both names at once is what a file system without a journal can leave of the rename.
  const identity = await readSmall(files, IDENTITY_FILE, identityShape);
  if (identity !== null && !isSame(identity, wiped)) {
    throw corrupt(files.pathOf(WIPE_FILE), null, `it names ${wiped.id}, and ${IDENTITY_FILE} names ${identity.id}`);
  }
  await finish(files);
}

async function finish(files: Files): Promise<void> {
  // The rename may be in the page cache only; nothing is removed before it is certain.
  await files.syncDirectory();
  const present = new Set(await files.list());
  for (const name of OWN_FILES.flatMap((own) => [own, `${own}${TEMPORARY}`])) {
    if (present.has(name)) await files.remove(name);
  }
  await files.syncDirectory();
  // Without a sync: a load that finds it again finds nothing else, and the sync that comes before a new identity.json
  // makes this durable too.
  await files.remove(WIPE_FILE);
}

function isSame(left: Identity, right: Identity): boolean {
  return left.id === right.id && left.name === right.name;
}
