/**
 * The largest message of each kind: the codec takes it, takes none that is larger in any list, and it fits a frame. So
 * nothing that the protocol may have to say is ever too large to be said.
 */
import { describe, expect, it } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { TenureError } from "../../../src/base/errors.ts";
import {
  MAX_TOKEN_BASE,
  MAX_APPEND_CHARACTERS,
  MAX_APPEND_ENTRIES,
  MAX_COMMAND_LENGTH,
  MAX_FOUNDERS,
  MAX_FRAME_BYTES,
  MAX_HISTORY,
  MAX_LEASE_DURATION_MS,
  MAX_MEMBERS,
  MAX_NAME_LENGTH,
  MAX_REMOVED,
} from "../../../src/base/limits.ts";
import { fencingToken, logIndex, type Member, memberId, term } from "../../../src/base/types.ts";
import type { LockState } from "../../../src/lease/register.ts";
import type { Form, Snapshot } from "../../../src/ports/storage.ts";
import type { PeerMessage } from "../../../src/ports/transport.ts";
import type { Configuration, CoreSnapshot, Entry } from "../../../src/raft/entry.ts";
import { decodeDiallerFrame, encode } from "../../../src/transport/codec.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const GROUP = "f".repeat(32);
const [TERM, INDEX] = [term(MOST), logIndex(MOST)];
/** As long as a double is written: 17 digits of it, a sign and an exponent. */
const LONGEST_SPAN_MS = MAX_LEASE_DURATION_MS - 0.123_456_789_012_3;

const memberAt = (at: number): Member => {
  const end = String(at);
  return { id: memberId(at.toString(16).padStart(32, "0")), name: "x".repeat(MAX_NAME_LENGTH - end.length) + end };
};
const membersOf = (count: number, from = 0): Member[] => Array.from({ length: count }, (_, at) => memberAt(from + at));
const configurationOf = (voters: number, learners: number): Configuration => {
  return { voters: membersOf(voters), learners: membersOf(learners, voters) };
};
const formOf = (founders: number): Form => ({
  groupId: GROUP,
  founders: membersOf(founders),
  tokenBase: MAX_TOKEN_BASE,
});

interface Sizes {
  readonly voters?: number;
  readonly learners?: number;
  readonly removed?: number;
  readonly tenures?: number;
}

function coreSnapshot(sizes: Sizes = {}): CoreSnapshot {
  const { voters = MAX_FOUNDERS, learners = MAX_MEMBERS - MAX_FOUNDERS } = sizes;
  const { removed = MAX_REMOVED, tenures = MAX_HISTORY } = sizes;
  return {
    index: INDEX,
    term: TERM,
    configuration: configurationOf(voters, learners),
    removed: membersOf(removed, 1_000).map(({ id }) => id),
    lock: Array.from({ length: tenures }, (_, at) => ({
      claim: logIndex(MOST - at),
      term: TERM,
      holder: memberAt(at),
      token: fencingToken(MOST - at),
      released: false,
    })),
  };
}

const snapshot = (sizes: Sizes = {}): Snapshot => ({
  ...coreSnapshot(sizes),
  groupId: GROUP,
  tokenBase: MAX_TOKEN_BASE,
});

function append(entries: readonly Entry[]): PeerMessage {
  const prevIndex = logIndex(MOST - MAX_APPEND_ENTRIES - 1);
  const common = { term: TERM, round: MOST, prevTerm: TERM, commitIndex: INDEX, leaseDurationMs: LONGEST_SPAN_MS };
  return { kind: "appendRequest", ...common, prevIndex, entries, holding: INDEX };
}

const entryAt = (at: number) => ({ index: logIndex(MOST - MAX_APPEND_ENTRIES + at), term: TERM });
const noops = (count: number): readonly Entry[] =>
  Array.from({ length: count }, (_, at) => ({ kind: "noop", ...entryAt(at) }));

