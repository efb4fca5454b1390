/**
 * Changes of members, one at a time (dissertation, 4.1).
 *
 * Invariant: a leader appends a configuration only when the one before it and an entry of its own term are committed
 * (copycat#23), it differs by one member's step, and the leader's own wait for earlier leases is over. Then any lease
 * and any election that can meet rest on majorities that overlap; see docs/adr/0008-changes-of-members.md.
 *
 * Deliberately absent: policy. Whom to add, promote or remove is decided in src/node/membership.ts.
 */
import { assert, unreachable } from "../base/assert.ts";
import { MAX_MEMBERS } from "../base/limits.ts";
import { logIndex, type Now } from "../base/types.ts";
import type { MemberChange } from "./effect.ts";
import type { Configuration } from "./entry.ts";
import type { Outbox } from "./outbox.ts";
import { appendOwn, openRound } from "./replication.ts";
import type { CoreState } from "./state.ts";

/** Whether this node may append a configuration at `now`. */
export function mayChange(state: CoreState, now: Now): boolean {
  const { leadership, commitIndex, log } = state;
  if (leadership === null || leadership.transfer !== null || leadership.tenancy.revoked) return false;
  if (commitIndex < leadership.noop || commitIndex < log.configurationIndex) return false;
  // A lease of an earlier leader is covered by the majorities of its own time; two changes could leave those behind.
  return now.monotonicMs >= leadership.waitUntil;
}

/** Appends the configuration that `change` leads to; nothing where it is not allowed or changes nothing. */
export function changeMembers(state: CoreState, change: MemberChange, now: Now, out: Outbox): void {
  const { leadership, log } = state;
  if (leadership === null || !mayChange(state, now)) return;
  const configuration = changed(state, change);
  if (configuration === null) return;
  const index = logIndex(log.lastIndex + 1);
  appendOwn(state, { kind: "config", index, term: state.term, configuration }, out);
  assert(state.isVoter(state.self.id), "a leader does not remove itself: it hands over first");
  out.event({ kind: "configurationChanged", configuration });
  openRound(state, leadership, now, out);
}

function changed(state: CoreState, change: MemberChange): Configuration | null {
  const { voters, learners } = state.log.configuration;
  switch (change.kind) {
    case "addLearner": {
      const { member } = change;
      const isKnown = state.isMember(member.id) || state.removed.includes(member.id);
      if (isKnown || voters.length + learners.length >= MAX_MEMBERS) return null;
      return { voters, learners: [...learners, member] };
    }
    case "promote": {
      const learner = learners.find((member) => member.id === change.id);
      if (learner === undefined) return null;
      return { voters: [...voters, learner], learners: learners.filter((member) => member !== learner) };
    }
    case "remove": {
      const others = (member: { readonly id: string }): boolean => member.id !== change.id;
      if (change.id === state.self.id || !state.isMember(change.id)) return null;
      return { voters: voters.filter(others), learners: learners.filter(others) };
    }
    default:
      return unreachable(change);
  }
}
