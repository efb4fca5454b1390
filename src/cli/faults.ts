/**
 * Puts the faults of a configuration into words for standard error.
 *
 * Invariant: every fault is told, with its name, what was given and what is allowed; what was given is quoted and
 * escaped, so that a stray space or a control character is seen and changes nothing.
 *
 * Deliberately absent: JSON. These lines are for the person who starts the process, before there is a log.
 */
import { MAX_GIVEN_LENGTH } from "../base/limits.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Fault } from "../config/fault.ts";
import { flagOf, KEYS, VARIABLES } from "../config/variables.ts";

const CODE: ErrorCode = "config_invalid";
const FLAG_BY_NAME = new Map(KEYS.map((key) => [VARIABLES[key].name as string, flagOf(VARIABLES[key])]));

/** For standard error; ends with the line `see --help`. */
export function renderFaults(faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "one fault" : `${faults.length} faults`;
  const headline = `tenure: ${CODE}: the configuration has ${count}`;
  return `${[headline, ...faults.map(renderFault), "see --help"].join("\n")}\n`;
}

function renderFault(fault: Fault): string {
  const flag = FLAG_BY_NAME.get(fault.name);
  return [
    `  ${flag === undefined ? printable(fault.name) : `${fault.name} or ${flag}`}`,
    `    given:   ${givenOf(fault)}`,
    `    problem: ${printable(fault.problem)}`,
    `    allowed: ${printable(fault.allowed)}`,
  ].join("\n");
}

function givenOf({ given, from, name }: Fault): string {
  if (given === null) return "nothing";
  const cut = given.length > MAX_GIVEN_LENGTH ? `${given.slice(0, MAX_GIVEN_LENGTH)}…` : given;
  const where = from === null || from === name ? "" : ` (${printable(from)})`;
  // JSON escapes what stands below the space, and neither C1 controls nor what turns the direction of text.
  return `${shown(JSON.stringify(cut))}${where}`;
}

/** Names and messages can hold what was given, so they are cut and escaped as well. */
function printable(text: string): string {
  return shown(text.slice(0, 4 * MAX_GIVEN_LENGTH));
}

function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}
