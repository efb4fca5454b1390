/**
 * Drives the core: inputs in one at a time, effects out in order.
 *
 * Invariant: nothing is sent or told before everything that the same and earlier steps persist is durable. Inputs that
 * wait while the disk syncs are stepped together afterwards and share one sync.
 *
 * Deliberately absent: retries. A disk that fails ends the run through `fail`; a message that cannot be sent is lost.
 */
import { MAX_INPUT_QUEUE } from "../base/limits.ts";
import { logIndex, type Member, type MonotonicMs } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Append, Storage } from "../ports/storage.ts";
import type { Core } from "../raft/core.ts";
import type { Effects, Input } from "../raft/effect.ts";
import type { CoreSnapshot, Entry } from "../raft/entry.ts";
import type { Message } from "../raft/message.ts";

export interface RunnerOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly saveSnapshot: (snapshot: CoreSnapshot) => Promise<void>;
  readonly send: (to: Member, message: Message) => void;
  /** After each batch, with everything durable and sent. */
  readonly done: (batch: readonly Effects[]) => void;
  /** The disk or the protocol failed: the process must end. */
  readonly fail: (error: unknown) => void;
}

interface Waiting {
  readonly input: Input;
  readonly done?: () => void;
}

export class CoreRunner {
  readonly #options: RunnerOptions;
  #queue: Waiting[] = [];
  #busy = false;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #wake: { readonly at: MonotonicMs; readonly cancel: () => void } | null = null;
  #syncingSince: MonotonicMs | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#arm();
  }

  /** False when the queue is full; only messages of peers may be dropped so. */
  offer(input: Input): boolean {
    if (this.#queue.length >= MAX_INPUT_QUEUE) return false;
    this.#push({ input });
    return true;
  }

  /** Resolves once the effects of this input have been carried out. */
  perform(input: Input): Promise<void> {
    return new Promise((resolve) => this.#push({ input, done: resolve }));
  }

  /** How long the disk has been busy with the present sync, in ms. */
  syncingMs(now: MonotonicMs): number {
    return this.#syncingSince === null ? 0 : now - this.#syncingSince;
  }

  /** Waits for the step under way; what is still queued is dropped, and whoever waits for it waits no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.cancel();
    this.#wake = null;
    await this.#running;
    for (const waiting of this.#queue.splice(0)) waiting.done?.();
  }

  #push(waiting: Waiting): void {
    if (this.#stopped) return waiting.done?.();
    this.#queue.push(waiting);
    // Not by `#running`, which is not set yet while the first batch calls back from within.
    if (!this.#busy) this.#running = this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#queue.length > 0 && !this.#stopped) await this.#batch();
      this.#arm();
    } catch (error) {
      this.#stopped = true;
      this.#options.fail(error);
    } finally {
      this.#busy = false;
    }
  }

  async #batch(): Promise<void> {
    const { core, clock, storage, saveSnapshot, send, done } = this.#options;
    const batch = this.#queue;
    this.#queue = [];
    const results = batch.map(({ input }) => core.step(input, clock.now()));
    for (const write of writesOf(results)) {
      this.#syncingSince = clock.monotonic();
      if (write.kind === "snapshot") await saveSnapshot(write.snapshot);
      else await storage.append(write.append);
      this.#syncingSince = null;
    }
    const last = results.flatMap(({ persist }) => persist?.entries ?? []).at(-1);
    if (last !== undefined) this.#queue.unshift({ input: { kind: "persisted", index: last.index, term: last.term } });
    for (const { send: messages } of results) for (const { to, message } of messages) send(to, message);
    done(results);
    for (const waiting of batch) waiting.done?.();
  }

  /** One timer, for the next instant at which time alone changes something. */
  #arm(): void {
    if (this.#stopped) return;
    const { core, clock } = this.#options;
    const at = core.wakeAt(clock.now());
    if (this.#wake?.at === at) return;
    this.#wake?.cancel();
    const cancel = clock.wakeAt(at, () => {
      this.#wake = null;
      this.offer({ kind: "tick" });
    });
    this.#wake = { at, cancel };
  }
}

type Write =
  { readonly kind: "append"; readonly append: Append } | { readonly kind: "snapshot"; readonly snapshot: CoreSnapshot };

/** What a batch makes durable, in order: each step's snapshot after its append, everything between them as one. */
function writesOf(results: readonly Effects[]): readonly Write[] {
  const writes: Write[] = [];
  let since = 0;
  const appendUpTo = (end: number): void => {
    const append = merge(results.slice(since, end));
    if (append !== null) writes.push({ kind: "append", append });
    since = end;
  };
  for (const [at, { snapshot }] of results.entries()) {
    if (snapshot === null) continue;
    appendUpTo(at + 1);
    writes.push({ kind: "snapshot", snapshot });
  }
  appendUpTo(results.length);
  return writes;
}

/** Several steps' appends as one, as if each had been made durable in turn. */
export function merge(results: readonly Effects[]): Append | null {
  const appends = results.flatMap(({ persist }) => (persist === null ? [] : [persist]));
  const first = appends[0];
  if (first === undefined || appends.length === 1) return first ?? null;
  let entries: readonly Entry[] = [];
  let truncateAfter = Number.POSITIVE_INFINITY;
  for (const append of appends) {
    const { truncateAfter: cut } = append;
    if (cut !== undefined) {
      // What this batch has added itself is not on the disk yet, so there is nothing to be cut off there.
      const onDisk = (entries[0]?.index ?? Number.POSITIVE_INFINITY) - 1;
      if (cut < onDisk) truncateAfter = Math.min(truncateAfter, cut);
      entries = entries.filter((entry) => entry.index <= cut);
    }
    entries = [...entries, ...append.entries];
  }
  const hardState = appends.findLast((append) => append.hardState !== undefined)?.hardState;
  return {
    ...(hardState === undefined ? {} : { hardState }),
    ...(Number.isFinite(truncateAfter) ? { truncateAfter: logIndex(truncateAfter) } : {}),
    entries,
  };
}
