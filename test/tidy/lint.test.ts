/**
 * The linter is armed: the project's own configuration refuses what the rules of the house refuse. That the project
 * passes it is a step of `npm test`.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./support/tree.ts";

const LONG_FUNCTION = `export function long(): void {\n${"  void 0;\n".repeat(70)}}\n`;

const BAD: Readonly<Record<string, string>> = {
  "typescript(no-floating-promises)": "async function f(): Promise<void> {}\nexport const g = (): void => { f(); };",
  "typescript(no-misused-promises)":
    "declare const g: () => Promise<void>;\nexport const f = (a: number[]): void => { a.forEach(async () => g()); };",
  "typescript(await-thenable)": "export const f = async (): Promise<void> => { await 1; };",
  "typescript(no-explicit-any)": "export const f = (a: any): void => { String(a); };",
  "typescript(no-non-null-assertion)": "export const f = (a: string | null): string => a!;",
  "typescript(no-unsafe-member-access)": 'export const f = (): boolean => JSON.parse("1").a === 1;',
  "typescript(no-unsafe-type-assertion)": "export const f = (a: string): 1 => (a as unknown) as 1;",
  "typescript(switch-exhaustiveness-check)":
    'export function f(a: "b" | "c"): number {\n  switch (a) { case "b": return 1; }\n  return 2;\n}',
  "typescript(consistent-type-imports)": 'import { Stats } from "node:fs";\nexport type A = Stats;',
  "import(no-default-export)": "export default 1;",
  "eslint(eqeqeq)": "export const f = (a: number): boolean => a == 1;",
  "eslint(no-var)": "export var a = 1;",
  "eslint(prefer-const)": "let a = 1;\nexport const b = a;",
  "eslint(no-console)": "export const f = (): void => { console.log(1); };",
  "eslint(max-lines-per-function)": LONG_FUNCTION,
};

describe("the linter", () => {
  let project = "";
  let output = "";
  const fileOf = (rule: string): string => `src/node/${rule.replaceAll(/\W/gu, "-")}.ts`;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "tenure-lint-"));
    for (const name of [".oxlintrc.json", "tsconfig.json"]) copyFileSync(join(ROOT, name), join(project, name));
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
    const files = { ...BAD, "src/cli/a.ts": "export const f = (): void => { console.log(1); };" };
    for (const [rule, text] of Object.entries(files)) {
      const path = join(project, rule.startsWith("src/") ? rule : fileOf(rule));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${text}\n`);
    }
    const oxlint = join(project, "node_modules", "oxlint", "bin", "oxlint");
    const result = spawnSync(process.execPath, [oxlint, "--type-aware", "--format=unix", "src"], {
      cwd: project,
      encoding: "utf8",
    });
    output = result.stdout + result.stderr;
  });

  afterAll(() => {
    rmSync(project, { recursive: true });
  });

  it.each(Object.keys(BAD))("refuses what %s is about", (rule) => {
    const findings = output.split("\n").filter((line) => line.startsWith(fileOf(rule)));
    expect(findings.join("\n"), output).toContain(`Error/${rule}`);
  });

  it("lets the command line print", () => {
    expect(output.split("\n").filter((line) => line.startsWith("src/cli/"))).toEqual([]);
  });
});
