/** `show`: what the members, and the network between them, are now. Changes nothing. */
import { unreachable } from "../../../src/base/assert.ts";
import { ScriptError } from "../harness/args.ts";
import type { Node } from "../harness/node.ts";
import {
  describeConfiguration,
  describeEntries,
  describeMessage,
  describeSnapshot,
  ms,
  nameOf,
} from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";
import type { World } from "../harness/world.ts";

const SUBJECTS = ["roles", "logs", "promises", "leases", "members", "history", "flights"] as const;
type NodeSubject = Exclude<(typeof SUBJECTS)[number], "flights">;

export const show: Verb = {
  usage: "show roles|logs|promises|leases|members|history|flights",
  run(world, args) {
    const word = args.word("subject");
    const subject = SUBJECTS.find((known) => known === word);
    if (subject === undefined) throw new ScriptError(`nothing to show: ${word}`);
    world.say(`at ${ms(world.nowMs)}`);
    if (subject === "flights") return showFlights(world);
    for (const node of world.nodes) {
      world.say(`  ${node.name} ${node.running ? line(subject, node, world.nowMs) : "down"}`);
    }
  },
};

function showFlights(world: World): void {
  const { flights, held } = world.network;
  for (const { from, to, message } of flights) world.say(`  ${from.name} to ${to.name}: ${describeMessage(message)}`);
  for (const { from, to, message } of held) world.say(`  held ${from.name} to ${to.name}: ${describeMessage(message)}`);
  if (flights.length + held.length === 0) world.say("  none");
}

function line(subject: NodeSubject, node: Node, nowMs: number): string {
  const view = node.view(nowMs);
  switch (subject) {
    case "roles": {
      const paused = node.paused ? " (paused)" : "";
      const vote = nameOf(node.disk.hardState.votedFor);
      const known = `vote=${vote} leader=${nameOf(view.leader)} commit=${view.commitIndex}`;
      return `${view.role} term=${view.term} ${known}${paused}`;
    }
    case "logs": {
      const configuration = describeConfiguration(view.configuration);
      const { entries, snapshot } = node.disk;
      const start = snapshot === null ? "" : `snapshot ${describeSnapshot(snapshot)} `;
      return `commit=${view.commitIndex} ${start}${describeEntries(entries)} config ${configuration}`;
    }
    case "promises": {
      const { remainingMs, term } = node.promise(nowMs);
      return `${ms(remainingMs)} ms to term ${term ?? "-"}`;
    }
    case "leases":
      return leaseLine(node, nowMs);
    case "members": {
      const { latest, committed, removed } = node.membership;
      const out = removed.length === 0 ? "" : ` removed ${removed.map(nameOf).join(",")}`;
      return `${describeConfiguration(latest)} committed ${describeConfiguration(committed)}${out}`;
    }
    case "history": {
      const tenures = view.history.map(({ token, holder, term, released }) => {
        return `${token} ${holder.name} term=${term}${released ? " released" : ""}`;
      });
      return tenures.length === 0 ? "-" : tenures.join("; ");
    }
    default:
      return unreachable(subject);
  }
}

function leaseLine(node: Node, nowMs: number): string {
  const { held, leaseRuns, revoked, current, role } = node.view(nowMs);
  const named = current === null ? "names nobody" : `names ${current.holder.name} with token ${current.token}`;
  if (role !== "leader") return named;
  const leftMs = held === null ? 0 : held.end - node.at(nowMs).holderMs;
  const claim = held === null ? "holds nothing" : `holds token ${held.tenure.token} for ${ms(leftMs)} ms`;
  return `${claim}; lease ${leaseRuns ? "runs" : "over"}${revoked ? "; revoked" : ""}; ${named}`;
}
