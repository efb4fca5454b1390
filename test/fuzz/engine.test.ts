/** The loop itself: it is led by coverage, repeats itself, and makes what it finds short; a hang does not hide. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesMutator } from "./engine/bytes.ts";
import { fuzz, type Result } from "./engine/loop.ts";
import { faultOf, shrink } from "./engine/shrink.ts";
import { Finding, type Target } from "./engine/target.ts";
import { fromLine, readInputs, toLine } from "./engine/texts.ts";

const SEARCH = join(import.meta.dirname, "fixtures", "search.ts");
const DEADLINE_MS = 60_000;

function searched(...args: readonly string[]): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, [SEARCH, ...args], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const picky: Target = {
  covers: [],
  seeds: [Buffer.from("nothing is wrong here")],
  mutate: bytesMutator(),
  run(input) {
    if (input.includes(0) && input.includes(0xff)) throw new Finding("both bytes");
    return input.length > 30 ? "long" : "short";
  },
};

describe("the loop", () => {
  it("finds by coverage what it does not find blindly", { timeout: DEADLINE_MS }, () => {
    expect(searched("coverage", "200000")).toMatchObject({ found: ["lock"] });
    expect(searched("blind", "200000")).toMatchObject({ found: [], kept: 1 });
  });

  it("does the same for the same seed, and not for another", async () => {
    const target: Target = { ...picky, run: toLine };
    const isOver = (inputs: number): boolean => inputs >= 200;
    const run = (seed: number): Promise<Result> => fuzz({ target, seed, corpus: [], coverage: null, isOver });
    const first = await run(1);
    expect(first.fresh.length).toBeGreaterThan(100);
    expect((await run(1)).fresh).toEqual(first.fresh);
    expect((await run(2)).fresh).not.toEqual(first.fresh);
  });

  it("tells a fault once, as short as it gets", async () => {
    const isOver = (inputs: number): boolean => inputs >= 20_000;
    const { faults } = await fuzz({ target: picky, seed: 3, corpus: [], coverage: null, isOver });
    expect(faults.map(({ fault }) => fault)).toEqual(["Finding: both bytes"]);
    expect([...(faults[0]?.input ?? [])].sort((a, b) => a - b)).toEqual([0, 0xff]);
  });

  it("shrinks to the same fault, not to another", async () => {
    const target: Target = {
      ...picky,
      run(input) {
        if (input.length < 3) throw new Finding("too short");
        if (input.includes(0x21)) throw new Finding("a mark");
        return "";
      },
    };
    const short = await shrink(target, Buffer.from("what is this! it is a mark"), "Finding: a mark");
    expect(short.length).toBe(3);
    expect(await faultOf(target, short)).toBe("Finding: a mark");
  });
});

describe("a file of inputs", () => {
  it("has every byte back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const line = toLine(Buffer.from(bytes));
        expect(line).toMatch(/^(?:[!-~](?:[ -~]*[!-~])?)?$/u);
        expect(line.startsWith("#")).toBe(false);
        expect([...fromLine(line)]).toEqual([...bytes]);
      }),
      { numRuns: 500, examples: [[new Uint8Array([0x5c, 0x78, 0x30, 0x30])], [new Uint8Array([0x23])]] },
    );
  });

  it("is empty where there is none", () => {
    expect(readInputs(join(tmpdir(), "tenure-fuzz-no-such-file.txt"))).toEqual([]);
  });
});

describe("the watchdog", () => {
  it("ends a run whose input does not end, and writes the input down", { timeout: DEADLINE_MS }, () => {
    const { signal, stderr } = spawnSync(process.execPath, [SEARCH, "hang"], { encoding: "utf8" });
    expect(signal).toBe("SIGKILL");
    const path = / --replay (\S+)/u.exec(stderr)?.[1] ?? expect.fail(stderr);
    expect(readFileSync(path, "utf8")).toBe("for ever\n");
  });
});