function install(sizes: Sizes = {}): PeerMessage {
  const common = { term: TERM, round: MOST, leaseDurationMs: LONGEST_SPAN_MS, holding: INDEX };
  return { kind: "installSnapshot", ...common, snapshot: coreSnapshot(sizes) };
}

const accepted = (founders: number) => ({ kind: "accepted", form: formOf(founders) }) as const;

const LARGEST: { readonly [Kind in PeerMessage["kind"]]: PeerMessage } = {
  preVoteRequest: { kind: "preVoteRequest", term: TERM, lastIndex: INDEX, lastTerm: TERM, priority: -MOST },
  preVoteReply: { kind: "preVoteReply", term: TERM, granted: false },
  voteRequest: { kind: "voteRequest", term: TERM, lastIndex: INDEX, lastTerm: TERM },
  voteReply: { kind: "voteReply", term: TERM, granted: false, remainingMs: LONGEST_SPAN_MS, promiseTerm: TERM },
  // As full as a leader makes it: it stops at MAX_APPEND_CHARACTERS, below.
  appendRequest: append(
    Array.from({ length: MAX_APPEND_ENTRIES }, (_, at) => ({ kind: "claim", ...entryAt(at), holder: memberAt(at) })),
  ),
  appendReply: {
    kind: "appendReply",
    term: TERM,
    round: MOST,
    accepted: false,
    matchIndex: INDEX,
    eligible: false,
    priority: -MOST,
    leaving: false,
  },
  installSnapshot: install(),
  timeoutNow: { kind: "timeoutNow", term: TERM, certificate: TERM },
  formQuery: { kind: "formQuery", nonce: "" },
  formStatus: { kind: "formStatus", nonce: "", status: accepted(MAX_FOUNDERS) },
  formPropose: { kind: "formPropose", form: formOf(MAX_FOUNDERS) },
  formReply: { kind: "formReply", groupId: GROUP, accepted: false, status: accepted(MAX_FOUNDERS) },
  joinRequest: { kind: "joinRequest" },
  joinAccepted: { kind: "joinAccepted", snapshot: snapshot() },
  removed: { kind: "removed", groupId: GROUP, member: memberAt(0).id },
};

function bytesOf(message: PeerMessage): number {
  const frame = encode(message);
  expect(decodeDiallerFrame(frame.subarray(4))).toEqual(message);
  return frame.length;
}

describe("the largest message", () => {
  it.each(Object.entries(LARGEST))("of kind %s is taken, and fits a frame many times over", (_kind, message) => {
    expect(bytesOf(message)).toBeLessThan(MAX_FRAME_BYTES / 4);
  });

  it.each<[string, Entry]>([
    ["control characters, which JSON escapes", { kind: "command", ...entryAt(0), command: "\u0001".repeat(1_024) }],
    ["characters of three bytes", { kind: "command", ...entryAt(0), command: "漢".repeat(MAX_COMMAND_LENGTH) }],
    ["halves of pairs", { kind: "command", ...entryAt(0), command: "\ud800".repeat(MAX_COMMAND_LENGTH) }],
    ["configurations", { kind: "config", ...entryAt(0), configuration: configurationOf(MAX_FOUNDERS, 78) }],
  ])("of entries that add up to MAX_APPEND_CHARACTERS of JSON fits: %s", (_what, entry) => {
    const entries: Entry[] = [];
    for (let characters = 0; characters < MAX_APPEND_CHARACTERS && entries.length < MAX_APPEND_ENTRIES;) {
      const next = { ...entry, ...entryAt(entries.length) };
      entries.push(next);
      characters += JSON.stringify(next).length;
    }
    expect(entries.length).toBeGreaterThan(5);
    expect(bytesOf(append(entries))).toBeLessThan(MAX_FRAME_BYTES);
  });
});

