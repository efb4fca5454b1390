/**
 * Bundles src/main.ts into dist/main.js: `npm run build`, or `--if-stale` to build only what is older than its sources,
 * silently.
 *
 * Why a bundle: it starts sooner than the same files in node_modules, and an image needs nothing else. Why CommonJS: on
 * Node 24, the sidecar gives its first answer 40 ms sooner and takes 5 MiB less than as an ES module, since a package's
 * code runs only when it is asked for. Why names and lines stay: they cost 0.4 MiB and make a stack trace from a user
 * readable without the source map.
 *
 * Invariant: dist/ is complete. Each file is replaced by a rename, so a process that starts meanwhile never reads half
 * a file.
 *
 * Deliberately absent: type checks and lint (scripts/test.ts).
 */
import { build } from "esbuild";
import type { BuildOptions, Metafile, Plugin } from "esbuild";
import { readdirSync, statSync } from "node:fs";
import { chmod, mkdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { leaveOut } from "./leave-out.ts";
import { licensesOf } from "./licenses.ts";

const ROOT = dirname(import.meta.dirname);
/** Loaded by a dynamic import, only when a Kubernetes feature is on: 40 MiB and more that others must not pay for. */
const LAZY_PACKAGES = new Map([["@kubernetes/client-node", "kubernetes-client.js"]]);

export interface BundleOptions {
  /** The absolute path of the entry. */
  readonly entry: string;
  /** The directory of main.js and what belongs to it; made when missing. */
  readonly outDirectory: string;
  /** What `--version` says. */
  readonly version: string;
}

/** Points the import of a lazy package at a bundle of its own beside main.js, and notes that it is wanted. */
function lazyPackages(wanted: Set<string>): Plugin {
  return {
    name: "lazy-packages",
    setup({ onResolve }) {
      onResolve({ filter: /^@?[a-z]/ }, ({ path, kind }) => {
        const file = LAZY_PACKAGES.get(path);
        if (file === undefined || kind === "entry-point") return null;
        if (kind !== "dynamic-import") return { errors: [{ text: `${path} may only be loaded by a dynamic import` }] };
        wanted.add(path);
        return { path: `./${file}`, external: true };
      });
    },
  };
}

type InMemory = BuildOptions & { readonly metafile: true; readonly write: false };

function optionsFor(entry: string, outfile: string, version: string): InMemory {
  return {
    entryPoints: [entry],
    outfile,
    absWorkingDir: ROOT,
    nodePaths: [join(ROOT, "node_modules")],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    define: { TENURE_VERSION: JSON.stringify(version) },
    metafile: true,
    write: false,
    logLevel: "silent",
  };
}

async function replace(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}

async function bundleOne(options: InMemory): Promise<Metafile> {
  const result = await build(options);
  // A warning of the bundler (an `import.meta` in CommonJS, a duplicate key) is a fault that shows at run time only.
  if (result.warnings.length > 0) throw new Error(result.warnings.map((warning) => warning.text).join("\n"));
  // The map first: main.js is what others look at to see whether the bundle is fresh.
  for (const file of result.outputFiles.toSorted((a, b) => b.path.length - a.path.length)) {
    await replace(file.path, file.contents);
  }
  return result.metafile;
}

/** Writes the bundle. Rejects with what esbuild has to say. */
export async function bundle({ entry, outDirectory, version }: BundleOptions): Promise<void> {
  const started = new Date();
  await mkdir(outDirectory, { recursive: true });
  const wanted = new Set<string>();
  // The package.json first: without it, the CommonJS below would be taken for ES modules.
  const manifest = { name: "tenure", version, type: "commonjs" };
  await replace(join(outDirectory, "package.json"), `${JSON.stringify(manifest)}\n`);
  const main = join(outDirectory, "main.js");
  const metafiles = [
    await bundleOne({
      ...optionsFor(entry, main, version),
      banner: { js: "#!/usr/bin/env node" },
      plugins: [lazyPackages(wanted), leaveOut()],
    }),
  ];
  for (const name of wanted) {
    const file = LAZY_PACKAGES.get(name);
    if (file === undefined) throw new Error(`no file is named for ${name}`);
    const options = optionsFor(name, join(outDirectory, file), version);
    metafiles.push(await bundleOne({ ...options, minifyWhitespace: true, sourcemap: false }));
  }
  await replace(join(outDirectory, "LICENSES.txt"), await licensesOf(metafiles, ROOT));
  await chmod(main, 0o755);
  // As old as what it was made from: a source that changed during the build is newer.
  await utimes(main, started, started);
}

/** What a bundle is made from, apart from src/. */
const INGREDIENTS = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "scripts/build.ts",
  "scripts/leave-out.ts",
  "scripts/licenses.ts",
];

/** Whether dist/main.js of the project at `root` is missing, or older than anything that it is made from. */
export function isStale(root: string = ROOT): boolean {
  const modifiedMs = (path: string): number => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const builtMs = modifiedMs("dist/main.js");
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  // A directory changes when a file is added to it or taken away.
  const paths = ["src", ...sources.map((name) => join("src", name)), ...INGREDIENTS];
  return builtMs === 0 || paths.some((path) => modifiedMs(path) > builtMs);
}

/** Builds dist/ from src/main.ts, with the version of package.json. */
export async function buildDist(): Promise<void> {
  const manifest: unknown = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const named = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  if (typeof named !== "string") throw new Error("package.json has no version");
  await bundle({ entry: join(ROOT, "src", "main.ts"), outDirectory: join(ROOT, "dist"), version: named });
}

async function run(args: readonly string[]): Promise<void> {
  if (args.includes("--if-stale")) {
    if (isStale()) await buildDist();
    return;
  }
  const startedMs = performance.now();
  await buildDist();
  for (const name of readdirSync(join(ROOT, "dist"))) {
    console.log(`dist/${name}  ${Math.ceil(statSync(join(ROOT, "dist", name)).size / 1024)} KiB`);
  }
  console.log(`built in ${Math.round(performance.now() - startedMs)} ms`);
}

if (import.meta.main) {
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
