/**
 * The file system under the storage, as narrow as the storage needs it: the files of one directory.
 *
 * Invariant: an implementation throws only `storage_unreadable` and `storage_sync_failed`. Nothing is durable before
 * the sync that belongs to it: `sync` or `dataSync` for what was written, `syncDirectory` for names.
 *
 * Deliberately absent: everything else a file system can do. Tests put one under the storage that loses power.
 */

/** A file that was opened for writing. */
export interface OpenFile {
  /** Writes all of `bytes` at `position`. Into the page cache only, so it returns within microseconds. */
  write(bytes: Uint8Array, position: number): void;
  /** fsync: content and metadata. */
  sync(): Promise<void>;
  /** fdatasync: content, and what is needed to read it again. */
  dataSync(): Promise<void>;
  /** False once the file has lost its name, so that what it holds would be lost with this process. */
  isLinked(): boolean;
  close(): Promise<void>;
}

export interface Files {
  /** The full path, for messages. */
  pathOf(name: string): string;
  /** The names of the regular files. */
  list(): Promise<readonly string[]>;
  /** The whole file, or null when there is none. */
  read(name: string): Promise<Buffer | null>;
  /** A new, empty file under that name, in place of any there was. */
  create(name: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  syncDirectory(): Promise<void>;
}

/** What a name ends in until its file is whole. A file with this ending was never acknowledged to anybody. */
export const TEMPORARY = ".tmp";

/**
 * Puts a new file in the place of `name` so that a crash leaves the old one or the new one, whole (write to a
 * temporary name, fsync, rename, fsync of the directory). Returns it, still open; the caller closes it.
 */
export async function replaceFile(files: Files, name: string, bytes: Uint8Array): Promise<OpenFile> {
  const temporary = `${name}${TEMPORARY}`;
  const file = await files.create(temporary);
  try {
    file.write(bytes, 0);
    await file.sync();
    await files.rename(temporary, name);
    await files.syncDirectory();
  } catch (error) {
    // The first failure is the one to report; what is in the file counts for nothing any more.
    await file.close().catch(() => undefined);
    throw error;
  }
  return file;
}
