/**
 * The picture: the group as a table, the ledger, the last events and the keys.
 *
 * Invariant: pure; exactly as many lines as there are rows, none wider than the terminal. Everything essential fits
 * 80 by 24; a larger terminal gets longer bars, the number of writes and more events.
 *
 * Deliberately absent: reading anything; see live.ts.
 */
import { clockText, type Line, type Tone } from "./journal.ts";
import { bar, type Cell, lineOf, type Paper, type Style } from "./paint.ts";

export interface MemberPicture {
  readonly name: string;
  readonly isSelected: boolean;
  /** As last seen; null: nothing was, or there is nobody any more. */
  readonly role: string | null;
  readonly state: string;
  /** Whether it answers: otherwise role and term are what it said last. */
  readonly isFresh: boolean;
  readonly term: number | null;
  /** Null without a lease. */
  readonly token: number | null;
  readonly leaseLeftMs: number;
  readonly worker: string;
  readonly writes: number;
  readonly refused: number;
}

export interface Picture {
  readonly sinceMs: number;
  readonly leaseDurationMs: number;
  readonly heartbeatIntervalMs: number;
  /** What a full bar stands for. */
  readonly usableLeaseMs: number;
  readonly members: readonly MemberPicture[];
  /** The member whose lease runs, or null and why there is none. */
  readonly holder: string | null;
  readonly whyNobody: string;
  readonly writes: number;
  readonly highestToken: number;
  readonly refused: number;
  readonly tenures: number;
  readonly faults: readonly string[];
  /** Oldest first; the last ones are shown. */
  readonly events: readonly Line[];
}

const KEYS = [
  [
    ["1 2 3", "choose"],
    ["Tab", "the holder"],
    ["h", "hand over"],
    ["p", "pause/continue"],
    ["c", "cut off/join"],
  ],
  [
    ["z", "freeze/thaw"],
    ["k", "kill -9"],
    ["w", "kill worker"],
    ["t", "SIGTERM"],
    ["r", "restart"],
    ["q", "quit"],
  ],
] as const;

const TONES: Readonly<Record<Tone, Style | null>> = { deed: "cyan", event: null, refusal: "yellow", trouble: "red" };
const MIN_BAR = 8;
const MAX_BAR = 32;
/** The columns of a table with the smallest bar and without the number of writes. */
const TABLE_COLUMNS = 80;
const WRITES_WIDTH = 9;
/** " 1.23" behind a bar. */
const SECONDS_WIDTH = 5;

export function draw(picture: Picture, paper: Paper): readonly string[] {
  const rule = lineOf([{ text: (paper.unicode ? "─" : "-").repeat(paper.columns), style: "dim" }], paper);
  const head = [
    titleLine(picture, paper),
    "",
    headLine(paper),
    ...picture.members.map((member) => memberLine(member, picture, paper)),
    "",
    lineOf([{ text: " holder   " }, { text: picture.holder ?? picture.whyNobody, style: "bold" }], paper),
    ledgerLine(picture, paper),
    verdictLine(picture, paper),
    rule,
  ];
  const foot = [rule, ...KEYS.map((keys) => keysLine(keys, paper))];
  const room = Math.max(0, paper.rows - head.length - foot.length);
  const events = room === 0 ? [] : picture.events.slice(-room).map((event) => eventLine(event, paper));
  const blank = Array.from({ length: room - events.length }, () => "");
  return [...head, ...events, ...blank, ...foot].slice(0, paper.rows);
}

function titleLine({ sinceMs, leaseDurationMs, heartbeatIntervalMs }: Picture, paper: Paper): string {
  const seconds = Math.floor(sinceMs / 1_000);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const settings = `  lease ${leaseDurationMs} ms, heartbeat every ${heartbeatIntervalMs} ms`;
  const width = Math.max(0, paper.columns - " tenure demo".length - time.length - 1);
  return lineOf([{ text: " tenure demo", style: "bold" }, { text: settings, width }, { text: time }], paper);
}

/** The widths of what grows with the terminal. */
function widthsOf({ columns }: Paper): { readonly bar: number; readonly writes: number } {
  const writes = columns >= TABLE_COLUMNS + WRITES_WIDTH ? WRITES_WIDTH : 0;
  return { bar: Math.min(MAX_BAR, Math.max(MIN_BAR, columns - TABLE_COLUMNS - writes + MIN_BAR)), writes };
}

