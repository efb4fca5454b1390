/**
 * `init` and `rescue`: a group of one pod, made by a person.
 *
 * Invariant: nothing is made without the sidecar's own checks, and a rescue not without the id of the group that is
 * given up. What is shown before it is what the sidecar sees, not what is.
 *
 * Deliberately absent: --force. What the sidecar refuses is refused.
 */
import type { Address } from "./address.ts";
import { type Cluster, ClusterSchema, FormedSchema, type Holder, RescuedSchema } from "./answers.ts";
import { ask } from "./client.ts";
import { EXIT, PROGRAM } from "./commands.ts";
import { memberTable } from "./lists.ts";
import { lookForHolder } from "./look.ts";
import type { Paint } from "./paint.ts";
import { inPod } from "./trouble.ts";
import { printable, TERMINAL_WIDTH, wrapped } from "./wrap.ts";

/** A group that has just been made. */
export interface NewGroup {
  readonly self: string;
  readonly groupId: string | null;
  readonly holder: Holder | null;
  /** The members of the group before it, without this pod. */
  readonly left: readonly string[];
}

export async function formAlone(address: Address): Promise<NewGroup> {
  const cluster = await clusterOf(address);
  await ask(address, FormedSchema, { method: "POST", path: "/init", body: {}, timeoutMs: null });
  return made(address, cluster);
}

/** @param lost names of pods; those with commas in them are several */
export async function rescue(address: Address, confirm: string, lost: readonly string[]): Promise<NewGroup> {
  const cluster = await clusterOf(address);
  const body = { confirm, lost };
  await ask(address, RescuedSchema, { method: "POST", path: "/rescue", body, timeoutMs: null });
  return made(address, cluster);
}

async function made(address: Address, before: Cluster): Promise<NewGroup> {
  const after = await lookForHolder(address, before.leaseDurationMs);
  const left = before.members.map(({ name }) => name).filter((name) => name !== before.self);
  return { self: before.self, groupId: after?.cluster.groupId ?? null, holder: after?.holder ?? null, left };
}

/** Lines without line breaks. */
export function renderNewGroup({ self, groupId, holder, left }: NewGroup): readonly string[] {
  const id = groupId === null ? "" : ` ${printable(groupId)}`;
  const held = holder === null ? "nobody is known to hold the lock yet" : `${printable(holder.name)} holds the lock`;
  const token = holder === null || holder.token === null ? "" : `, token ${holder.token}`;
  const lines = [`${printable(self)} is the group${id}; ${held}${token}`];
  if (left.length === 0) return lines;
  const next =
    "The others join with empty directories. Of those that still have data of the old group, delete the pod, and its " +
    "volume if it has one:";
  return [...lines, ...wrapped(next, "", TERMINAL_WIDTH), `  kubectl delete pod ${printable(left.join(" "))}`];
}

/** What a rescue would do, and the command that does it. */
export async function planRescue(
  address: Address,
  lost: readonly string[],
  paint: Paint,
): Promise<{ readonly lines: readonly string[]; readonly status: number }> {
  const { groupId, self, members, holder } = await clusterOf(address);
  if (groupId === null) {
    return {
      lines: [`${printable(self)} is not a member of a group, so it has nothing to rescue`],
      status: EXIT.fault,
    };
  }
  const silent = members.filter(({ voter, connected }) => voter && !connected).map(({ name }) => name);
  const named = lost.length > 0 ? lost : silent;
  const flags = named.map((name) => ` --lost ${name}`).join("");
  const text =
    `Nothing was changed. A rescue gives the group ${groupId} up, for a new one of ${self} alone. It is right only ` +
    "if a majority of the voters is gone for good, with their data; whoever is merely away will lead the old group " +
    "again. What this pod sees:";
  const type = "If every pod that is named below is gone together with its disk, type:";
  return {
    lines: [
      ...wrapped(printable(text), "", TERMINAL_WIDTH),
      "",
      ...memberTable(members, holder, paint, { withId: true }),
      "",
      ...(holder === null
        ? []
        : [paint("red", `${printable(holder)} holds the lock: there is nothing to rescue.`), ""]),
      ...wrapped(type, "", TERMINAL_WIDTH),
      `  ${printable(inPod(self, `rescue --confirm ${groupId}${flags}`))}`,
      `see ${PROGRAM} help rescue`,
    ],
    status: EXIT.usage,
  };
}

function clusterOf(address: Address): Promise<Cluster> {
  return ask(address, ClusterSchema, { path: "/cluster" });
}
