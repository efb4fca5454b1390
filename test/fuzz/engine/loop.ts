/**
 * The loop: takes an input that was worth keeping, changes it, runs it, and keeps it when it led to something new: an
 * answer that no input gave before, or a block of code that no input reached before.
 *
 * Asking V8 for its counts costs as much as a hundred inputs, so it is asked once for a whole batch, and batches grow
 * while nothing is new; only when a batch has reached something is it run again, in halves, to find which of its inputs
 * did.
 *
 * Invariant: the inputs of a run depend on its seed and on what was kept; with `coverage` null, on its seed alone.
 *
 * Deliberately absent: threads. Start it twice with two seeds.
 */
import { Dice } from "./dice.ts";
import type { Coverage } from "./coverage.ts";
import { faultOf, shrink } from "./shrink.ts";
import type { Target } from "./target.ts";

const FIRST_BATCH = 256;
const MAX_BATCH = 4_096;
/** A new answer alone keeps no more than this: messages can differ without end. */
const MAX_ANSWERS = 4_000;
const MAX_POOL = 6_000;
const RECENT = 64;
/** Findings of other kinds may be worth seeing in the same run. */
const MAX_FINDINGS = 5;

export interface Campaign {
  readonly target: Target;
  readonly seed: number;
  /** Inputs from earlier runs. */
  readonly corpus: readonly Buffer[];
  readonly coverage: Coverage | null;
  /** Ends the run after the batch in which it says so. */
  readonly isOver: (inputs: number) => boolean;
  readonly progress?: (progress: Progress) => void;
  /** Told of each input before it runs, and with null when none is under way. */
  readonly watch?: (input: Buffer | null) => void;
  /** Inputs between two looks at `isOver`, to begin with. */
  readonly batch?: number;
}

export interface Progress {
  readonly inputs: number;
  readonly kept: number;
  readonly answers: number;
  readonly findings: number;
}

export interface FoundFault {
  readonly input: Buffer;
  readonly fault: string;
}

export interface Result extends Progress {
  /** What was kept, in the order in which it was found, the corpus not included. */
  readonly fresh: readonly Buffer[];
  readonly faults: readonly FoundFault[];
  readonly slowestMs: number;
  readonly slowest: Buffer;
}

export async function fuzz(campaign: Campaign): Promise<Result> {
  return new Fuzzer(campaign).run();
}

class Fuzzer {
  readonly #campaign: Campaign;
  readonly #dice: Dice;
  readonly #pool: Buffer[];
  readonly #fresh: Buffer[] = [];
  readonly #answers = new Set<string>();
  readonly #faults = new Map<string, Buffer>();
  #inputs = 0;
  #slowestMs = 0;
  #slowest: Buffer = Buffer.alloc(0);

  constructor(campaign: Campaign) {
    this.#campaign = campaign;
    this.#dice = new Dice(campaign.seed);
    this.#pool = [...campaign.target.seeds, ...campaign.corpus];
  }

  async run(): Promise<Result> {
    const { isOver, progress, batch: first = FIRST_BATCH } = this.#campaign;
    const start = [...this.#pool];
    for (let at = 0; at < start.length; at += first) await this.#batch(start.slice(at, at + first), true);
    let size = first;
    while (!isOver(this.#inputs) && this.#faults.size < MAX_FINDINGS) {
      const kept = this.#fresh.length;
      await this.#batch(
        Array.from({ length: size }, () => this.#next()),
        false,
      );
      size = this.#fresh.length > kept ? first : Math.min(MAX_BATCH, 2 * size);
      progress?.(this.#progress());
    }
    const faults = await Promise.all(
      [...this.#faults].map(async ([fault, input]) => ({
        fault,
        input: await shrink(this.#campaign.target, input, fault),
      })),
    );
    const slow = { slowestMs: this.#slowestMs, slowest: this.#slowest };
    return { ...this.#progress(), fresh: this.#fresh, faults, ...slow };
  }

  #progress(): Progress {
    const counts = { kept: this.#pool.length, answers: this.#answers.size, findings: this.#faults.size };
    return { inputs: this.#inputs, ...counts };
  }

  /** From the seeds, which are good as they are; from what was found lately; or from all that was kept. */
  #next(): Buffer {
    const dice = this.#dice;
    const { seeds, mutate } = this.#campaign.target;
    const size = this.#pool.length;
    const recent = this.#pool.slice(Math.max(0, size - RECENT));
    const from = dice.pick<readonly Buffer[]>([seeds, recent, this.#pool]);
    return mutate(dice.pickOr(from, seeds[0]), dice, this.#pool);
  }

  async #batch(inputs: readonly Buffer[], isOld: boolean): Promise<void> {
    const { coverage, target } = this.#campaign;
    const width = target.parallel ?? 1;
    for (let at = 0; at < inputs.length; at += width) {
      const few = inputs.slice(at, at + width);
      if (width === 1) for (const input of few) await this.#try(input, isOld);
      else await Promise.all(few.map((input) => this.#try(input, isOld)));
    }
    this.#inputs += inputs.length;
    this.#campaign.watch?.(null);
    if (coverage === null || !(await coverage.look(false))) return;
    if (isOld) for (const input of inputs) await faultOf(target, input);
    else await this.#attribute(inputs, coverage);
    await coverage.look(true);
  }

  async #try(input: Buffer, isOld: boolean): Promise<void> {
    this.#campaign.watch?.(input);
    const startMs = performance.now();
    try {
      const running = this.#campaign.target.run(input);
      const answer = typeof running === "string" ? running : await running;
      if (!this.#answers.has(answer) && this.#answers.size < MAX_ANSWERS) {
        this.#answers.add(answer);
        if (!isOld) this.#keep(input);
      }
    } catch {
      const fault = await faultOf(this.#campaign.target, input);
      const words = fault ?? "threw once, and not when it was run again";
      if (!this.#faults.has(words)) this.#faults.set(words, input);
    }
    const tookMs = performance.now() - startMs;
    if (tookMs <= this.#slowestMs) return;
    this.#slowestMs = tookMs;
    this.#slowest = input;
  }

  #keep(input: Buffer): void {
    if (this.#fresh.at(-1) === input) return;
    this.#fresh.push(input);
    if (this.#pool.length < MAX_POOL) this.#pool.push(input);
    else this.#pool[this.#dice.below(MAX_POOL)] = input;
  }

  /** Finds the inputs of a batch that reach something new, by running it again in halves. */
  async #attribute(inputs: readonly Buffer[], coverage: Coverage): Promise<void> {
    for (const input of inputs) await faultOf(this.#campaign.target, input);
    const [only] = inputs;
    const isNew = await coverage.look(inputs.length === 1);
    if (!isNew || only === undefined) return;
    if (inputs.length === 1) return this.#keep(only);
    const middle = inputs.length >> 1;
    await this.#attribute(inputs.slice(0, middle), coverage);
    await this.#attribute(inputs.slice(middle), coverage);
  }
}
