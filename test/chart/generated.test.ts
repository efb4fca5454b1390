/**
 * The chart's schema and README follow from values.yaml, and every value says what it does.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readComment, renderAll, renderReadme, renderSchema, VALUES_FILE } from "../../scripts/chart-docs.ts";

describe("what is made from values.yaml", () => {
  it.each([...renderAll()].map(([path, text]) => ({ path, text })))("is fresh: $path", ({ path, text }) => {
    expect(readFileSync(path, "utf8"), "run node scripts/chart-docs.ts --write").toBe(text);
  });

  it("describes every value", () => {
    const table = renderReadme("# a\n<!-- values -->\n", readFileSync(VALUES_FILE, "utf8"));
    const rows = table.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => /\|\s*\|$/u.test(row))).toEqual([]);
  });
});

describe("the generator", () => {
  const values = [
    "# About the file.",
    "",
    "# How many.",
    "# @schema {type: integer, minimum: 1}",
    "replicas: 3",
    "image:",
    "  # Where it is.",
    "  repository: a",
    "  # Passed on.",
    "  # @schema {additionalProperties: true}",
    "  more: { b: 1 }",
  ].join("\n");

  it("closes what is described key by key, and leaves open what is passed on", () => {
    expect(JSON.parse(renderSchema(values))).toMatchObject({
      additionalProperties: false,
      properties: {
        replicas: { type: "integer", minimum: 1, default: 3, description: "How many." },
        image: {
          additionalProperties: false,
          properties: {
            repository: { type: "string", default: "a" },
            more: { type: "object", additionalProperties: true, default: { b: 1 } },
          },
        },
      },
    });
  });

  it("writes a row for each leaf", () => {
    expect(renderReadme("# a\n<!-- values -->\n", values).split("\n").slice(-4, -1)).toEqual([
      "| `replicas` | `3` | integer from 1 | How many. |",
      '| `image.repository` | `"a"` | string | Where it is. |',
      '| `image.more` | `{"b":1}` | object | Passed on. |',
    ]);
  });

  it("takes the last paragraph, and refuses a note that is no object", () => {
    expect(readComment(" a\n\n b\n c", "x")).toEqual({ description: "b c", added: {} });
    expect(() => readComment(" b\n @schema 3", "x")).toThrow("x: @schema is no object");
  });

  it("refuses a page without the mark", () => {
    expect(() => renderReadme("# a\n", values)).toThrow("must be there once");
  });
});
