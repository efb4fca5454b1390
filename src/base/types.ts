/**
 * The branded types that keep terms, indexes, identities, instants and tokens from being mixed up.
 *
 * Invariant: a value of a branded type was checked once by its constructor here. Constructors assert, because bytes
 * from outside are validated before they get here (see the codecs).
 *
 * Deliberately absent: wall-clock instants. No rule of the protocol uses one.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A Raft term: an integer, 0 before the first election. */
export type Term = Brand<number, "Term">;

/** The position of a log entry: an integer, 1 for the first entry, 0 for "before the log". */
export type LogIndex = Brand<number, "LogIndex">;

/** The incarnation of a member: 128 random bits as 32 lower-case hexadecimal digits. */
export type MemberId = Brand<string, "MemberId">;

/** An instant on this node's CLOCK_MONOTONIC in milliseconds (with fractions). Never compared between nodes. */
export type MonotonicMs = Brand<number, "MonotonicMs">;

/**
 * An instant on this node's *holder clock* in milliseconds: the fastest of CLOCK_MONOTONIC and the boot-time clock,
 * so that a suspended machine does not stretch its own lease. Never compared with a `MonotonicMs`.
 */
export type HolderMs = Brand<number, "HolderMs">;

/** A fencing token: a positive integer up to 2^53 - 1 that is larger for every later tenure. */
export type FencingToken = Brand<number, "FencingToken">;

/** One reading of both clocks, taken together. Every input of the core carries one. */
export interface Now {
  /** For promises, waits and election timeouts. */
  readonly monotonicMs: MonotonicMs;
  /** For the holder's own lease only. */
  readonly holderMs: HolderMs;
}

/** One incarnation of a pod. The name is for people, for DNS and for certificates; the id is the identity. */
export interface Member {
  readonly id: MemberId;
  readonly name: string;
}

const MEMBER_ID = /^[0-9a-f]{32}$/;

export function isMemberId(value: string): value is MemberId {
  return MEMBER_ID.test(value);
}

export function memberId(value: string): MemberId {
  assert(isMemberId(value), "a member id is 32 lower-case hexadecimal digits");
  return value;
}

export function term(value: number): Term {
  assert(Number.isSafeInteger(value) && value >= 0, "a term is a non-negative safe integer");
  return value as Term;
}

export function logIndex(value: number): LogIndex {
  assert(Number.isSafeInteger(value) && value >= 0, "a log index is a non-negative safe integer");
  return value as LogIndex;
}

export function monotonicMs(value: number): MonotonicMs {
  assert(Number.isFinite(value), "a monotonic instant is a finite number");
  return value as MonotonicMs;
}

export function holderMs(value: number): HolderMs {
  assert(Number.isFinite(value), "an instant of the holder clock is a finite number");
  return value as HolderMs;
}

export function fencingToken(value: number): FencingToken {
  assert(Number.isSafeInteger(value) && value > 0, "a fencing token is a positive integer below 2^53");
  return value as FencingToken;
}
