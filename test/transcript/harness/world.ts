/**
 * The world of a transcript: members, network, one clock, and the trace of everything that happens.
 *
 * Invariant: nothing happens but by a command of the script, and whatever happens is traced, in order.
 *
 * Deliberately absent: chance. The seeds of the cores are options of the `cluster` command.
 */
import { assert, present } from "../../../src/base/assert.ts";
import type { Effects, Input } from "../../../src/raft/effect.ts";
import type { CoreSnapshot } from "../../../src/raft/entry.ts";
import { ScriptError } from "./args.ts";
import { type Flight, Network } from "./network.ts";
import { Node, type NodeOptions } from "./node.ts";
import {
  describeEntries,
  describeEvent,
  describeInput,
  describeMessage,
  describePersist,
  describeSnapshot,
  isNothing,
  ms,
} from "./trace.ts";

/** How much of each step is traced: everything; its events only, without renewals; or nothing. */
export const TRACE_LEVELS = ["full", "events", "quiet"] as const;
export type TraceLevel = (typeof TRACE_LEVELS)[number];

/** A run of this many steps at one instant does not end. */
const MAX_STEPS_AT_ONCE = 10_000;

export class World {
  readonly network = new Network();
  nowMs = 0;
  traceLevel: TraceLevel = "full";
  #nodes = new Map<string, Node>();
  #lines: string[] = [];

  form(options: readonly NodeOptions[]): void {
    if (this.#nodes.size > 0) throw new ScriptError("there is a cluster already");
    this.#nodes = new Map(options.map((option) => [option.self.name, new Node(option)]));
    for (const node of this.nodes) node.start(this.nowMs);
  }

  /** One more pod, with what it was given to start from. */
  join(options: NodeOptions, snapshot: CoreSnapshot): Node {
    const { name } = options.self;
    if (this.#nodes.has(name)) throw new ScriptError(`there is a ${name} already`);
    const node = new Node(options);
    node.disk = { ...node.disk, snapshot };
    this.#nodes.set(name, node);
    node.start(this.nowMs);
    return node;
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  get names(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  node(name: string): Node {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new ScriptError(`no such member: ${name}`);
    return node;
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  /** What became of messages: each of them at full trace, their number otherwise. */
  sayFlights(fate: string, flights: readonly Flight[]): void {
    if (this.traceLevel !== "full") return this.say(`${fate} ${flights.length}`);
    for (const { from, to, message } of flights) {
      this.say(`${fate} ${from.name} to ${to.name}: ${describeMessage(message)}`);
    }
  }

  /** Everything said since the last call. */
  takeLines(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** One input into one core, and its effects out in their order. */
  step(node: Node, input: Input): void {
    if (node.paused) {
      node.waiting.push(input);
      if (this.traceLevel === "full") this.say(`${node.name} is paused; waits: ${describeInput(input)}`);
      return;
    }
    const effects = node.step(input, this.nowMs);
    const fates = effects.send.map(({ to, message }) => this.network.send({ from: node.options.self, to, message }));
    this.#trace(node, input, effects, fates);
    const last = effects.persist?.entries.at(-1);
    if (last !== undefined) this.step(node, { kind: "persisted", index: last.index, term: last.term });
  }

  tick(node: Node): void {
    this.step(node, { kind: "tick" });
  }

  deliver(flight: Flight): void {
    const { from, to, message } = flight;
    // Whoever was just added to the members may not have started yet.
    const node = this.#nodes.get(to.name);
    if (node?.running === true) return this.step(node, { kind: "message", from, message });
    if (this.traceLevel === "full") this.say(`${to.name} is down; lost: ${describeMessage(message)}`);
  }

  /** Delivers everything in flight, and what that causes, in order, at this instant. */
  settle(): void {
    for (let steps = 0; ; steps += 1) {
      const [flight] = this.network.take({ from: null, to: null, kind: null }, 1);
      if (flight === undefined) return;
      assert(steps < MAX_STEPS_AT_ONCE, "messages at one instant come to an end");
      this.deliver(flight);
    }
  }

  /** Moves time on, waking each node when it asks for it; with `deliver`, messages arrive as soon as they are sent. */
  runUntil(untilMs: number, deliver: boolean): void {
    if (untilMs < this.nowMs) throw new ScriptError(`it is ${ms(this.nowMs)} already`);
    for (;;) {
      if (deliver) this.settle();
      const first = this.#nextToWake();
      if (first === null || first.at > untilMs) break;
      this.nowMs = Math.max(this.nowMs, first.at);
      this.tick(first.node);
    }
    this.nowMs = untilMs;
  }

  #nextToWake(): { readonly node: Node; readonly at: number } | null {
    const awake = this.nodes.filter((node) => node.running && !node.paused);
    const wakes = awake.map((node) => ({ node, at: node.wakeAt(this.nowMs) }));
    return wakes.toSorted((a, b) => a.at - b.at)[0] ?? null;
  }

  /** Those that hold the lock at this instant, by their own word. */
  get holders(): readonly string[] {
    return this.#thatAre((node) => node.view(this.nowMs).held !== null);
  }

  get leaders(): readonly string[] {
    return this.#thatAre((node) => node.view(this.nowMs).role === "leader");
  }

  #thatAre(is: (node: Node) => boolean): readonly string[] {
    return this.nodes.filter((node) => node.running && is(node)).map((node) => node.name);
  }

  #trace(node: Node, input: Input, effects: Effects, fates: readonly string[]): void {
    const heading = `${ms(this.nowMs)} ${node.name} ${describeInput(input)}`;
    const { persist, snapshot, send, apply, events } = effects;
    if (this.traceLevel === "quiet") return;
    if (this.traceLevel === "events") {
      const told = events.filter((event) => event.kind !== "renewed");
      for (const event of told) this.say(`${ms(this.nowMs)} ${node.name} ${describeEvent(event)}`);
      return;
    }
    // A follower's disk that has caught up is no news.
    if (input.kind === "persisted" && isNothing(effects)) return;
    this.say(heading);
    if (persist !== null) this.say(`  persist ${describePersist(persist)}`);
    if (snapshot !== null) this.say(`  snapshot ${describeSnapshot(snapshot)}`);
    for (const [at, { to, message }] of send.entries()) {
      const fate = present(fates[at], "each message has a fate");
      this.say(`  send ${to.name} ${describeMessage(message)}${fate === "sent" ? "" : ` (${fate})`}`);
    }
    if (apply.length > 0) this.say(`  apply ${describeEntries(apply)}`);
    for (const event of events) this.say(`  event ${describeEvent(event)}`);
    if (isNothing(effects)) this.say("  nothing");
  }
}
