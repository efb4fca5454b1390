/** `change`: a member is told to change the members, as a leader's policy would tell it. */
import type { MemberChange } from "../../../src/raft/effect.ts";
import { memberNamed, ScriptError } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const change: Verb = {
  usage: "change m0 add|promote|remove m3 -- a learner more, a voter of a learner, or one less; where it may",
  run(world, args) {
    const node = world.node(args.word("member"));
    world.step(node, { kind: "change", change: changeOf(args.word("add, promote or remove"), args.word("whom")) });
  },
};

function changeOf(word: string, name: string): MemberChange {
  const member = memberNamed(name);
  if (word === "add") return { kind: "addLearner", member };
  if (word === "promote" || word === "remove") return { kind: word, id: member.id };
  throw new ScriptError(`no such change: ${word}`);
}
