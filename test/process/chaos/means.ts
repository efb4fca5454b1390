/**
 * What this machine offers for faults: each means is tried once, not guessed.
 *
 * Invariant: a means that is missing comes with its reason in words.
 *
 * Deliberately absent: installing anything.
 */
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unreachable } from "../../../src/base/assert.ts";
import type { FaultKind, Means } from "./kinds.ts";
import { MEANS, rowOf } from "./kinds.ts";
import { tryRun } from "./shell.ts";
import { throttleRoot } from "./throttle.ts";

export type Missing = ReadonlyMap<Means, string>;

/** @param runName for the names of what is tried */
export function missingMeans(runName: string, loopback: boolean): Missing {
  const missing = new Map<Means, string>();
  for (const means of MEANS) {
    const reason = means === "namespaces" && loopback ? "asked for loopback" : trouble(means, runName);
    if (reason !== null) missing.set(means, reason);
  }
  return missing;
}

/** Why this kind cannot be had here; null: it can. */
export function whyNot(kind: FaultKind, missing: Missing): string | null {
  for (const means of rowOf(kind).needs) {
    const reason = missing.get(means);
    if (reason !== undefined) return reason;
  }
  return null;
}

export function faketimeLibrary(): string | null {
  return globSync("/usr/lib/*/faketime/libfaketimeMT.so.1")[0] ?? null;
}

function trouble(means: Means, runName: string): string | null {
  switch (means) {
    case "namespaces":
      return namespacesTrouble(`${runName}t`);
    case "strace": {
      const traced = tryRun(["strace", "-f", "-qq", "-e", "trace=fsync", "-o", "/dev/null", "true"]);
      return traced ? null : "needs strace with the right to trace";
    }
    case "faketime":
      return faketimeLibrary() === null ? "needs faketime" : null;
    case "loop":
      return loopTrouble();
    case "cpu-cgroup": {
      const root = throttleRoot();
      const group = join(root ?? "", `${runName}t`);
      const works = root !== null && tryRun(["mkdir", group]) && tryRun(["rmdir", group]);
      return works ? null : "needs the right to make a CPU control group";
    }
    default:
      return unreachable(means);
  }
}

function namespacesTrouble(space: string): string | null {
  if (!tryRun(["ip", "-Version"])) return "needs iproute2";
  if (!tryRun(["ip", "netns", "add", space])) return "needs root, to make network namespaces";
  const enter = ["nsenter", `--net=/run/netns/${space}`];
  const bridged = tryRun(["ip", "-n", space, "link", "add", "br0", "type", "bridge"]);
  const filtered =
    tryRun([...enter, "nft", "add", "table", "bridge", "t"]) &&
    tryRun([...enter, "nft", "add", "chain", "bridge", "t", "f", "{ type filter hook forward priority 0 ; }"]) &&
    tryRun([...enter, "nft", "add", "rule", "bridge", "t", "f", "numgen random mod 100 < 30 counter drop"]);
  tryRun(["ip", "netns", "delete", space]);
  if (!bridged) return "needs a kernel with bridges";
  return filtered ? null : "needs nft, and a kernel that filters on bridges";
}

function loopTrouble(): string | null {
  const directory = mkdtempSync(join(tmpdir(), "tenure-chaos-try-"));
  const image = join(directory, "image");
  try {
    writeFileSync(image, Buffer.alloc(1_048_576));
    const works =
      tryRun(["mkfs.ext4", "-q", image]) &&
      tryRun(["mount", "-o", "loop", image, directory]) &&
      tryRun(["umount", directory]) &&
      tryRun(["perl", "-e", "1"]);
    return works ? null : "needs root, mkfs.ext4, perl and loop devices";
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
