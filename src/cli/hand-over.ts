/**
 * `transfer` and `resign`: the lock goes to another pod.
 *
 * Invariant: "released" is said only after the sidecar said so; who is next is what it knows then, not what was asked
 * for.
 *
 * Deliberately absent: doing it from another pod. The lock API of the holder is on its own loopback, on purpose: who
 * may give the lock away is whoever may exec into the holder.
 */
import type { TenureError } from "../base/errors.ts";
import type { Address } from "./address.ts";
import { ClusterSchema, type Holder, ReleasedSchema } from "./answers.ts";
import { ask } from "./client.ts";
import { EXIT } from "./commands.ts";
import { leaderOf, lookForHolder } from "./look.ts";
import { inPod } from "./trouble.ts";
import { printable } from "./wrap.ts";

export interface HandOver {
  readonly from: string;
  /** As asked for; null: anybody. */
  readonly to: string | null;
  readonly token: number | null;
  /** Null: nobody is known; "gone": the sidecar stopped before it could know. */
  readonly holder: Holder | null | "gone";
}

/** @param say tells a person what is waited for. Throws as `ask` does; `hintsOf` has what to type then. */
export async function handOver(
  address: Address,
  order: "transfer" | "resign",
  to: string | null,
  say: (text: string) => void,
): Promise<HandOver> {
  const before = await leaderOf(address);
  const { leaseDurationMs } = await ask(address, ClusterSchema, { path: "/cluster" });
  if (order === "transfer" && before.isLeader) {
    say(`${before.self} drains: waits until its application has stopped, or the drain time is over`);
  }
  const body = to === null ? {} : { to };
  // A drain takes as long as its application, so there is no limit here.
  await ask(address, ReleasedSchema, { method: "POST", path: `/${order}`, body, timeoutMs: null });
  const after = await lookForHolder(address, leaseDurationMs);
  const holder = after === null ? "gone" : after.holder;
  return { from: before.self, to, token: before.token, holder };
}

/** One line without a line break, and the exit status. */
export function renderHandOver(
  order: "transfer" | "resign",
  { from, to, holder }: HandOver,
): { readonly text: string; readonly status: number } {
  const released = `${printable(from)} released the lock`;
  const statusOf = (status: number): number => (order === "resign" ? EXIT.fine : status);
  if (holder === "gone") {
    return { text: `${released}; its sidecar stops, so ask another pod who is next`, status: statusOf(EXIT.noHolder) };
  }
  if (holder === null) {
    return { text: `${released}; nobody is known to hold it yet`, status: statusOf(EXIT.noHolder) };
  }
  const token = holder.token === null ? "" : `, token ${holder.token}`;
  if (holder.name === from) {
    return { text: `${released}, and holds it again${token}: the handover failed`, status: statusOf(EXIT.fault) };
  }
  const next = `${released}; ${printable(holder.name)} holds it now${token}`;
  if (to === null || holder.name === to) return { text: next, status: EXIT.fine };
  return { text: `${next}, not ${printable(to)} as asked for`, status: statusOf(EXIT.fault) };
}

/** What to type after the sidecar refused; empty where its message says all there is. */
export async function hintsOfRefusal(
  address: Address,
  order: "transfer" | "resign",
  to: string | null,
  error: TenureError,
): Promise<readonly string[]> {
  const flag = to === null ? "" : ` --to ${to}`;
  if (error.code === "not_holder") {
    const { name, self } = await leaderOf(address);
    return name === null || name === self ? [inPod(self, "status")] : [inPod(name, `${order}${flag}`)];
  }
  return error.code === "unknown_target" ? [inPod((await leaderOf(address)).self, "members")] : [];
}
