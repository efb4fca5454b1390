/**
 * What workers were told by their sidecars and what they did, on one clock; and what of it was wrong.
 *
 * Invariant: it is written by the two ends that a worker talks to, the relay before its sidecar and the store, so a
 * worker cannot look better than it is. All instants are of this machine's CLOCK_MONOTONIC, in ms.
 *
 * Deliberately absent: what a worker thinks. Only what left it counts.
 */

/** An answer of `/leader` or an event of `/watch`, as it was handed to the worker. */
export interface Told {
  readonly worker: string;
  readonly atMs: number;
  readonly isLeader: boolean;
  readonly token: number | null;
  /** Null unless leader. */
  readonly deadlineMs: number | null;
}

/** A write, as the store saw it come. */
export interface Wrote {
  readonly worker: string;
  readonly atMs: number;
  readonly token: number;
  /** Answered, or given up by the worker; null while it is under way. */
  endedMs: number | null;
}

/** "I have stopped." */
export interface Resigned {
  readonly worker: string;
  readonly atMs: number;
  /** Of the sidecar's answer. */
  readonly status: number;
}

export class ActingRecord {
  readonly told: Told[] = [];
  readonly wrote: Wrote[] = [];
  readonly resigned: Resigned[] = [];

  /** What workers did wrong, in words. `slackMs`: what sockets and a busy machine may add to an instant. */
  faults(slackMs: number): readonly string[] {
    return this.wrote.flatMap((write) => this.#faultsOf(write, slackMs));
  }

  #faultsOf(write: Wrote, slackMs: number): readonly string[] {
    const { worker, token, atMs } = write;
    const before = this.told.filter((answer) => answer.worker === worker && answer.atMs <= atMs);
    const position = before.findLastIndex((answer) => answer.isLeader && answer.token === token);
    const yes = before[position];
    if (yes === undefined) return [`${worker} wrote with token ${token}, which it was not given`];
    const faults: string[] = [];
    const say = (lateMs: number, what: string): void => {
      if (lateMs > slackMs) faults.push(`${worker} ${what}, ${Math.round(lateMs)} ms late, with token ${token}`);
    };
    const no = before.slice(position + 1).find(({ isLeader }) => !isLeader);
    if (no !== undefined) say(atMs - no.atMs, "wrote after it was told to stop");
    const { deadlineMs } = yes;
    if (deadlineMs !== null) {
      say(atMs - deadlineMs, "wrote after its deadline");
      if (write.endedMs !== null) say(write.endedMs - deadlineMs, "held on to a write after its deadline");
    }
    for (const { worker: who, atMs: resignedMs } of this.resigned) {
      if (who !== worker || resignedMs < yes.atMs) continue;
      if (atMs > resignedMs) faults.push(`${worker} wrote after it had said that it stopped, with token ${token}`);
      else say((write.endedMs ?? Infinity) - resignedMs, "ended a write after it had said that it stopped");
    }
    return faults;
  }
}
