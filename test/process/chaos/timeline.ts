/**
 * The timeline of a campaign as an SVG: a lane for each pod with what it claimed and what was done to it, and below
 * them the gaps without a holder.
 *
 * Invariant: pure. A row is ROW_MS long, so that a long campaign grows downwards and stays readable.
 *
 * Deliberately absent: scripts and fonts from elsewhere; a browser shows what a mark is when the mouse rests on it.
 */
import { gapsOf } from "./failovers.ts";
import { type FaultKind, rowOf } from "./kinds.ts";
import type { Claim, FaultRecord, Span } from "./record.ts";

export interface TimelineInput {
  readonly title: string;
  readonly names: readonly string[];
  readonly claims: readonly Claim[];
  readonly faults: readonly FaultRecord[];
  readonly whole: Span;
  /** Instants of violations, where they are known. */
  readonly marks: readonly { readonly atMs: number; readonly text: string }[];
}

const ROW_MS = 60_000;
const PX_PER_S = 20;
const LEFT = 64;
const TOP = 64;
const LANE = 26;
const BAR = 9;
const FAULT = 12;
const ROW_GAP = 30;
const FONT = 'font-family="sans-serif" font-size="10"';
const HOLDER_COLOURS = ["#2b6cb0", "#2f855a", "#b7791f", "#6b46c1", "#b83280", "#2c7a7b", "#c05621"];
const FAMILY_COLOURS = {
  process: "#c53030",
  application: "#718096",
  dns: "#0987a0",
  certificate: "#0987a0",
  clock: "#805ad5",
  links: "#dd6b20",
  network: "#dd6b20",
  disk: "#744210",
} as const;
const FAMILY_NAMES = { process: "process", network: "network", disk: "disk", dns: "DNS, certificates", clock: "clock" };
const DISK_KINDS: ReadonlySet<FaultKind> = new Set([
  "fsync-error",
  "slow-sync",
  "disk-full",
  "power-loss",
  "power-loss-all",
]);

