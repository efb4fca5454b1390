/**
 * Colours, where there is a terminal that shows them.
 *
 * Invariant: colour adds nothing that the words do not say; without it, the text is the same.
 *
 * Deliberately absent: FORCE_COLOR. What is not a terminal gets plain text.
 */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "green" | "red" | "yellow";
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Coloured on a terminal, unless NO_COLOR is set to anything (no-color.org) or the terminal is a dumb one. */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const isWanted = (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return isTerminal && isWanted ? coloured : plain;
}
