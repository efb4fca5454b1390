/**
 * Durations as users write them: a number and a unit, `250ms`, `2s`, `1.5s`, `1m`, `1h`.
 *
 * Invariant: a duration is a whole number of milliseconds. A bare number is refused, because it means seconds to one
 * reader and milliseconds to the next; 0 means the same in every unit and needs none.
 *
 * Deliberately absent: sums such as `1m30s` (90s says the same), and units below the millisecond.
 */
import { bad, good, type Kind, type Parsed } from "./kind.ts";

const UNITS_MS = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);
const DURATION = /^(\d{1,12}(?:\.\d{1,12})?)([a-z]{0,2})$/i;
const ROUNDING_MS = 1e-6;

/** Both bounds are included; 0 is allowed only where `minMs` is 0. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const least = minMs === 0 ? "0" : formatDuration(minMs);
  return {
    allowed: `a duration from ${least} to ${formatDuration(maxMs)} with its unit: ms, s, m or h`,
    parse: (text) => {
      const parsed = parseDuration(text);
      if (!parsed.ok) return parsed;
      if (parsed.value < minMs) return bad(`shorter than ${least}`);
      return parsed.value > maxMs ? bad(`longer than ${formatDuration(maxMs)}`) : parsed;
    },
  };
}

/** The duration in whole milliseconds. */
export function parseDuration(text: string): Parsed<number> {
  const match = DURATION.exec(text);
  if (match === null) return bad("not a duration");
  const [, digits = "", unit = ""] = match;
  const amount = Number(digits);
  if (unit === "") {
    return amount === 0 ? good(0) : bad(`a number without its unit: add one, as in ${digits}ms or ${digits}s`);
  }
  const unitMs = UNITS_MS.get(unit);
  if (unitMs === undefined) return bad(`"${unit}" is not a unit known here`);
  const exactMs = amount * unitMs;
  const wholeMs = Math.round(exactMs);
  return Math.abs(exactMs - wholeMs) > ROUNDING_MS ? bad("not a whole number of milliseconds") : good(wholeMs);
}

/** The shortest way to write it: `2s`, `1.5s`, `300ms`, `1h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs >= 3_600_000 && durationMs % 3_600_000 === 0) return `${durationMs / 3_600_000}h`;
  if (durationMs >= 60_000 && durationMs % 60_000 === 0) return `${durationMs / 60_000}m`;
  if (durationMs >= 1_000 && durationMs % 100 === 0) return `${durationMs / 1_000}s`;
  return `${durationMs}ms`;
}
