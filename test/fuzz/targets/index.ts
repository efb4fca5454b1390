/**
 * Every target by its name.
 *
 * Invariant: a target is loaded only when it is asked for, after the counters of coverage.ts run.
 *
 * Deliberately absent: the state machine under model commands, which takes commands and not bytes (../group).
 */
import type { Target } from "../engine/target.ts";

export const TARGETS = {
  frames: async () => (await import("./frames.ts")).open(),
  handshake: async () => (await import("./handshake.ts")).open(),
  messages: async () => (await import("./messages.ts")).open(),
  damage: async () => (await import("./damage.ts")).open(),
  logs: async () => (await import("./logs.ts")).open(),
  scan: async () => (await import("./scan.ts")).open(),
  envelopes: async () => (await import("./envelopes.ts")).open(),
  query: async () => (await import("./query.ts")).open(),
  bodies: async () => (await import("./bodies.ts")).open(),
  records: async () => (await import("./records.ts")).open(),
  core: async () => (await import("./core.ts")).open(),
  screens: async () => (await import("./screens.ts")).open(),
  sidecars: async () => (await import("./sidecars.ts")).open(),
  http: async () => (await import("./http.ts")).open(),
  dns: async () => (await import("./dns.ts")).open(),
  settings: async () => (await import("./settings.ts")).open(),
} as const satisfies Readonly<Record<string, () => Promise<Target>>>;

export type TargetName = keyof typeof TARGETS;

export const TARGET_NAMES = Object.keys(TARGETS).filter((name): name is TargetName => name in TARGETS);

export function isTargetName(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}
