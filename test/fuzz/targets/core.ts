/**
 * Messages that have passed the codec, in a core that is in any of its roles (src/transport/schemas.ts, src/raft).
 *
 * An input is `{"state": n, "steps": [{"from": n, "afterMs": n, "message": {…}}]}`. Promise of schemas.ts: what the
 * core asserts about a message is true of it. What it asserts about the group as a whole, another member can break only
 * by breaking Raft; those assertions are answers here (`OF_THE_GROUP`), every other one is a finding.
 */
import * as v from "valibot";
import { AssertionError } from "../../../src/base/assert.ts";
import { logIndex, type Now, term } from "../../../src/base/types.ts";
import type { PeerMessage } from "../../../src/ports/transport.ts";
import { Core } from "../../../src/raft/core.ts";
import type { Input } from "../../../src/raft/effect.ts";
import type { Message } from "../../../src/raft/message.ts";
import { MESSAGE_SCHEMAS } from "../../../src/transport/schemas.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";
import { baseOf, claim, config, configurationOf, hardStateOf, noop, nowOf } from "../../support/entries.ts";
import {
  appendReply,
  appendRequest,
  MESSAGE_KINDS,
  preVoteReply,
  preVoteRequest,
  timeoutNow,
  voteReply,
  voteRequest,
} from "../../support/messages.ts";
import { changeJson, parsed } from "../engine/json.ts";
import { require, type Target } from "../engine/target.ts";

/** What only a member that breaks Raft can make untrue, with the section that promises it. */
const OF_THE_GROUP = [
  "one leader per term (Raft paper, 5.2)",
  "a committed entry never conflicts (Raft paper, 5.4.3)",
  "nobody has more of this term than its leader",
  "a snapshot never goes back",
  "the base is committed and stays",
  "tokens rise",
];
const MAX_STEPS = 6;
/** A term or an index that nothing honest reaches: at one a nanosecond, after 52 days. */
const FAR = 2 ** 52;

const count = v.pipe(
  v.number(),
  v.transform((value) => (Number.isFinite(value) ? Math.abs(Math.trunc(value)) : 0)),
);
const stepSchema = v.object({ from: v.fallback(count, 1), afterMs: v.fallback(count, 0), message: v.unknown() });
const inputSchema = v.object({
  state: v.fallback(count, 0),
  steps: v.fallback(v.array(v.fallback(v.nullable(stepSchema), null)), []),
});

const LOG = [noop(1, 1), claim(2, 1, 1), noop(3, 2), config(4, 2, configurationOf([0, 1, 2], [3])), noop(5, 3)];
const TIMING = { leaseDurationMs: 1_000, clockDrift: 0.1, heartbeatIntervalMs: 100 };

/** Steps that bring a fresh core into a role: every member answers as it should. */
const ROLES: readonly (readonly [number, Input][])[] = [
  [],
  [[2_000, { kind: "tick" }]],
  [
    [2_000, { kind: "tick" }],
    [2_001, heard(1, preVoteReply(4, true))],
  ],
  [
    [2_000, { kind: "tick" }],
    [2_001, heard(1, preVoteReply(4, true))],
    [2_002, heard(1, voteReply(4, true))],
    [2_003, { kind: "persisted", index: logIndex(6), term: term(4) }],
    [2_004, heard(1, appendReply(4, { round: 1, matchIndex: 6 }))],
  ],
  [[2_000, heard(2, appendRequest(4, { prevIndex: 5, prevTerm: 3, entries: [noop(6, 4)], commitIndex: 5 }))]],
];

function heard(position: number, message: Message): Input {
  return { kind: "message", from: memberAt(position), message };
}

function coreIn(state: number): { readonly core: Core; readonly nowMs: number } {
  const core = new Core({
    self: memberAt(0),
    timing: TIMING,
    priority: 0,
    seed: 7,
    base: baseOf(configurationOf([0, 1, 2])),
    tokenBase: TOKEN_BASE,
    lock: [],
    removed: [],
    hardState: hardStateOf(3, null, 1_000),
    entries: LOG,
    bootedAt: nowOf(0),
  });
  let nowMs = 1_500;
  for (const [atMs, input] of ROLES[state % ROLES.length] ?? []) {
    core.step(input, nowOf(atMs));
    nowMs = atMs;
  }
  return { core, nowMs };
}

