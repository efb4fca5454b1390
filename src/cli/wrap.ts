/**
 * Breaks text into lines for a terminal, and makes text from elsewhere safe to print there.
 *
 * Invariant: no word is cut, so what is to be copied stays whole; nothing that passes `printable` moves the cursor.
 *
 * Deliberately absent: the width of the terminal. The text is the same everywhere.
 */

/** What a terminal has at least. */
export const TERMINAL_WIDTH = 80;

/** The words of `text` in lines of up to `width` columns, each after `indent`. */
export function wrapped(text: string, indent: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    const isFirst = line === indent;
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Names, versions and messages come from other processes: control and format characters are shown, never obeyed. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}
