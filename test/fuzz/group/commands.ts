/**
 * What fast-check may command a group to do, one small thing at a time.
 *
 * Invariant: a command that does not fit the moment changes nothing, so that fast-check may leave out any of them.
 *
 * Deliberately absent: a model beside the group. What must hold does not depend on what was commanded.
 */
import fc from "fast-check";
import { TIMING, type Group } from "./group.ts";

type Pod = Group["pods"][number];
/** The model that fast-check wants: there is none. */
export type Nothing = Record<string, never>;

class Act implements fc.Command<Nothing, Group> {
  readonly #name: string;
  readonly #act: (group: Group) => void;

  constructor(name: string, act: (group: Group) => void) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  run(_nothing: Nothing, group: Group): void {
    this.#act(group);
    group.check();
  }

  toString(): string {
    return this.#name;
  }
}

const which = fc.nat({ max: 7 });
const spans = fc.constantFrom(1, 20, 100, 300, 820, 1_000, 1_300, 2_500);

function of(name: string, act: (group: Group, pod: Pod, size: number) => void): fc.Arbitrary<Act> {
  return fc.tuple(which, which).map(
    ([at, size]) =>
      new Act(`${name}(${at}, ${size})`, (group) => {
        const pod = group.pods[at % group.pods.length];
        if (pod !== undefined) act(group, pod, size);
      }),
  );
}

/** The leader of the highest term, as a person would find it. */
function withLeader(group: Group, act: (leader: Pod) => void): void {
  const leaders = group.pods.filter((pod) => pod.core?.view(group.now(pod)).role === "leader");
  const [newest] = leaders.sort((a, b) => b.disk.hardState.term - a.disk.hardState.term);
  if (newest !== undefined) act(newest);
}

/** Resigns as the node would: an application that has confirmed acts no more. */
function resign(group: Group, pod: Pod, hasStopped: boolean): void {
  if (hasStopped) group.referee.stops(pod.member.name);
  group.step(pod, { kind: "resign", to: null, stopped: hasStopped });
}

const commands: readonly fc.Arbitrary<Act>[] = [
  spans.map((ms) => new Act(`calm(${ms})`, (group) => group.calm(ms))),
  spans.map((ms) => new Act(`calm(${ms})`, (group) => group.calm(ms))),
  spans.map((ms) => new Act(`calm(${ms})`, (group) => group.calm(ms))),
  spans.map((ms) => new Act(`pause(${ms})`, (group) => group.pause(ms))),
  fc.nat({ max: 12 }).map((most) => new Act(`settle(${most})`, (group) => group.settle(most))),
  fc.nat({ max: 12 }).map((at) => new Act(`deliver(${at})`, (group) => group.deliver(at, false))),
  fc.nat({ max: 12 }).map((at) => new Act(`repeat(${at})`, (group) => group.deliver(at, true))),
  fc.nat({ max: 12 }).map((at) => new Act(`lose(${at})`, (group) => void group.flights.splice(at, 1))),
  of("tick", (group, pod) => group.step(pod, { kind: "tick" })),
  of("suspend", (group, pod, size) => group.suspend(pod, 300 * (1 + size))),
  of("crash", (group, pod) => group.crash(pod)),
  of("start", (group, pod) => group.start(pod)),
  of("start", (group, pod) => group.start(pod)),
  of("cut", (group, pod, size) => {
    const other = group.pods[size % group.pods.length];
    if (other !== undefined) group.cut(pod, other);
  }),
  of("isolate", (group, pod) => {
    for (const other of group.pods)
      for (const [from, to] of [
        [pod, other],
        [other, pod],
      ] as const)
        group.cut(from, to);
  }),
  of("heal", (group) => group.heal()),
  of("resign", (group, pod, size) => resign(group, pod, size % 2 === 0)),
  of("handOver", (group, _pod, size) => withLeader(group, (leader) => resign(group, leader, size % 2 === 0))),
  of("eligible", (group, pod, size) => group.step(pod, { kind: "setEligible", eligible: size % 3 !== 0 })),
  of("join", (group) => withLeader(group, (leader) => group.join(leader))),
  of("promote", (group, pod) =>
    withLeader(group, (leader) =>
      group.step(leader, { kind: "change", change: { kind: "promote", id: pod.member.id } }),
    ),
  ),
  of("remove", (group, pod) =>
    withLeader(group, (leader) => {
      if (group.pods.filter(({ isGone }) => !isGone).length < 3) return;
      group.step(leader, { kind: "change", change: { kind: "remove", id: pod.member.id } });
    }),
  ),
];

export const anyCommands = fc.commands<Nothing, Group>([...commands], { maxCommands: 60, size: "max" });

/** A calm end in which everybody is there: long enough for two elections with their waits. */
export function rest(group: Group): void {
  group.heal();
  for (const pod of group.pods) group.start(pod);
  for (const pod of group.pods) group.step(pod, { kind: "setEligible", eligible: true });
  group.calm(12 * TIMING.leaseDurationMs);
}
