/**
 * `status`: the group at a glance.
 *
 * Invariant: says what this pod sees, and nothing as certain that it only heard of; fits 80 columns as long as names
 * are short.
 *
 * Deliberately absent: asking other pods. Their lock APIs are on their loopback.
 */
import type { Cluster, Holder, Leader, Picture } from "./answers.ts";
import { memberTable } from "./lists.ts";
import type { Paint } from "./paint.ts";
import { span } from "./span.ts";
import { troublesOf } from "./trouble.ts";
import { printable, TERMINAL_WIDTH, wrapped } from "./wrap.ts";

const LABEL_WIDTH = 10;
const INDENT = " ".repeat(LABEL_WIDTH);

/** Lines without line breaks. */
export function renderStatus(picture: Picture, paint: Paint): readonly string[] {
  const { cluster, leader, holder } = picture;
  const label = (text: string): string => paint("dim", text.padEnd(LABEL_WIDTH));
  const lines = [
    `${label("group")}${paint("bold", printable(cluster.group))}, term ${cluster.term}`,
    `${label("holder")}${holderLine(holder, cluster.self, paint)}`,
    `${label("this pod")}${printable(cluster.self)}: ${standingLine(leader, cluster)}`,
  ];
  if (cluster.members.length > 0) lines.push("", ...memberTable(cluster.members, holder?.name ?? null, paint));
  for (const { kind, text, hints } of troublesOf(picture)) {
    const style = kind === "trouble" ? "red" : "yellow";
    const [first = "", ...more] = wrapped(printable(text), INDENT, TERMINAL_WIDTH);
    lines.push("", ...[kind.padEnd(LABEL_WIDTH) + first.slice(LABEL_WIDTH), ...more].map((line) => paint(style, line)));
    lines.push(...hints.map((hint, at) => `${at === 0 ? label("try") : INDENT}${printable(hint)}`));
  }
  return lines;
}

function holderLine(holder: Holder | null, self: string, paint: Paint): string {
  if (holder === null) return paint("red", "nobody is known to hold the lock");
  const name = paint("green", printable(holder.name)) + (holder.name === self ? " (this pod)" : "");
  const token = holder.token === null ? "" : `, token ${holder.token}`;
  return `${name}${token}${holder.forMs === null ? "" : `, for ${span(holder.forMs)}`}`;
}

function standingLine({ reason, remainingMs }: Leader, { leaseDurationMs }: Cluster): string {
  const texts: Readonly<Record<Leader["reason"], string>> = {
    holder: `holds the lock; ${remainingMs} ms of its lease of ${leaseDurationMs} ms are left`,
    follower: "follows; another pod leads",
    waiting: "won; waits for older promises to run out, or for its claim",
    "no-quorum": "hears no leader with a majority",
    draining: "drains; holds the lock until its application has stopped",
    ineligible: "out of the running, by its application's wish",
    joining: "waits to become a member of the group",
    starting: "starting; has not heard of a leader yet",
  };
  return texts[reason];
}
