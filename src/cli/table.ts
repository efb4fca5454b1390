/**
 * Tables of text.
 *
 * Invariant: columns are as wide as their longest cell, and no line ends in blanks. Widths are counted before colours
 * are put on.
 *
 * Deliberately absent: cutting. A name that is cut cannot be copied.
 */
import type { Paint, Style } from "./paint.ts";

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Column {
  readonly title: string;
  /** Numbers are flush right. */
  readonly flushRight?: boolean;
}

const GAP = "  ";

/** Lines without line breaks, the titles first. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): readonly string[] {
  const titles = columns.map(({ title }): Cell => ({ text: title, style: "dim" }));
  const widths = columns.map((_, at) => Math.max(...[titles, ...rows].map((row) => row[at]?.text.length ?? 0)));
  return [titles, ...rows].map((row) => {
    const cells = columns.map(({ flushRight = false }, at) => {
      const { text, style } = row[at] ?? { text: "" };
      const isLast = at === columns.length - 1;
      const blanks = " ".repeat((widths[at] ?? 0) - text.length);
      const painted = style === undefined ? text : paint(style, text);
      if (flushRight) return blanks + painted;
      return isLast ? painted : painted + blanks;
    });
    return cells.join(GAP);
  });
}