function row(texts: readonly string[], styles: readonly (Style | null)[], paper: Paper): readonly Cell[] {
  const widths = widthsOf(paper);
  // Mark, member, role, state, term, gap, token, lease, gap, worker, refused, writes.
  const columns = [2, 6, 11, 9, 4, 2, 16, widths.bar + SECONDS_WIDTH, 2, 7, 8, widths.writes];
  const right = new Set([4, 10, 11]);
  return columns.flatMap((width, column): Cell[] => {
    if (width === 0) return [];
    return [{ text: texts[column] ?? "", style: styles[column] ?? null, width, right: right.has(column) }];
  });
}

function headLine(paper: Paper): string {
  const titles = ["", "pod", "role", "state", "term", "", "token", "lease", "", "worker", "refused", "writes"];
  return lineOf(
    row(
      titles,
      titles.map(() => "dim"),
      paper,
    ),
    paper,
  );
}

function memberLine(member: MemberPicture, { usableLeaseMs }: Picture, paper: Paper): string {
  const { leaseLeftMs, isFresh, role } = member;
  const holds = leaseLeftMs > 0;
  const width = widthsOf(paper).bar;
  const seconds = holds ? (leaseLeftMs / 1_000).toFixed(2).padStart(SECONDS_WIDTH) : "";
  const roleText = role === null ? "-" : isFresh ? role : `${role}?`;
  const texts = [
    member.isSelected ? (paper.unicode ? "▸" : ">") : "",
    member.name,
    roleText,
    member.state,
    member.term === null ? "-" : String(member.term),
    "",
    holds ? String(member.token) : "-",
    bar(leaseLeftMs / usableLeaseMs, width, paper.unicode) + seconds,
    "",
    member.worker,
    String(member.refused),
    String(member.writes),
  ];
  const ofName: Style | null = member.isSelected ? "bold" : null;
  const ofRole: Style | null = !isFresh ? "dim" : role === "leader" ? "bold" : null;
  const ofRefused: Style | null = member.refused > 0 ? "yellow" : null;
  const ofLease: Style = !holds ? "dim" : isFresh && member.state === "running" ? "green" : "yellow";
  const ofState = styleOfState(member.state);
  const ofWorker = styleOfWorker(member.worker);
  const styles = ["bold", ofName, ofRole, ofState, null, null, null, ofLease, null, ofWorker, ofRefused] as const;
  return lineOf(row(texts, styles, paper), paper);
}

function styleOfState(state: string): Style | null {
  if (state === "running") return null;
  return state === "dead" ? "red" : "yellow";
}

function styleOfWorker(worker: string): Style | null {
  if (worker === "writing") return "green";
  return worker === "refused" ? "red" : null;
}

function ledgerLine({ writes, highestToken, refused }: Picture, paper: Paper): string {
  const token = highestToken === 0 ? "-" : String(highestToken);
  const text = ` ledger   ${writes} writes, highest token ${token}, ${refused} refused as stale`;
  return lineOf([{ text }], paper);
}

function verdictLine({ tenures, faults }: Picture, paper: Paper): string {
  const [fault] = faults;
  if (fault !== undefined) return lineOf([{ text: ` FAULT    ${fault}`, style: "red" }], paper);
  const count = `${tenures} tenure${tenures === 1 ? "" : "s"}`;
  const text = ` check    ${count}: never two holders at once, tokens only rose`;
  return lineOf([{ text, style: "green" }], paper);
}

function eventLine({ atMs, tone, text }: Line, paper: Paper): string {
  return lineOf(
    [
      { text: `${clockText(atMs)}  `, style: "dim" },
      { text, style: TONES[tone] },
    ],
    paper,
  );
}

function keysLine(keys: readonly (readonly [string, string])[], paper: Paper): string {
  const cells = keys.flatMap(([key, meaning]): readonly Cell[] => [
    { text: ` ${key}`, style: "bold" },
    { text: ` ${meaning} ` },
  ]);
  return lineOf(cells, paper);
}
