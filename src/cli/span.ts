/**
 * Spans of time for people.
 *
 * Invariant: two units at most, rounded down: "for 59 min 59 s", never an hour too early.
 *
 * Deliberately absent: instants. Wall clocks differ between pods, spans do not.
 */

const SECOND_MS = 1_000;
const UNITS = [
  { name: "d", ms: 86_400 * SECOND_MS },
  { name: "h", ms: 3_600 * SECOND_MS },
  { name: "min", ms: 60 * SECOND_MS },
  { name: "s", ms: SECOND_MS },
] as const;

/** `durationMs` from 0 up: "17 ms", "12 s", "3 min 5 s", "3 h", "5 d 2 h". */
export function span(durationMs: number): string {
  const at = UNITS.findIndex(({ ms }) => durationMs >= ms);
  const unit = UNITS[at];
  if (unit === undefined) return `${Math.floor(durationMs)} ms`;
  const first = `${Math.floor(durationMs / unit.ms)} ${unit.name}`;
  const finer = UNITS[at + 1];
  const rest = finer === undefined ? 0 : Math.floor((durationMs % unit.ms) / finer.ms);
  return finer === undefined || rest === 0 ? first : `${first} ${rest} ${finer.name}`;
}
