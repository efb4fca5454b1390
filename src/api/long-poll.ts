/**
 * `GET /leader?index=N&wait=30s`: answers when there is something new.
 *
 * Invariant: the answer is computed when it is written, never when the wait began. Nothing of a poll outlives its
 * answer or its connection.
 *
 * Deliberately absent: an error at the end of a wait. Its answer is an ordinary one with the same index.
 */
import type { ServerResponse } from "node:http";
import type { Application } from "../ports/application.ts";
import type { LongPollQuery } from "./query.ts";
import { sendLeader } from "./reply.ts";
import type { Waiters } from "./waiters.ts";

/**
 * Answers at once if the index is larger than the one that the client has seen, else at the next change; also where it
 * is of an earlier life of this process, and the wall clock was set back since. Throws as `Waiters.add` does.
 */
export function longPoll(res: ServerResponse, query: LongPollQuery, application: Application, waiters: Waiters): void {
  const first = application.leader();
  if (first.index > query.index || query.waitMs === 0) {
    sendLeader(res, first);
    return;
  }
  const finish = (): void => {
    leave();
    clearTimeout(timer);
  };
  const answer = (): void => {
    finish();
    sendLeader(res, application.leader());
  };
  const leave = waiters.add({
    changed() {
      if (application.leader().index !== first.index) answer();
    },
    closing() {
      res.setHeader("Connection", "close");
      answer();
    },
  });
  const timer = setTimeout(answer, query.waitMs);
  res.once("close", finish);
}
