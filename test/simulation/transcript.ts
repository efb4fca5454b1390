/**
 * The last things that happened, for whoever reads a failure, and a fingerprint of all of them.
 *
 * Invariant: a line is put into words only when somebody reads it; the fingerprint covers every line ever added.
 *
 * Deliberately absent: the whole history. A seed replays it.
 */
const KEPT = 160;

interface Line {
  readonly atMs: number;
  readonly node: number;
  readonly words: () => string;
}

export class Transcript {
  readonly #lines: (Line | undefined)[] = Array.from({ length: KEPT });
  #count = 0;
  #fingerprint = 0;

  /** @param node its position; -1 for the world @param mark any number that tells this line from others */
  add(atMs: number, node: number, mark: number, words: () => string): void {
    this.#lines[this.#count % KEPT] = { atMs, node, words };
    this.#count += 1;
    this.#mix(Math.floor(atMs * 1_024));
    this.#mix(node * 65_537 + mark);
  }

  get fingerprint(): string {
    return this.#fingerprint.toString(16).padStart(8, "0");
  }

  get text(): string {
    const lines = [];
    for (let back = Math.min(KEPT, this.#count); back > 0; back -= 1) {
      const line = this.#lines[(this.#count - back) % KEPT];
      if (line === undefined) continue;
      const who = line.node < 0 ? "--" : `n${line.node}`;
      lines.push(`${line.atMs.toFixed(3).padStart(12)} ${who} ${line.words()}`);
    }
    return lines.join("\n");
  }

  #mix(value: number): void {
    this.#fingerprint = Math.imul(this.#fingerprint ^ (value >>> 0), 0x01000193) >>> 0;
    this.#fingerprint = (this.#fingerprint ^ (this.#fingerprint >>> 15)) >>> 0;
  }
}
