/**
 * What commands make of a sidecar's answers (src/cli): `{"leader": …, "cluster": …, "history": …}`.
 *
 * Promise: an answer that is not one is refused by its schema; of one that is, every line can be printed on a terminal
 * and moves no cursor, whatever names, versions and messages say.
 */
import * as v from "valibot";
import { ClusterSchema, HistorySchema, LeaderSchema, type Picture } from "../../../src/cli/answers.ts";
import { historyTable, memberTable } from "../../../src/cli/lists.ts";
import { plain } from "../../../src/cli/paint.ts";
import { renderNewGroup } from "../../../src/cli/rebuild.ts";
import { renderHandOver } from "../../../src/cli/hand-over.ts";
import { renderStatus } from "../../../src/cli/status.ts";
import { printable } from "../../../src/cli/wrap.ts";
import { createFakeApplication } from "../../support/fake-application.ts";
import { changeJson, parsed } from "../engine/json.ts";
import { require, type Target } from "../engine/target.ts";

const MAX_LINES = 40_000;

function check(what: string, lines: readonly string[]): string {
  require(lines.length < MAX_LINES, `${what}: the lines are bounded by the answer`);
  const moving = lines.find((line) => printable(line) !== line);
  require(moving === undefined, `${what}: what is printed moves no cursor`);
  return `${what} ${Math.min(lines.length, 8)}`;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function shown(value: unknown): string {
  const words: string[] = [];
  const history = v.safeParse(HistorySchema, field(value, "history"));
  if (history.success) words.push(check("history", historyTable(history.output, plain)));
  const cluster = v.safeParse(ClusterSchema, field(value, "cluster"));
  const leader = v.safeParse(LeaderSchema, field(value, "leader"));
  if (!cluster.success || !leader.success) return [...words, "refused"].join();
  const { members, holder, self, groupId } = cluster.output;
  const token = history.success ? (history.output.tenures[0]?.token ?? null) : null;
  const held =
    leader.output.name === null ? null : { name: leader.output.name, token, forMs: cluster.output.holderForMs };
  const picture: Picture = { leader: leader.output, cluster: cluster.output, holder: held };
  words.push(check(`status ${leader.output.reason}`, renderStatus(picture, plain)));
  words.push(check("members", memberTable(members, holder, plain, { withId: true })));
  words.push(check("group", renderNewGroup({ self, groupId, holder: held, left: members.map(({ name }) => name) })));
  for (const order of ["transfer", "resign"] as const) {
    const { text, status } = renderHandOver(order, { from: leader.output.self, to: holder, token, holder: held });
    words.push(check(`${order} ${status}`, text.split("\n")));
  }
  return words.join();
}

export function open(): Target {
  const seeds = [true, false].map((holds) => {
    const application = createFakeApplication();
    if (holds) application.hold(251_301_442_093_057);
    else application.follow("app-0", "draining");
    const answers = { leader: application.leader(), cluster: application.cluster(), history: application.history() };
    return Buffer.from(JSON.stringify(answers));
  });
  const [first = Buffer.from("{}"), ...rest] = seeds;
  return {
    covers: [
      "src/cli/answers.ts",
      "src/cli/lists.ts",
      "src/cli/status.ts",
      "src/cli/trouble.ts",
      "src/cli/table.ts",
      "src/cli/span.ts",
      "src/cli/wrap.ts",
    ],
    seeds: [first, ...rest],
    mutate: changeJson,
    run: (input) => shown(parsed(input)?.value),
  };
}
