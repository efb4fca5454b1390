/** The programs that read their command line with options.ts: each says what it takes, and starts nothing else. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const TEST = join(import.meta.dirname, "..");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, ...args: readonly string[]): Ended {
  return spawnSync(process.execPath, [join(TEST, program, "main.ts"), ...args], { encoding: "utf8" });
}

describe.each([
  ["fuzz", ["--target NAME", "--seconds S", "30 unless", "--replay FILE"], ["--target", "moon"]],
  ["mutants", ["--kills N", "3 unless said", "--checks"], ["--kills", "0.5"]],
  ["simulation", ["--profile NAME", "swarm unless said", "churn, formation"], ["--minutes", "ten"]],
])("test/%s/main.ts", (program, told, wrong) => {
  const help = run(program, "--help");

  it("prints its options and their defaults", () => {
    expect(help).toMatchObject({ status: 0, stderr: "" });
    for (const words of [...told, "--help", "Exit status: 0 "]) expect(help.stdout).toContain(words);
    expect(help.stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it.each([["--nonsense"], ["word"], wrong])("refuses %s %s, and says what is allowed", (...args) => {
    const { status, stdout, stderr } = run(program, ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(args.at(-1));
    expect(stderr).toContain(help.stdout);
  });
});
