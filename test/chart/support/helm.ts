/**
 * What Helm makes of the chart, as text and as objects.
 *
 * Invariant: nothing is rendered that Helm has complained about; a refusal is asked for by its own function.
 *
 * Deliberately absent: a cluster. Helm renders as it would for the Kubernetes version that is given.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeEach } from "vitest";
import { parseAllDocuments } from "yaml";
import { missing, type Needed, pathOf } from "../../../scripts/tools.ts";

export const ROOT = join(import.meta.dirname, "..", "..", "..");
export const CHART = join(ROOT, "charts", "tenure");
export const KUBERNETES = "1.34.0";

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

export interface Ask {
  readonly values?: unknown;
  /** A values file beside the chart's own. */
  readonly preset?: string;
  readonly chart?: string;
  readonly release?: string;
  readonly kubernetes?: string;
  readonly args?: readonly string[];
}

/** Skips every test of a file, with the reason, where a tool is not installed. */
export function needs(...tools: readonly Needed[]): void {
  const reason = missing(...tools);
  beforeEach((context) => {
    context.skip(reason !== null, reason ?? undefined);
  });
}

export function runHelm(
  args: readonly string[],
  input = "",
): { status: number | null; stdout: string; stderr: string } {
  // No file of this user, and no cluster.
  const env = { ...process.env, HELM_NO_PLUGINS: "1", KUBECONFIG: "/dev/null" };
  return spawnSync(pathOf("helm"), args, { cwd: ROOT, env, input, encoding: "utf8", maxBuffer: 2 ** 26 });
}

function template({ values = {}, preset, chart = CHART, release = "app", kubernetes = KUBERNETES, args = [] }: Ask) {
  const presets = preset === undefined ? [] : ["-f", join(CHART, `values-${preset}.yaml`)];
  const all = ["template", release, chart, "--kube-version", kubernetes, ...presets, "-f", "-", ...args];
  return runHelm(all, JSON.stringify(values));
}

export class Rendering {
  readonly text: string;
  readonly objects: readonly KubeObject[];

  constructor(text: string) {
    this.text = text;
    this.objects = parseAllDocuments(text)
      .map((document): unknown => {
        // Two equal keys, or anything else that a YAML reader should not forgive.
        const [fault] = [...document.errors, ...document.warnings];
        if (fault !== undefined) throw fault;
        return document.toJSON() as unknown;
      })
      .filter((object): object is KubeObject => typeof object === "object" && object !== null && "kind" in object);
  }

  /** The one object of this kind, and of this name if there are several. */
  get(kind: string, name?: string): KubeObject {
    const found = this.all(kind).filter((object) => name === undefined || object.metadata.name === name);
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name ?? ""}`);
    return only;
  }

  all(kind: string): readonly KubeObject[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  /** The text with what differs from one rendering to the next taken out. */
  get stable(): string {
    return this.text
      .replaceAll(/^(\s+(?:ca\.crt|tls\.crt|tls\.key): )\S+$/gmu, "$1(made)")
      .replaceAll(/^(\s+tenure\/renew-after: )\S+$/gmu, "$1(time)")
      .replaceAll(/^(\s+tenure\/worker: )\S+$/gmu, "$1(hash)")
      .replaceAll(/^(  \w+\.mjs: \|)\n(?:(?: {4}.*)?\n)+/gmu, "$1 (as in charts/tenure/scripts)\n");
  }
}

/** Throws with Helm's message when it refuses. */
export function render(ask: Ask = {}): Rendering {
  const { status, stdout, stderr } = template(ask);
  if (status !== 0) throw new Error(stderr);
  return new Rendering(stdout);
}

/** What Helm says against these values. Throws when it takes them. */
export function refusal(ask: Ask): string {
  const { status, stderr } = template(ask);
  if (status === 0) throw new Error(`not refused: ${JSON.stringify(ask.values)}`);
  return stderr;
}

/** Follows keys and positions: `at(object, "spec", "containers", 0, "image")`. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  let inner = object;
  for (const key of path) inner = typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
  return inner;
}

export function podSpecOf(object: KubeObject): unknown {
  return object.kind === "Pod" ? at(object, "spec") : at(object, "spec", "template", "spec");
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** The sidecar's container, native or plain. */
export function sidecarOf(object: KubeObject): unknown {
  const spec = podSpecOf(object);
  const all = [at(spec, "initContainers"), at(spec, "containers")].flat();
  return all.find((container) => at(container, "name") === "tenure");
}

/** The environment as the kubelet would make it for the pod of this name. */
export function environmentOf(object: KubeObject, podName: string): Record<string, string> {
  const variables = at(sidecarOf(object), "env") as readonly Variable[];
  return Object.fromEntries(variables.map(({ name, value }) => [name, value ?? podName]));
}
