/** `expect`: what the script is there to show. It fails the test, also while transcripts are being rewritten. */
import { unreachable } from "../../../src/base/assert.ts";
import { type Args, numberOf, ScriptError } from "../harness/args.ts";
import { selectorOf, selects } from "../harness/network.ts";
import type { Node } from "../harness/node.ts";
import { describeConfiguration, ms, nameOf } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";
import type { World } from "../harness/world.ts";

const SUBJECTS = [
  "holder",
  "leader",
  "role",
  "term",
  "vote",
  "log",
  "commit",
  "config",
  "committed",
  "removed",
  "snapshot",
  "token",
  "names",
  "promise",
  "revoked",
  "flights",
] as const;
type ValueSubject = Exclude<(typeof SUBJECTS)[number], "holder" | "leader" | "promise" | "flights">;

export const expectation: Verb = {
  usage:
    "expect holder|leader m0|none -- exactly that one; expect role|term|vote|commit|token|names m0 VALUE;" +
    " expect log m0 1,1,2 -- its terms behind the snapshot; expect config|committed m0 m0,m1+m2 -- voters+learners;" +
    " expect removed m0 m2,m1; expect snapshot m0 9/2|none -- the last one on the disk;" +
    " expect promise m0 TERM [min=MS] [max=MS]; expect revoked m0 true|false;" +
    " expect flights COUNT [from=m0] [to=m1] [kind=...]",
  run(world, args) {
    const word = args.word("subject");
    const subject = SUBJECTS.find((known) => known === word);
    if (subject === undefined) throw new ScriptError(`nothing to expect: ${word}`);
    if (subject === "promise") return expectPromise(world, args);
    if (subject === "flights") return expectFlights(world, args);
    if (subject === "holder" || subject === "leader") return same(namesOf(world, subject), args.word("members"));
    const node = world.node(args.word("member"));
    same(valueOf(world, subject, node), args.word("value"));
  },
};

function same(is: string, wanted: string): void {
  if (is !== wanted) throw new ScriptError(`it is ${is}`);
}

function namesOf(world: World, subject: "holder" | "leader"): string {
  const names = subject === "holder" ? world.holders : world.leaders;
  return names.length === 0 ? "none" : names.join(",");
}

function valueOf(world: World, subject: ValueSubject, node: Node): string {
  const view = node.view(world.nowMs);
  switch (subject) {
    case "role":
      return view.role;
    case "term":
      return String(view.term);
    case "vote":
      return nameOf(node.disk.hardState.votedFor);
    case "log":
      return node.disk.entries.map((entry) => entry.term).join(",") || "-";
    case "commit":
      return String(view.commitIndex);
    case "config":
      return describeConfiguration(node.membership.latest);
    case "committed":
      return describeConfiguration(node.membership.committed);
    case "removed":
      return node.membership.removed.map(nameOf).join(",") || "none";
    case "snapshot":
      return snapshotOf(node);
    case "token":
      return String(view.held?.tenure.token ?? "none");
    case "names":
      return view.current?.holder.name ?? "nobody";
    case "revoked":
      return String(view.revoked);
    default:
      return unreachable(subject);
  }
}

function snapshotOf({ disk: { snapshot } }: Node): string {
  return snapshot === null ? "none" : `${snapshot.index}/${snapshot.term}`;
}

function expectPromise(world: World, args: Args): void {
  const { remainingMs, term } = world.node(args.word("member")).promise(world.nowMs);
  same(String(term ?? "-"), args.word("term"));
  const [min, max] = [args.number("min", 0), args.number("max", Number.POSITIVE_INFINITY)];
  if (remainingMs < min || remainingMs > max) throw new ScriptError(`it is ${ms(remainingMs)} ms`);
}

function expectFlights(world: World, args: Args): void {
  const count = numberOf(args.word("count"));
  const selector = selectorOf(args);
  const there = world.network.flights.filter((flight) => selects(selector, flight)).length;
  same(String(there), String(count));
}
