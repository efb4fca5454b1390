/**
 * The licences of the packages inside a bundle, as one text: dist/LICENSES.txt.
 *
 * Invariant: a package of which anything is in the bundle is named, with its version, its licence, and the text of its
 * licence file where it ships one.
 *
 * Deliberately absent: packages that only build or test.
 */
import type { Metafile } from "esbuild";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u;
const LICENSE_FILE = /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/iu;
const RULER = "-".repeat(100);

/** The directories, relative to the project, of the packages that gave at least one byte. */
function packagesIn(metafiles: readonly Metafile[]): readonly string[] {
  const found = new Set<string>();
  for (const metafile of metafiles) {
    for (const output of Object.values(metafile.outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
        const directory = PACKAGE.exec(path)?.[0];
        if (directory !== undefined && bytesInOutput > 0) found.add(directory);
      }
    }
  }
  return [...found].toSorted();
}

function field(manifest: unknown, name: string): string {
  const value: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, name) : undefined;
  return typeof value === "string" ? value : "unknown";
}

async function sectionOf(directory: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
  const file = readdirSync(directory).find((name) => LICENSE_FILE.test(name));
  const text = file === undefined ? "" : `\n${(await readFile(join(directory, file), "utf8")).trim()}\n`;
  return `${field(manifest, "name")} ${field(manifest, "version")} (${field(manifest, "license")})\n${text}`;
}

/** The text of LICENSES.txt for these bundles of the project at `root`. */
export async function licensesOf(metafiles: readonly Metafile[], root: string): Promise<string> {
  const sections: string[] = [];
  for (const directory of packagesIn(metafiles)) sections.push(await sectionOf(join(root, directory)));
  const own = await readFile(join(root, "LICENSE"), "utf8");
  const head = `tenure (Apache-2.0)\n\n${own.trim()}\n\nThis bundle also contains the following packages.\n`;
  return [head, ...sections].join(`\n${RULER}\n`);
}
