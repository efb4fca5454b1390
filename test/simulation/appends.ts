/**
 * What renews a promise: an append, or a snapshot in its place (Raft paper, figure 13; DESIGN, L2).
 *
 * Invariant: both carry a round and a lease duration.
 *
 * Deliberately absent: whether it is accepted.
 */
import type { AppendRequest, InstallSnapshot, Message } from "../../src/raft/message.ts";

export type Append = AppendRequest | InstallSnapshot;

export function isAppend(message: Message): message is Append {
  return message.kind === "appendRequest" || message.kind === "installSnapshot";
}
