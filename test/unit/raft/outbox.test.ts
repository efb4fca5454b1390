import { describe, expect, it } from "vitest";
import { logIndex, term } from "../../../src/base/types.ts";
import { Outbox } from "../../../src/raft/outbox.ts";
import { memberAt } from "../../support/cluster.ts";
import { command, hardStateOf, noop } from "../../support/entries.ts";
import { preVoteReply, voteReply } from "../../support/messages.ts";

const STATE = hardStateOf(4, 1, 1_000);

describe("the outbox", () => {
  it("nothing happened: nothing to persist, send, apply or tell", () => {
    expect(new Outbox().finish(STATE)).toEqual({ persist: null, snapshot: null, send: [], apply: [], events: [] });
  });

  it("persists the hard state when it changed, as it is at the end of the step, and once", () => {
    const out = new Outbox();
    out.hardStateChanged();
    out.hardStateChanged();
    expect(out.finish(STATE).persist).toEqual({ hardState: STATE, entries: [] });
  });

  it("leaves the hard state out when only entries were appended", () => {
    const out = new Outbox();
    out.appended(noop(3, 4));
    out.appended(command(4, 4));
    expect(out.finish(STATE).persist).toEqual({ entries: [noop(3, 4), command(4, 4)] });
  });

  it("a truncation is persisted together with what replaces it, also a truncation to nothing", () => {
    const out = new Outbox();
    out.truncated(logIndex(0));
    out.appended(command(1, 4));
    expect(out.finish(STATE).persist).toEqual({ truncateAfter: 0, entries: [command(1, 4)] });
    const bare = new Outbox();
    bare.truncated(logIndex(2));
    expect(bare.finish(STATE).persist).toEqual({ truncateAfter: 2, entries: [] });
  });

  it("keeps the order of messages, of applied entries and of events", () => {
    const out = new Outbox();
    out.send(memberAt(1), voteReply(4, true));
    out.send(memberAt(2), preVoteReply(4, false));
    out.applied(noop(1, 4));
    out.applied(command(2, 4));
    out.event({ kind: "renewed" });
    out.event({ kind: "transferFailed", term: term(4) });
    const { persist, send, apply, events } = out.finish(STATE);
    expect(persist).toBeNull();
    expect(send.map(({ to, message }) => `${to.name} ${message.kind}`)).toEqual(["m1 voteReply", "m2 preVoteReply"]);
    expect(apply.map(({ kind }) => kind)).toEqual(["noop", "command"]);
    expect(events.map(({ kind }) => kind)).toEqual(["renewed", "transferFailed"]);
  });
});