describe("a message with one more than there may be", () => {
  it.each<[string, PeerMessage]>([
    ["entries of an append", append(noops(MAX_APPEND_ENTRIES + 1))],
    ["founders of a form", { kind: "formPropose", form: formOf(MAX_FOUNDERS + 1) }],
    ["voters of a snapshot", install({ voters: MAX_FOUNDERS + 1, learners: 0 })],
    ["learners of a snapshot", install({ voters: 1, learners: MAX_MEMBERS + 1 })],
    ["members of a snapshot", install({ voters: 2, learners: MAX_MEMBERS - 1 })],
    ["removed ids of a snapshot", install({ removed: MAX_REMOVED + 1 })],
    ["tenures of a snapshot", install({ tenures: MAX_HISTORY + 1 })],
    ["removed ids of a group's state", { kind: "joinAccepted", snapshot: snapshot({ removed: MAX_REMOVED + 1 }) }],
    ["tenures of a group's state", { kind: "joinAccepted", snapshot: snapshot({ tenures: MAX_HISTORY + 1 }) }],
  ])("%s is refused", (_what, message) => {
    const body = encode(message).subarray(4);
    expect(() => decodeDiallerFrame(body)).toThrow(TenureError);
    expect(() => decodeDiallerFrame(body)).toThrow(/must (be a list of|not have more members)/);
  });
});

describe("a snapshot", () => {
  const whole = coreSnapshot();
  const tenureAt = (at: number): LockState[number] => present(whole.lock[at], "the longest history has it");
  const [newest, older] = [tenureAt(0), tenureAt(1)];
  const lock = (...tenures: readonly object[]) => ({ ...whole, lock: tenures });

  it.each<[string, object]>([
    ["without a voter", { ...whole, configuration: { voters: [], learners: membersOf(1) } }],
    ["with tenures in the wrong order", lock(older, newest)],
    ["with one tenure twice", lock(newest, newest)],
    ["with an older tenure of a later term", lock({ ...newest, term: 6 }, older)],
    ["with a token that does not fall", lock(newest, { ...older, token: newest.token })],
    ["with a claim that does not fall", lock(newest, { ...older, claim: newest.claim })],
    ["that ends before its newest tenure", { ...whole, index: MOST - 1 }],
    ["of an earlier term than its newest tenure", { ...whole, term: MOST - 1 }],
    ["with a token of 0", lock({ ...newest, token: 0 })],
    ["with an id that is none", { ...whole, removed: ["app-1"] }],
  ])("%s is refused, in either message", (_what, wrong) => {
    const frames = [
      { ...install(), snapshot: wrong },
      { kind: "joinAccepted", snapshot: { ...wrong, groupId: GROUP, tokenBase: 0 } },
    ];
    for (const frame of frames) {
      expect(() => decodeDiallerFrame(Buffer.from(JSON.stringify(frame)))).toThrow(TenureError);
    }
  });

  it("with a token above those of its group, or a base without room for tokens, is refused to a joiner", () => {
    const joinAccepted = (tokenBase: number, index: number): Buffer =>
      Buffer.from(JSON.stringify({ kind: "joinAccepted", snapshot: { ...whole, index, groupId: GROUP, tokenBase } }));
    const [token, last] = [newest.token, whole.index];
    expect(decodeDiallerFrame(joinAccepted(0, Math.max(token, last)))).toMatchObject({ kind: "joinAccepted" });
    expect(() => decodeDiallerFrame(joinAccepted(MAX_TOKEN_BASE + 1, last))).toThrow("room for tokens");
    const small = { ...newest, claim: 5, token: 1_000 };
    const state = { ...whole, index: 10, lock: [small], groupId: GROUP, tokenBase: 989 };
    const poisoned = { kind: "joinAccepted", snapshot: state };
    expect(() => decodeDiallerFrame(Buffer.from(JSON.stringify(poisoned)))).toThrow("a token above");
  });

  it("of a later term than its sender's is refused", () => {
    const early = { ...install(), term: MOST - 1 };
    expect(() => decodeDiallerFrame(Buffer.from(JSON.stringify(early)))).toThrow("later term");
  });
});
