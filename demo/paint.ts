/**
 * Colours, and text that fits: a line is made of cells, each cut and padded before it is coloured.
 *
 * Invariant: without colours no escape sequence is made; the width of a text is its number of characters, so only
 * characters of width one are used.
 *
 * Deliberately absent: cursor movement; see terminal.ts.
 */

const CODES = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36", inverse: "7" } as const;
export type Style = keyof typeof CODES;

export interface Cell {
  readonly text: string;
  readonly style?: Style | null;
  /** 0: as long as it is. */
  readonly width?: number;
  readonly right?: boolean;
}

export interface Paper {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
  /** Whether the terminal can show more than ASCII. */
  readonly unicode: boolean;
}

/** The cells in a row, cut at the right edge. */
export function lineOf(cells: readonly Cell[], { columns, colours }: Paper): string {
  let line = "";
  let left = columns;
  for (const { text, style = null, width = 0, right = false } of cells) {
    const fitted = width === 0 ? text : fit(text, width, right);
    const shown = fitted.slice(0, Math.max(0, left));
    left -= shown.length;
    line += colours && style !== null && shown.trim() !== "" ? `\u001B[${CODES[style]}m${shown}\u001B[0m` : shown;
  }
  return line;
}

function fit(text: string, width: number, right: boolean): string {
  const cut = text.slice(0, width);
  return right ? cut.padStart(width) : cut.padEnd(width);
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of `width` characters, filled up to `share` (0 to 1). */
export function bar(share: number, width: number, unicode: boolean): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  if (!unicode) return "#".repeat(Math.round(eighths / 8)).padEnd(width, ".");
  const full = "█".repeat(Math.floor(eighths / 8));
  return `${full}${EIGHTHS[eighths % 8] ?? ""}`.padEnd(width, "·");
}
