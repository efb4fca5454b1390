/**
 * One process per data directory.
 *
 * Invariant: the lock is a listening abstract Unix socket named after the directory's device and inode. The kernel
 * frees it when its process dies, however it dies, so that no stale lock can keep a pod from starting.
 *
 * Deliberately absent: exclusion between network namespaces. Abstract names end there, so two *pods* that share a
 * volume are not kept apart here; the name in identity.json tells them apart.
 */
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { systemCodeOf, TenureError } from "../base/errors.ts";
import { unreadable } from "./failures.ts";

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Throws `storage_in_use` while another process, or this one, has the directory. Does not keep the process alive. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const { dev, ino } = await stat(directory, { bigint: true }).catch((error: unknown) => {
    throw unreadable("examine", directory, error);
  });
  // Nobody has any business here: whoever connects is turned away.
  const server = createServer((socket) => socket.destroy());
  server.listen({ path: `\0tenure-${dev}-${ino}`, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    if (systemCodeOf(error) !== "EADDRINUSE") throw unreadable("lock", directory, error);
    const advice = "another process uses this data directory; give every pod a directory of its own";
    throw new TenureError("storage_in_use", `${directory}: ${advice}`, { cause: error });
  }
  server.unref();
  return {
    async release() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}
