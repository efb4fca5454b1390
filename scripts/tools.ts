/**
 * Installs the programs that check the chart and the manifests: `npm run tools`; or `npm run tools -- <name> …` for
 * some, also those that take minutes to build and are left out else (an API server and its etcd).
 *
 * Each is a Go program at a fixed version, built by `go install` into .cache/tools, so that every machine checks with
 * the same one. The schemas of Kubernetes' and other people's objects come the same way: as files of Go modules.
 *
 * Invariant: nothing outside .cache is changed, and what is there already is not installed again.
 *
 * Deliberately absent: downloads of programs that somebody else has built.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderOf, KUBERNETES_VERSIONS, prepareSchemas, SCHEMAS } from "./schemas.ts";

const ROOT = join(import.meta.dirname, "..");
export const TOOLS = join(ROOT, ".cache", "tools");

interface Tool {
  /** The package of the program. */
  readonly path: string;
  readonly version: string;
  /**
   * Its module, where `go install` refuses the program because that module replaces others: it is then built from a
   * module of our own that requires it.
   */
  readonly module?: string;
  readonly ldflags?: string;
  /** Only when it is asked for by name. */
  readonly slow?: true;
}

const KUBERNETES = KUBERNETES_VERSIONS[2];
const VERSION_PACKAGE = "k8s.io/component-base/version";

/** Why these versions: the newest that the Go in use builds. */
const TABLE = {
  helm: { path: "helm.sh/helm/v4/cmd/helm", version: "v4.3.1" },
  kubeconform: { path: "github.com/yannh/kubeconform/cmd/kubeconform", version: "v0.8.0" },
  kustomize: { path: "sigs.k8s.io/kustomize/kustomize/v5", version: "v5.8.1" },
  etcd: { path: "go.etcd.io/etcd/server/v3", version: "v3.6.11", module: "go.etcd.io/etcd/server/v3", slow: true },
  "kube-apiserver": {
    path: "k8s.io/kubernetes/cmd/kube-apiserver",
    version: `v${KUBERNETES}`,
    module: "k8s.io/kubernetes",
    // Without, it says that it is version 0.0.0, and Helm refuses it.
    ldflags: `-X ${VERSION_PACKAGE}.gitVersion=v${KUBERNETES}`,
    slow: true,
  },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof TABLE;
export type Needed = ToolName | "schemas";

const NAMES = Object.keys(TABLE).filter((name): name is ToolName => name in TABLE);
const INSTALL_TIMEOUT_MS = 1_800_000;

/** Where it is, whether or not it is installed. */
export function pathOf(name: ToolName): string {
  return join(TOOLS, `${name}-${TABLE[name].version}`, name);
}

/** What a test says when it cannot run; null when everything that it needs is there. */
export function missing(...names: readonly Needed[]): string | null {
  const absent = names.filter((name) => !existsSync(name === "schemas" ? SCHEMAS : pathOf(name)));
  const tools: Readonly<Record<ToolName, Tool>> = TABLE;
  const isSlow = absent.some((name) => name !== "schemas" && tools[name].slow === true);
  const command = `npm run tools${isSlow ? ` -- ${absent.join(" ")}` : ""}`;
  return absent.length === 0 ? null : `needs ${absent.join(", ")}: ${command}`;
}

interface Go {
  readonly status: number | null;
  readonly said: string;
}

function go(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Go {
  const { status, stderr, error } = spawnSync("go", args, {
    // For this machine, whatever the user builds for.
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOOS: "", GOARCH: "", ...env },
    cwd,
    encoding: "utf8",
    timeout: INSTALL_TIMEOUT_MS,
  });
  return { status, said: error?.message ?? stderr.trim() };
}

/** The go.mod of a module that requires another one, with that one's own parts at the version that belongs to it. */
function moduleAround(module: string, version: string, cwd: string): string {
  const source = readFileSync(join(folderOf(`${module}@${version}`, cwd), "go.mod"), "utf8");
  const parts = [...source.matchAll(/^\t(?<part>k8s\.io\/[\w-]+) => \.\/staging\//gmu)].map(
    ({ groups }) => groups?.["part"],
  );
  const ofParts = version.replace(/^v1\./u, "v0.");
  return [
    "module tools.local",
    /^go .*$/mu.exec(source)?.[0] ?? "",
    `require ${module} ${version}`,
    ...parts.map((part) => `replace ${part} => ${part} ${ofParts}`),
    "",
  ].join("\n");
}

function build({ path, version, module, ldflags = "" }: Tool, directory: string, out: string): Go {
  const flags = ["-trimpath", `-ldflags=-s -w ${ldflags}`];
  if (module === undefined) return go(["install", ...flags, `${path}@${version}`], directory, { GOBIN: directory });
  writeFileSync(join(directory, "go.mod"), moduleAround(module, version, directory));
  // Go leaves out of go.mod what no file imports; a program may be imported only where it is never built.
  writeFileSync(join(directory, "tools.go"), `//go:build tools\n\npackage tools\n\nimport _ "${path}"\n`);
  const tidy = go(["mod", "tidy", "-e"], directory);
  return tidy.status === 0 ? go(["build", ...flags, "-o", out, path], directory) : tidy;
}

function install(name: ToolName): boolean {
  const tool: Tool = TABLE[name];
  const path = pathOf(name);
  if (existsSync(path)) return true;
  const startedMs = performance.now();
  const directory = join(TOOLS, `.${name}-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  try {
    const made = join(directory, name);
    const { status, said } = build(tool, directory, made);
    if (status !== 0) {
      console.error(`${name} ${tool.version} could not be installed: ${said}`);
      return false;
    }
    mkdirSync(join(path, ".."), { recursive: true });
    renameSync(made, path);
  } finally {
    rmSync(directory, { recursive: true });
  }
  console.log(`${name} ${tool.version}: ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  return true;
}

function run(wanted: readonly string[]): void {
  const unknown = wanted.filter((name) => name !== "schemas" && !(name in TABLE));
  if (unknown.length > 0) {
    console.error(`not known: ${unknown.join(", ")}; allowed: ${[...NAMES, "schemas"].join(", ")}`);
    process.exitCode = 2;
    return;
  }
  mkdirSync(TOOLS, { recursive: true });
  const tools: Readonly<Record<ToolName, Tool>> = TABLE;
  for (const name of NAMES) {
    const isWanted = wanted.length === 0 ? tools[name].slow !== true : wanted.includes(name);
    if (isWanted && !install(name)) process.exitCode = 1;
  }
  if (wanted.length > 0 && !wanted.includes("schemas")) return;
  try {
    prepareSchemas();
    console.log(`schemas of Kubernetes ${KUBERNETES_VERSIONS.join(", ")}`);
  } catch (error) {
    console.error(`schemas could not be made: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

if (import.meta.main) run(process.argv.slice(2));
