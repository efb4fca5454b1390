/**
 * Files of inputs: one a line, as text; `\xNN` stands for a byte that is not printable ASCII, `\\` for a backslash.
 * Lines that begin with `#` say what the input below once broke.
 *
 * Invariant: every byte survives writing and reading.
 *
 * Deliberately absent: names of inputs. An input is its own name.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

export function toLine(input: Buffer): string {
  return [...input].map((byte, at) => charOf(byte, at === 0 || at === input.length - 1)).join("");
}

export function fromLine(line: string): Buffer {
  const plain = line.replaceAll(/\\(?:x([0-9a-f]{2})|\\)/gu, (_, hex: string | undefined) =>
    hex === undefined ? "\\" : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}

/** The inputs of a file; none where there is no such file. */
export function readInputs(path: string): readonly Buffer[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.filter((line) => !line.startsWith("#")).map(fromLine);
}

export function writeInputs(path: string, inputs: readonly Buffer[]): void {
  writeFileSync(path, inputs.map((input) => `${toLine(input)}\n`).join(""));
}

/** Printable ASCII as it is, but no space or `#` at an end: an editor cuts the one, a reader skips the other. */
function charOf(byte: number, isAtEnd: boolean): string {
  const char = String.fromCharCode(byte);
  if (char === "\\") return "\\\\";
  const isPlain = byte > 0x20 && byte < 0x7f && !(isAtEnd && char === "#");
  return isPlain || (byte === 0x20 && !isAtEnd) ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
}
