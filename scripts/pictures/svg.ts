/**
 * Small pieces of SVG, and numbers as people read them.
 *
 * Invariant: what is written is valid XML whatever the texts hold; coordinates have one decimal, so files stay small.
 *
 * Deliberately absent: a library. Rectangles, lines and texts are all that these pictures are made of.
 */
export const FONT = "font-family='DejaVu Sans, Verdana, sans-serif'";
export const INK = "#24292f";
export const FAINT = "#6e7781";
export const GRID = "#e6e8eb";
export const PALETTE = [
  "#3274d9",
  "#e0752d",
  "#299c46",
  "#a352cc",
  "#d44a3a",
  "#0f8c8c",
  "#b8860b",
  "#7a7f85",
] as const;

/** Names of colours as the dashboard has them. */
const NAMED: Readonly<Record<string, string>> = {
  green: "#56a64b",
  red: "#e02f44",
  blue: "#3274d9",
  orange: "#ff9830",
  text: INK,
};

export const colourOf = (name: string): string => NAMED[name] ?? name;
export const px = (value: number): string => String(Math.round(value * 10) / 10);

export function escape(raw: string): string {
  return raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("'", "&#39;");
}

export interface TextStyle {
  readonly size?: number;
  readonly colour?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly weight?: "normal" | "bold";
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 11, colour = INK, anchor = "start", weight = "normal" } = style;
  const look = `font-size='${size}' fill='${colour}' text-anchor='${anchor}' font-weight='${weight}'`;
  return `<text x='${px(x)}' y='${px(y)}' ${look}>${escape(words)}</text>`;
}

export function rect(x: number, y: number, w: number, h: number, fill: string, more = ""): string {
  return `<rect x='${px(x)}' y='${px(y)}' width='${px(w)}' height='${px(h)}' fill='${fill}' ${more}/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, more = ""): string {
  return `<line x1='${px(x1)}' y1='${px(y1)}' x2='${px(x2)}' y2='${px(y2)}' stroke='${stroke}' ${more}/>`;
}

const trim = (value: number, decimals: number): string => String(Number(value.toFixed(decimals)));

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${trim(value * 1e6, 0)} µs`;
  if (size < 1) return `${trim(value * 1e3, size < 0.01 ? 2 : 0)} ms`;
  if (size < 90) return `${trim(value, 2)} s`;
  if (size < 5_400) return `${trim(value / 60, 1)} min`;
  return size < 172_800 ? `${trim(value / 3_600, 1)} h` : `${trim(value / 86_400, 1)} days`;
}

export function format(value: number, unit: string, decimals: number | undefined): string {
  if (unit === "s") return seconds(value);
  if (unit === "percentunit") return `${trim(value * 100, Math.abs(value) < 0.001 ? 4 : 1)} %`;
  if (unit === "bytes") return `${trim(value / 2 ** 20, 0)} MiB`;
  return trim(value, decimals ?? 2);
}

/** Round numbers that cover a span: at most `most` steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, most: number): readonly number[] {
  const span = high - low || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor((high - first * step) / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
}
