/**
 * Handlers of a transport that write down what they are told, and a way to wait for it.
 *
 * Invariant: `until` is woken by each event, never by the clock; its timeout only ends a test that has failed.
 *
 * Deliberately absent: expectations. The tests state them on `events`.
 */
import type { ErrorCode } from "../../src/base/errors.ts";
import type { MemberId } from "../../src/base/types.ts";
import { memberId } from "../../src/base/types.ts";
import type { LocalPeer, PeerMessage, TransportHandlers } from "../../src/ports/transport.ts";
import type { Member } from "../../src/raft/entry.ts";

export type SeenEvent =
  | { readonly kind: "message"; readonly from: Member; readonly message: PeerMessage; readonly groupId: string | null }
  | { readonly kind: "connected"; readonly peer: Member; readonly groupId: string | null; readonly version: string }
  | { readonly kind: "disconnected"; readonly name: string }
  | { readonly kind: "fault"; readonly code: ErrorCode; readonly peer: string; readonly message: string }
  | { readonly kind: "roundTrip"; readonly name: string; readonly durationMs: number };

const PATIENCE_MS = 10_000;

export class Recorder implements TransportHandlers {
  readonly events: SeenEvent[] = [];
  #waiting: (() => void)[] = [];

  message(from: Member, message: PeerMessage, groupId: string | null): void {
    this.#add({ kind: "message", from, message, groupId });
  }

  connected(peer: Member, groupId: string | null, version: string): void {
    this.#add({ kind: "connected", peer, groupId, version });
  }

  disconnected(name: string): void {
    this.#add({ kind: "disconnected", name });
  }

  fault(code: ErrorCode, peer: string, message: string): void {
    this.#add({ kind: "fault", code, peer, message });
  }

  roundTrip(name: string, durationMs: number): void {
    this.#add({ kind: "roundTrip", name, durationMs });
  }

  of<Kind extends SeenEvent["kind"]>(kind: Kind): Extract<SeenEvent, { readonly kind: Kind }>[] {
    return this.events.filter((event): event is Extract<SeenEvent, { readonly kind: Kind }> => event.kind === kind);
  }

  faults(code?: ErrorCode): Extract<SeenEvent, { readonly kind: "fault" }>[] {
    return this.of("fault").filter((event) => code === undefined || event.code === code);
  }

  messages(): PeerMessage[] {
    return this.of("message").map((event) => event.message);
  }

  /** Forgets what was seen so far. */
  clear(): void {
    this.events.length = 0;
  }

  /** Resolves once `condition` holds; asked now and after each event. */
  async until(condition: () => boolean, what = condition.toString()): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!condition()) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`not seen within ${PATIENCE_MS} ms: ${what}\n${JSON.stringify(this.events)}`);
      await this.#next(leftMs);
    }
  }

  async untilConnected(name: string): Promise<void> {
    await this.until(() => this.of("connected").some((event) => event.peer.name === name), `connected to ${name}`);
  }

  async untilFault(code: ErrorCode): Promise<void> {
    await this.until(() => this.faults(code).length > 0, `a fault ${code}`);
  }

  #add(event: SeenEvent): void {
    this.events.push(event);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #next(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

export const GROUP_ID = "0123456789abcdef0123456789abcdef";
export const OTHER_GROUP_ID = "f".repeat(32);

/** An incarnation that differs by its number. */
export function idOf(number: number): MemberId {
  return memberId(number.toString(16).padStart(32, "0"));
}

export function localPeer(name: string, number: number, changes: Partial<LocalPeer> = {}): LocalPeer {
  return { group: "app", groupId: GROUP_ID, self: { id: idOf(number), name }, version: "0.1.0", ...changes };
}
