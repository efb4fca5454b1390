/**
 * Blanks what is not code in a TypeScript text, so that a check by pattern sees code only.
 *
 * Invariant: the result has the length and the line ends of the text, so an offset means the same in both. Comments
 * become spaces; the contents of strings, templates and regular expressions become `FILL`; quotes and slashes stay, and
 * so does the code inside `${}`.
 *
 * Deliberately absent: a parser. Whether a `/` divides or begins a regular expression is decided by what stands before
 * it, which is right for code that oxlint accepts.
 */

export const FILL = "\u0000";

/** After one of these a value follows, so a `/` begins a regular expression. */
const BEFORE_VALUE = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|else|void|throw|await|yield))$/u;

interface Span {
  readonly end: number;
  /** Offsets of contents: from, to. */
  readonly fill: readonly [number, number];
}

function spanUntil(text: string, from: number, isEnd: (offset: number) => boolean): number {
  let offset = from;
  while (offset < text.length && !isEnd(offset)) offset += text[offset] === "\\" ? 2 : 1;
  return Math.min(offset, text.length);
}

function regexSpan(text: string, start: number): Span {
  let inClass = false;
  const end = spanUntil(text, start + 1, (offset) => {
    const character = text[offset];
    if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    return character === "\n" || (character === "/" && !inClass);
  });
  return { end: end + 1, fill: [start + 1, end] };
}

function quotedSpan(text: string, start: number): Span {
  const quote = text[start];
  const end = spanUntil(text, start + 1, (offset) => text[offset] === quote || text[offset] === "\n");
  return { end: end + 1, fill: [start + 1, end] };
}

/** From a backtick, or from the `}` that ends an insertion, to the next `${` or the closing backtick. */
function templateSpan(text: string, start: number): Span & { readonly opens: boolean } {
  const end = spanUntil(text, start + 1, (offset) => text[offset] === "`" || text.startsWith("${", offset));
  const opens = text.startsWith("${", end);
  return { end: end + (opens ? 2 : 1), fill: [start + 1, end], opens };
}

function commentEnd(text: string, start: number): number | null {
  if (text.startsWith("//", start)) return spanUntil(text, start, (offset) => text[offset] === "\n");
  if (!text.startsWith("/*", start)) return null;
  const close = text.indexOf("*/", start + 2);
  return close < 0 ? text.length : close + 2;
}

function blank(text: string, from: number, to: number, filler: string): string {
  return text.slice(from, to).replaceAll(/[^\n]/gu, (character) => filler.repeat(character.length));
}

/** See the head of this file. */
export function mask(text: string): string {
  let code = "";
  /** For each open `${`: how many braces inside it are open. */
  const insertions: number[] = [];
  const take = ({ end, fill: [from, to] }: Span): void => {
    code += text.slice(code.length, from) + blank(text, from, to, FILL) + text.slice(to, end);
  };
  const takeTemplate = (start: number): void => {
    const span = templateSpan(text, start);
    take(span);
    if (span.opens) insertions.push(0);
  };
  while (code.length < text.length) {
    const offset = code.length;
    const character = text.charAt(offset);
    const comment = commentEnd(text, offset);
    const depth = insertions.at(-1);
    if (comment !== null) code += blank(text, offset, comment, " ");
    else if (character === '"' || character === "'") take(quotedSpan(text, offset));
    else if (character === "`") takeTemplate(offset);
    else if (character === "/" && BEFORE_VALUE.test(code.trimEnd().slice(-10))) take(regexSpan(text, offset));
    else if (character === "}" && depth === 0) {
      insertions.pop();
      takeTemplate(offset);
    } else {
      if (depth !== undefined && character === "{") insertions[insertions.length - 1] = depth + 1;
      if (depth !== undefined && character === "}") insertions[insertions.length - 1] = depth - 1;
      code += character;
    }
  }
  return code;
}
