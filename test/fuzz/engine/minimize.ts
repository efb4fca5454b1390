/**
 * Throws out of a corpus what the rest of it makes superfluous.
 *
 * Invariant: what is left reaches every block that the whole did, together with the seeds; then come short inputs whose
 * answers no other has given, up to MAX_EXTRA_BYTES.
 *
 * Deliberately absent: the smallest possible set. Short inputs first is near enough.
 */
import type { Coverage } from "./coverage.ts";
import type { Target } from "./target.ts";

/** A dozen corpora of this size are small. */
const MAX_EXTRA_BYTES = 4_000;

export async function minimized(
  target: Target,
  inputs: readonly Buffer[],
  coverage: Coverage,
): Promise<readonly Buffer[]> {
  const answers = new Set<string>();
  for (const seed of target.seeds) answers.add(await target.run(seed));
  await coverage.look(true);
  const kept: Buffer[] = [];
  const others: { readonly input: Buffer; readonly answer: string }[] = [];
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    const answer = await target.run(input);
    if (await coverage.look(true)) {
      answers.add(answer);
      kept.push(input);
    } else others.push({ input, answer });
  }
  let bytes = 0;
  for (const { input, answer } of others) {
    if (answers.has(answer) || bytes + input.length > MAX_EXTRA_BYTES) continue;
    answers.add(answer);
    bytes += input.length;
    kept.push(input);
  }
  return kept;
}
