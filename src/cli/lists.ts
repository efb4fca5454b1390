/**
 * The tables of members and of past tenures.
 *
 * Invariant: one row for each of what the sidecar told, in its order.
 *
 * Deliberately absent: sorting and filtering; --json and jq do that.
 */
import type { History, ListedMember } from "./answers.ts";
import type { Paint } from "./paint.ts";
import { span } from "./span.ts";
import { type Cell, renderTable } from "./table.ts";
import { printable } from "./wrap.ts";

/** Enough of an incarnation to tell it from another; all of it is in --json. */
const SHOWN_ID_LENGTH = 12;

const UNKNOWN: Cell = { text: "-", style: "dim" };

/** @param holder the name of the lock's holder, as this pod knows it */
export function memberTable(
  members: readonly ListedMember[],
  holder: string | null,
  paint: Paint,
  { withId = false }: { readonly withId?: boolean } = {},
): readonly string[] {
  const columns = [
    { title: "NAME" },
    { title: "ROLE" },
    { title: "MEMBER" },
    { title: "CONTACT" },
    { title: "VERSION" },
    { title: "MATCH", flushRight: true },
    ...(withId ? [{ title: "INCARNATION" }] : []),
  ];
  const rows = members.map((member): readonly Cell[] => [
    { text: printable(member.name), ...(member.name === holder ? { style: "green" as const } : {}) },
    { text: roleOf(member, holder) },
    { text: member.voter ? "voter" : "learner" },
    contactOf(member),
    member.version === null ? UNKNOWN : { text: printable(member.version) },
    member.matchIndex === null ? UNKNOWN : { text: String(member.matchIndex) },
    ...(withId ? [{ text: printable(member.id.slice(0, SHOWN_ID_LENGTH)) }] : []),
  ]);
  return renderTable(columns, rows, paint);
}

function roleOf({ role, name, eligible }: ListedMember, holder: string | null): string {
  const words = [role, ...(name === holder ? ["holder"] : []), ...(eligible === false ? ["ineligible"] : [])];
  return printable(words.join(", "));
}

/** Followers have little to say to each other: while there is a connection, older words than this mean nothing. */
const TELLING_CONTACT_MS = 10_000;

function contactOf({ self, connected, lastContactMs }: ListedMember): Cell {
  if (self) return { text: "this pod" };
  const ago = lastContactMs === null ? null : `${span(lastContactMs)} ago`;
  if (connected) return { text: ago !== null && (lastContactMs ?? 0) < TELLING_CONTACT_MS ? ago : "connected" };
  return { text: ago === null ? "never" : `lost, ${ago}`, style: "red" };
}

export function historyTable({ tenures }: History, paint: Paint): readonly string[] {
  if (tenures.length === 0) return ["no tenure yet, as far as this pod knows"];
  const columns = [{ title: "TOKEN", flushRight: true }, { title: "HOLDER" }, { title: "TERM", flushRight: true }];
  const rows = tenures.map(({ token, name, term, end }): readonly Cell[] => [
    { text: String(token) },
    { text: printable(name) },
    { text: String(term) },
    { text: printable(end), ...(end === "current" ? { style: "green" as const } : {}) },
  ]);
  return renderTable([...columns, { title: "END" }], rows, paint);
}
