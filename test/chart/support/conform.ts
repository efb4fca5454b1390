/**
 * kubeconform over rendered text, with the schemas of scripts/schemas.ts.
 *
 * Invariant: a kind without a schema fails; nothing is skipped.
 *
 * Deliberately absent: downloads. The schemas are files.
 */
import { spawnSync } from "node:child_process";
import { SCHEMA_LOCATIONS } from "../../../scripts/schemas.ts";
import { pathOf } from "../../../scripts/tools.ts";

/** Status 0 when every object fits its description, and a summary on standard output. */
export function conform(version: string, text: string): { readonly status: number | null; readonly stdout: string } {
  const locations = SCHEMA_LOCATIONS.flatMap((location) => ["-schema-location", location]);
  const args = ["-strict", "-summary", "-kubernetes-version", version, ...locations, "-"];
  return spawnSync(pathOf("kubeconform"), args, { input: text, encoding: "utf8" });
}
