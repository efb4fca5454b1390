/** `expect`: what the script is there to show. It fails the test, also while transcripts are being rewritten. */
import { unreachable } from "../../../src/base/assert.ts";
import { type Args, numberOf, ScriptError } from "../harness/args.ts";
import { selectorOf, selects } from "../harness/network.ts";
import type { Node } from "../harness/node.ts";
import { ms, nameOf } from "../harness/trace.ts";
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
    " expect log m0 1,1,2 -- its terms; expect promise m0 TERM [min=MS] [max=MS]; expect revoked m0 true|false;" +
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
      return nameOf(node.hardState.votedFor);
    case "log":
      return node.entries.length === 0 ? "-" : node.entries.map((entry) => entry.term).join(",");
    case "commit":
      return String(view.commitIndex);
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