export function renderTimeline(input: TimelineInput): string {
  const { names, whole } = input;
  const rows = Math.max(1, Math.ceil((whole.toMs - whole.fromMs) / ROW_MS));
  const rowHeight = (names.length + 1) * LANE + ROW_GAP;
  const width = LEFT + (ROW_MS / 1_000) * PX_PER_S + 20;
  const height = TOP + rows * rowHeight;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${FONT}>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${escape(input.title)}</text>`,
    legend(names),
  ];
  for (let row = 0; row < rows; row += 1) {
    const fromMs = whole.fromMs + row * ROW_MS;
    const span = { fromMs, toMs: Math.min(whole.toMs, fromMs + ROW_MS) };
    parts.push(...renderRow(input, span, TOP + row * rowHeight));
  }
  return `${[...parts, "</svg>"].join("\n")}\n`;
}

function renderRow({ names, claims, faults, whole, marks }: TimelineInput, span: Span, top: number): readonly string[] {
  const parts: string[] = [];
  const right = x(span.toMs, span);
  const bottom = top + (names.length + 1) * LANE;
  const toldS = (span.fromMs - whole.fromMs) / 1_000;
  for (let second = 0; second * 1_000 <= span.toMs - span.fromMs; second += 5) {
    const place = LEFT + second * PX_PER_S;
    parts.push(`<line x1="${place}" y1="${top}" x2="${place}" y2="${bottom}" stroke="#e2e8f0"/>`);
    parts.push(`<text x="${place}" y="${bottom + 11}" fill="#718096" text-anchor="middle">${toldS + second} s</text>`);
  }
  for (const [lane, name] of names.entries()) {
    const y = top + lane * LANE;
    parts.push(`<text x="6" y="${y + 17}">${escape(name)}</text>`);
    parts.push(`<line x1="${LEFT}" y1="${y + LANE - 1}" x2="${right}" y2="${y + LANE - 1}" stroke="#edf2f7"/>`);
    for (const fault of faults) if (fault.targets.includes(name)) parts.push(...faultBox(fault, span, y + 2));
    for (const claim of claims) {
      if (claim.name === name) parts.push(...claimBar(claim, span, y + 3 + FAULT, colourOf(lane)));
    }
  }
  const y = top + names.length * LANE + 4;
  parts.push(`<text x="6" y="${y + 10}" fill="#718096">no holder</text>`);
  for (const gap of gapsOf(claims, whole)) parts.push(...gapBar(gap, span, y));
  for (const { atMs, text } of marks) {
    if (atMs < span.fromMs || atMs >= span.toMs) continue;
    const place = x(atMs, span);
    const line = `x1="${place}" y1="${top - 4}" x2="${place}" y2="${bottom}" stroke="#e53e3e" stroke-width="2"`;
    parts.push(`<line ${line}><title>${escape(text)}</title></line>`);
  }
  return parts;
}

function faultBox(fault: FaultRecord, span: Span, y: number): readonly string[] {
  if (fault.kind === "clock-rate") return [];
  const endMs = fault.healed?.toMs ?? span.toMs;
  const clipped = clip({ fromMs: fault.injected.fromMs, toMs: endMs }, span);
  if (clipped === null) return [];
  const [left, width] = clipped;
  const colour = FAMILY_COLOURS[familyOf(fault.kind)];
  const told = `round ${fault.round}: ${fault.kind} of ${fault.targets.join(", ")}; ${fault.proof ?? "no effect seen"}`;
  const look = fault.proof === null ? `fill="none" stroke="${colour}"` : `fill="${colour}" fill-opacity="0.28"`;
  const place = `x="${left}" y="${y}" width="${width}" height="${FAULT}"`;
  const box = `<rect ${place} ${look}><title>${escape(told)}</title></rect>`;
  const shown = fault.kind.slice(0, Math.floor(width / 5));
  if (shown.length < 3) return [box];
  return [box, `<text x="${left + 1}" y="${y + 9}" font-size="9" fill="${colour}">${shown}</text>`];
}

function claimBar({ name, token, fromMs, untilMs }: Claim, span: Span, y: number, colour: string): readonly string[] {
  const clipped = clip({ fromMs, toMs: untilMs }, span);
  if (clipped === null) return [];
  const told = `${name} holds with token ${token} for ${Math.round(untilMs - fromMs)} ms`;
  const place = `x="${clipped[0]}" y="${y}" width="${clipped[1]}" height="${BAR}"`;
  return [`<rect ${place} fill="${colour}"><title>${told}</title></rect>`];
}

function gapBar(gap: Span, span: Span, y: number): readonly string[] {
  const clipped = clip(gap, span);
  if (clipped === null) return [];
  const [left, width] = clipped;
  const tookMs = Math.round(gap.toMs - gap.fromMs);
  const place = `x="${left}" y="${y}" width="${width}" height="${BAR}"`;
  const bar = `<rect ${place} fill="#f56565"><title>${tookMs} ms</title></rect>`;
  const isWide = width > 24;
  return isWide ? [bar, `<text x="${left + 2}" y="${y + 19}" font-size="8" fill="#c53030">${tookMs}</text>`] : [bar];
}

function legend(names: readonly string[]): string {
  const holders = names.map((name, lane) => ({ text: `${name} holds`, colour: colourOf(lane), opacity: 1 }));
  const families = Object.entries(FAMILY_NAMES).map(([family, text]) => ({
    text: `fault: ${text}`,
    colour: FAMILY_COLOURS[family as keyof typeof FAMILY_NAMES],
    opacity: 0.35,
  }));
  const all = [...holders, ...families, { text: "no holder, ms", colour: "#f56565", opacity: 1 }];
  let next = LEFT;
  return all
    .map(({ text, colour, opacity }) => {
      const left = next;
      next += 30 + text.length * 5.6;
      const swatch = `<rect x="${left}" y="32" width="10" height="10" fill="${colour}" fill-opacity="${opacity}"/>`;
      return `${swatch}<text x="${left + 14}" y="41">${escape(text)}</text>`;
    })
    .join("\n");
}

function familyOf(kind: FaultKind): keyof typeof FAMILY_COLOURS {
  if (DISK_KINDS.has(kind)) return "disk";
  if (kind === "resign") return "application";
  return rowOf(kind).facet ?? "network";
}

function colourOf(lane: number): string {
  return HOLDER_COLOURS[lane % HOLDER_COLOURS.length] ?? "#2b6cb0";
}

function x(atMs: number, span: Span): number {
  return round(LEFT + ((atMs - span.fromMs) / 1_000) * PX_PER_S);
}

/** Left edge and width; null when it is not in the span. Never thinner than a pixel, so that nothing goes unseen. */
function clip({ fromMs, toMs }: Span, span: Span): readonly [number, number] | null {
  if (toMs <= span.fromMs || fromMs >= span.toMs) return null;
  const left = x(Math.max(fromMs, span.fromMs), span);
  return [left, Math.max(1, round(x(Math.min(toMs, span.toMs), span) - left))];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
