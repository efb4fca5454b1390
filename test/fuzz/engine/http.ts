/**
 * Changes of the body of an HTTP message, as JSON. A head with a length says the new one, so that the message is read
 * to its end.
 *
 * Invariant: nothing else of the head changes.
 *
 * Deliberately absent: chunks. They are changed as bytes.
 */
import { changeJson } from "./json.ts";
import type { Mutator } from "./target.ts";

/** Between head and body. */
export const END = "\r\n\r\n";

/** Of the inputs that were worth keeping, the youngest lend parts of their bodies. */
const LENDERS = 20;

function bodyAt(input: Buffer): number {
  return input.indexOf(END) + END.length;
}

export const changeBody: Mutator = (input, dice, others) => {
  const at = bodyAt(input);
  const bodies = others.slice(-LENDERS).map((other) => other.subarray(bodyAt(other)));
  const body = changeJson(input.subarray(at), dice, bodies);
  const head = input.toString("latin1", 0, at).replace(/Content-Length: \d+/u, `Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
};
