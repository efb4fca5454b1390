/**
 * JSON schemas of the objects that the chart and the manifests render, for kubeconform: of Kubernetes itself at three
 * versions, and of other people's kinds. Made from the descriptions in their own Go modules.
 *
 * Invariant: schemas are strict. A field that the API server would drop in silence is a fault here. A kind that nobody
 * has asked for has no schema, and kubeconform then fails.
 *
 * Deliberately absent: defaults and rules between fields, which only a real API server knows (see
 * scripts/apiserver.ts).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** The newest of each minor version that the module proxy has; three are what the Kubernetes project maintains. */
export const KUBERNETES_VERSIONS = ["1.34.4", "1.35.4", "1.36.3"] as const;

/** Modules whose custom resource definitions lie in a folder. */
export const CRD_MODULES = [
  { module: "github.com/prometheus-operator/prometheus-operator@v0.85.0", folder: "example/prometheus-operator-crd" },
  { module: "github.com/cert-manager/cert-manager@v1.21.2", folder: "deploy/crds" },
] as const;

/** What may be rendered; `Kind` or `group/Kind`. */
const KINDS: ReadonlySet<string> = new Set([
  "ConfigMap",
  "Namespace",
  "Pod",
  "Secret",
  "Service",
  "apps/Deployment",
  "apps/StatefulSet",
  "networking.k8s.io/NetworkPolicy",
  "policy/PodDisruptionBudget",
]);

const CACHE = join(import.meta.dirname, "..", ".cache");
/** The folder of the schemas. Its name changes with this file, so that schemas are never older than their script. */
export const SCHEMAS = join(CACHE, `schemas-${hashOf(import.meta.filename)}`);

/** For kubeconform's -schema-location, one each. */
export const SCHEMA_LOCATIONS = [
  join(SCHEMAS, "{{.NormalizedKubernetesVersion}}", "{{.ResourceKind}}{{.KindSuffix}}.json"),
  join(SCHEMAS, "crds", "{{.Group}}", "{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"),
] as const;

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const childOf = (value: unknown, ...path: readonly string[]): unknown => {
  let inner = value;
  for (const key of path) inner = isObject(inner) ? inner[key] : undefined;
  return inner;
};

/** What a quantity or a port may be, although the description says "string". */
const LOOSE: Readonly<Record<string, Json>> = {
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: ["string", "integer"] },
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { type: ["string", "number"] },
};

/** A copy without references, with every described object closed. `within` stops at descriptions of themselves. */
export function strict(schema: unknown, definitions: Json, within: readonly string[] = []): unknown {
  if (Array.isArray(schema)) return schema.map((item) => strict(item, definitions, within));
  if (!isObject(schema)) return schema;
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.replace("#/definitions/", "");
    if (name in LOOSE) return LOOSE[name];
    return within.includes(name) ? {} : strict(definitions[name], definitions, [...within, name]);
  }
  if (schema["x-kubernetes-int-or-string"] === true) return { type: ["string", "integer"] };
  const { description: _, properties, ...rest } = schema;
  const copy = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, strict(value, definitions, within)]),
  );
  if (!isObject(properties)) return copy;
  const inner = Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, strict(value, definitions, within)]),
  );
  const open = "additionalProperties" in schema || schema["x-kubernetes-preserve-unknown-fields"] === true;
  return { ...copy, properties: inner, ...(open ? {} : { additionalProperties: false }) };
}

/** The folder of a module in the module cache, fetched when it is not there. */
export function folderOf(module: string, cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync("go", ["mod", "download", "-json", module], {
    cwd,
    encoding: "utf8",
    timeout: 300_000,
  });
  if (status !== 0) throw new Error(`${module}: ${error?.message ?? (stderr || stdout)}`);
  const folder = childOf(JSON.parse(stdout), "Dir");
  if (typeof folder !== "string") throw new Error(`${module}: no folder`);
  return folder;
}

function writeKubernetes(version: string, into: string): void {
  const file = join(folderOf(`k8s.io/kubernetes@v${version}`, into), "api", "openapi-spec", "swagger.json");
  const definitions = childOf(JSON.parse(readFileSync(file, "utf8")), "definitions");
  if (!isObject(definitions)) throw new Error(`${file}: no definitions`);
  mkdirSync(join(into, `v${version}`));
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = childOf(definition, "x-kubernetes-group-version-kind");
    if (!Array.isArray(kinds) || kinds.length !== 1) continue;
    const [group, apiVersion, kind] = ["group", "version", "kind"].map((key) => String(childOf(kinds[0], key)));
    if (!KINDS.has(group === "" ? `${kind}` : `${group}/${kind}`)) continue;
    const suffix = [group?.split(".")[0], apiVersion].filter((part) => part !== "").join("-");
    const path = join(into, `v${version}`, `${kind?.toLowerCase()}-${suffix}.json`);
    writeFileSync(path, JSON.stringify(strict(definition, definitions, [name])));
  }
}

function writeCrds(module: string, folder: string, into: string): void {
  const directory = join(folderOf(module, into), folder);
  for (const name of readdirSync(directory).filter((entry) => entry.endsWith(".yaml"))) {
    for (const document of parseAllDocuments(readFileSync(join(directory, name), "utf8"))) {
      const crd: unknown = document.toJSON();
      const versions = childOf(crd, "spec", "versions");
      const group = String(childOf(crd, "spec", "group"));
      const kind = String(childOf(crd, "spec", "names", "kind")).toLowerCase();
      if (!Array.isArray(versions)) continue;
      mkdirSync(join(into, "crds", group), { recursive: true });
      for (const version of versions) {
        const schema = strict(childOf(version, "schema", "openAPIV3Schema"), {});
        // The description of an object's metadata is Kubernetes' own, and is left out of these files.
        const open =
          isObject(schema) && isObject(schema["properties"])
            ? { ...schema, properties: { ...schema["properties"], metadata: { type: "object" } } }
            : schema;
        const path = join(into, "crds", group, `${kind}_${String(childOf(version, "name"))}.json`);
        writeFileSync(path, JSON.stringify(open));
      }
    }
  }
}

/** Makes the folder of schemas, unless it is there. Throws with what `go` has to say. */
export function prepareSchemas(): void {
  if (existsSync(SCHEMAS)) return;
  const making = `${SCHEMAS}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    for (const version of KUBERNETES_VERSIONS) writeKubernetes(version, making);
    for (const { module, folder } of CRD_MODULES) writeCrds(module, folder, making);
    renameSync(making, SCHEMAS);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}
