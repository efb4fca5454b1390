/**
 * `GET /watch`: server-sent events, the state at once and at each change.
 *
 * Invariant: a watcher never holds up anyone. What it has not read is bounded; beyond the bound it is cut off, and
 * comes back by itself (EventSource reconnects) to the present state, so nothing has to be replayed.
 *
 * `remainingMs` of an event is that of the moment it was written. Renewals are no changes, so a watcher sees the
 * lease end as an event, and asks `/leader` for how long it may act.
 *
 * Deliberately absent: Last-Event-ID. The first event is the present state, whatever was seen before.
 */
import type { ServerResponse } from "node:http";
import type { Application } from "../ports/application.ts";
import type { Waiters } from "./waiters.ts";

export interface WatchLimits {
  readonly maxQueueBytes: number;
  readonly commentIntervalMs: number;
}

/** Streams to `res` until the client leaves, is cut off, or the API closes. Throws as `Waiters.add` does. */
export function watch(res: ServerResponse, application: Application, waiters: Waiters, limits: WatchLimits): void {
  let sentIndex: number | null = null;
  const finish = (): void => {
    leave();
    clearInterval(comments);
  };
  const write = (text: string): void => {
    // Looked at before the write: Node hands a write on at the end of the turn, so right after it all seems unread.
    if (res.writableLength <= limits.maxQueueBytes) {
      res.write(text);
    } else {
      finish();
      res.destroy();
    }
  };
  const writeState = (): void => {
    const answer = application.leader();
    if (answer.index === sentIndex) return;
    if (sentIndex === null) openEvents(res);
    sentIndex = answer.index;
    write(`event: leadership\nid: ${answer.index}\ndata: ${JSON.stringify(answer)}\n\n`);
  };
  const leave = waiters.add({
    changed: writeState,
    closing() {
      writeState();
      res.end();
    },
  });
  const comments = setInterval(() => write(":\n\n"), limits.commentIntervalMs);
  res.once("close", finish);
  writeState();
}

function openEvents(res: ServerResponse): void {
  res.writeHead(200, [
    "Content-Type",
    "text/event-stream",
    "Cache-Control",
    "no-store",
    // The stream has no end to reuse the connection after.
    "Connection",
    "close",
  ]);
}
