/**
 * Writes values.schema.json and README.md of the chart from values.yaml: `node scripts/chart-docs.ts --write`.
 *
 * The paragraph of comments right above a key describes it. Its last line may be `@schema {…}`, in YAML: what is added
 * to the schema that follows from the default. An object takes the keys that it shows and no others, unless its
 * `@schema` has `properties` or `additionalProperties`.
 *
 * Invariant: one source. A key of values.yaml is in the schema and in the table, and nothing else is; a test fails
 * while the files differ.
 *
 * Deliberately absent: rules between values; they are in templates/_validate.tpl.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMap, isNode, isScalar, parse, parseDocument, type Pair, type YAMLMap } from "yaml";

const CHART = new URL("../charts/tenure/", import.meta.url);
export const VALUES_FILE = fileURLToPath(new URL("values.yaml", CHART));
export const SCHEMA_FILE = fileURLToPath(new URL("values.schema.json", CHART));
export const README_FILE = fileURLToPath(new URL("README.md", CHART));
export const TEMPLATE_FILE = fileURLToPath(new URL("README.template.md", CHART));
const TABLE_MARK = "<!-- values -->";

export type Schema = Readonly<Record<string, unknown>>;

/** One row of the table: a leaf, or an object that is passed on whole. */
export interface Row {
  readonly path: string;
  readonly fallback: unknown;
  readonly allowed: string;
  readonly description: string;
}

interface Entry {
  readonly key: string;
  readonly description: string;
  readonly added: Schema;
  readonly node: unknown;
}

/** The last paragraph of a comment, and the `@schema` at its end. */
export function readComment(comment: string, where: string): Pick<Entry, "description" | "added"> {
  const lines = (comment.split(/\n\s*\n/u).at(-1) ?? "").split("\n").map((line) => line.trim());
  const marked = lines.findIndex((line) => line.startsWith("@schema"));
  if (marked === -1) return { description: lines.join(" ").trim(), added: {} };
  const text = lines.slice(marked).join(" ").slice("@schema".length);
  const added: unknown = parse(text);
  if (typeof added !== "object" || added === null || Array.isArray(added)) {
    throw new Error(`values.yaml: ${where}: @schema is no object: ${text}`);
  }
  // Just checked.
  return { description: lines.slice(0, marked).join(" ").trim(), added: added as Schema };
}

function entriesOf(map: YAMLMap, path: string): readonly Entry[] {
  return map.items.map((pair: Pair, index) => {
    if (!isScalar(pair.key)) throw new Error(`values.yaml: ${path}: a key that is not a text`);
    const key = String(pair.key.value);
    // The comment above the first key of a map is kept at the map.
    const comment = (index === 0 ? (map.commentBefore ?? pair.key.commentBefore) : pair.key.commentBefore) ?? "";
    return { key, node: pair.value, ...readComment(comment, `${path}${key}`) };
  });
}

const plain = (node: unknown): unknown => (isNode(node) ? (node.toJSON() as unknown) : null);

/** The type that a default shows. */
function typeOf(value: unknown): Schema {
  if (value === null) return {};
  if (Array.isArray(value)) return { type: "array" };
  if (typeof value === "number") return { type: Number.isInteger(value) ? "integer" : "number" };
  return { type: typeof value };
}

const isOpen = (schema: Schema): boolean => "properties" in schema || "additionalProperties" in schema;

/** Whether an object is described key by key, or passed on whole. */
function isDescribed(entry: Entry): entry is Entry & { readonly node: YAMLMap } {
  return isMap(entry.node) && entry.node.items.length > 0 && !isOpen(entry.added);
}

function schemaOf(map: YAMLMap, path: string): Schema {
  const properties = entriesOf(map, path).map((entry): [string, Schema] => {
    const about = entry.description === "" ? {} : { description: entry.description };
    if (isDescribed(entry)) {
      return [entry.key, { ...about, ...schemaOf(entry.node, `${path}${entry.key}.`), ...entry.added }];
    }
    const fallback = plain(entry.node);
    const closed = isMap(entry.node) && !("additionalProperties" in entry.added) ? { additionalProperties: false } : {};
    const type = "enum" in entry.added ? {} : typeOf(fallback);
    return [entry.key, { ...about, ...type, ...closed, ...entry.added, default: fallback }];
  });
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function rowsOf(map: YAMLMap, path: string): readonly Row[] {
  return entriesOf(map, path).flatMap((entry): readonly Row[] => {
    const name = `${path}${entry.key}`;
    if (isDescribed(entry)) return rowsOf(entry.node, `${name}.`);
    const fallback = plain(entry.node);
    return [{ path: name, fallback, allowed: allowedOf({ ...typeOf(fallback), ...entry.added }), ...entry }];
  });
}

/** What a schema allows, for a reader. */
function allowedOf(schema: Schema): string {
  const { enum: choices, type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (Array.isArray(choices)) return choices.map((choice) => `\`${String(choice)}\``).join(", ");
  const bounds = [
    typeof minimum === "number" ? `from ${minimum}` : "",
    typeof maximum === "number" ? `to ${maximum}` : "",
    typeof exclusiveMinimum === "number" ? `above ${exclusiveMinimum}` : "",
    typeof exclusiveMaximum === "number" ? `below ${exclusiveMaximum}` : "",
  ].filter((bound) => bound !== "");
  return [Array.isArray(type) ? type.join(" or ") : String(type), ...bounds].join(" ");
}

function rootOf(values: string): YAMLMap {
  const document = parseDocument(values);
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(`values.yaml: ${fault.message}`);
  if (!isMap(document.contents)) throw new Error("values.yaml: is not a map");
  // The paragraphs above the first key belong to the document when an empty line follows them.
  return document.contents;
}

export function renderSchema(values: string): string {
  const root = schemaOf(rootOf(values), "");
  // Helm hands the values of all charts of a release to each of them under `global`.
  const properties = { ...(root["properties"] as Schema), global: { type: "object" } };
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "tenure", ...root, properties };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function cellOf({ path, fallback, allowed, description }: Row): string {
  const shown = JSON.stringify(fallback);
  const escaped = description.replaceAll(/[<>|_]/gu, String.raw`\$&`);
  return `| \`${path}\` | \`${shown}\` | ${allowed} | ${escaped} |`;
}

export function renderReadme(template: string, values: string): string {
  if (template.split(TABLE_MARK).length !== 2) throw new Error(`README.template.md: ${TABLE_MARK} must be there once`);
  const note = "<!-- Generated by `node scripts/chart-docs.ts --write`, from README.template.md and values.yaml. -->";
  const table = ["| value | default | allowed | what it does |", "| --- | --- | --- | --- |"];
  const rows = rowsOf(rootOf(values), "").map(cellOf);
  const [head = "", ...rest] = template.split("\n");
  const page = [head, "", note, ...rest].join("\n");
  return page.replace(TABLE_MARK, () => [...table, ...rows].join("\n"));
}

/** Every generated file with its text. */
export function renderAll(): ReadonlyMap<string, string> {
  const values = readFileSync(VALUES_FILE, "utf8");
  return new Map([
    [SCHEMA_FILE, renderSchema(values)],
    [README_FILE, renderReadme(readFileSync(TEMPLATE_FILE, "utf8"), values)],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of renderAll()) {
    if (process.argv.includes("--write")) writeFileSync(path, text);
    else if (readFileSync(path, "utf8") !== text) {
      process.stderr.write(`${path} is stale: run node scripts/chart-docs.ts --write\n`);
      process.exitCode = 1;
    }
  }
}