/** The message as the codec lets it through to a member; null when it does not. */
function accepted(value: unknown): Message | null {
  const word: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "kind") : undefined;
  const kind = MESSAGE_KINDS.find((known) => known === word);
  if (kind === undefined) return null;
  const result = v.safeParse<v.GenericSchema<unknown, PeerMessage>>(MESSAGE_SCHEMAS[kind], value);
  // MESSAGE_KINDS leaves out every kind that is for strangers.
  return result.success ? (result.output as Message) : null;
}

function isFar(message: Message): boolean {
  const snapshot =
    message.kind === "installSnapshot" ? [message.snapshot.index, message.snapshot.lock[0]?.token ?? 0] : [];
  const index = message.kind === "appendRequest" ? [message.prevIndex, message.entries[0]?.index ?? 0] : [];
  return [message.term, ...snapshot, ...index].some((value) => value >= FAR);
}

function stepped(core: Core, input: Input, now: Now): string {
  const { send } = core.step(input, now);
  for (const { message } of send) {
    require(accepted(JSON.parse(JSON.stringify(message))) !==
      null, `what a core sends passes the codec: ${message.kind}`);
  }
  require(Number.isFinite(core.wakeAt(now)), "a core names the instant of its next step");
  core.view(now);
  return send[0]?.message.kind ?? "nothing";
}

function played(input: Buffer): string {
  const given = v.safeParse(inputSchema, parsed(input)?.value);
  const { state, steps } = given.success ? given.output : { state: 0, steps: [] };
  const { core, nowMs } = coreIn(state);
  let atMs = nowMs;
  const words = [core.view(nowOf(atMs)).role];
  for (const step of steps.slice(0, MAX_STEPS)) {
    const message = accepted(step?.message);
    if (step === null || message === null || isFar(message)) continue;
    atMs += step.afterMs % 3_000;
    const sent = stepped(core, heard(1 + (step.from % 4), message), nowOf(atMs));
    if (core.wakeAt(nowOf(atMs)) <= atMs) stepped(core, { kind: "tick" }, nowOf(atMs));
    words.push(`${message.kind} ${sent} ${core.view(nowOf(atMs)).role}` as never);
  }
  stepped(core, { kind: "tick" }, nowOf(atMs + 5_000));
  return words.join(", ");
}

export function open(): Target {
  const seed = (state: number, ...steps: readonly (readonly [number, number, Message])[]): Buffer =>
    Buffer.from(
      JSON.stringify({ state, steps: steps.map(([from, afterMs, message]) => ({ from, afterMs, message })) }),
    );
  const snapshot = { ...baseOf(configurationOf([0, 1, 2]), 9, 4), removed: [], lock: [] };
  return {
    covers: ["src/raft/", "src/lease/"],
    seeds: [
      seed(
        0,
        [0, 10, preVoteRequest(4, 5, 3)],
        [0, 10, voteRequest(4, 5, 3)],
        [0, 10, appendRequest(4, { prevIndex: 5, prevTerm: 3, commitIndex: 5 })],
      ),
      seed(1, [0, 5, preVoteReply(4, true)], [1, 5, voteReply(4, true, 500, 3)]),
      seed(2, [0, 5, voteReply(4, false)], [1, 5, voteReply(4, true, 0, null)]),
      seed(
        3,
        [0, 5, appendReply(4, { round: 2, matchIndex: 7 })],
        [1, 5, appendReply(4, { accepted: false, matchIndex: 3 })],
      ),
      seed(4, [1, 5, timeoutNow(4, 4)], [0, 5, voteReply(5, true, 100, 4)]),
      seed(4, [
        1,
        5,
        { kind: "installSnapshot", term: term(4), round: 3, snapshot, leaseDurationMs: 1_000, holding: logIndex(2) },
      ]),
      seed(0, [
        1,
        5,
        appendRequest(5, { prevIndex: 4, prevTerm: 2, entries: [noop(5, 4), claim(6, 5, 2)], commitIndex: 6 }),
      ]),
    ],
    mutate: changeJson,
    run(input) {
      try {
        return played(input);
      } catch (error) {
        const fact =
          error instanceof AssertionError ? OF_THE_GROUP.find((each) => error.message.endsWith(each)) : undefined;
        if (fact === undefined) throw error;
        return `broken Raft: ${fact}`;
      }
    },
  };
}
