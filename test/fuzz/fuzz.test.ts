/**
 * A sample of `npm run fuzz`: what once broke a promise, the corpus, and some new inputs, for each target.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fuzz } from "./engine/loop.ts";
import { faultOf } from "./engine/shrink.ts";
import { readInputs, toLine } from "./engine/texts.ts";
import { TARGET_NAMES, TARGETS } from "./targets/index.ts";

const SEED = 20_261_122;
/** Where an input costs microseconds. */
const SAMPLE = 1_000;
const MAX_CORPORA_BYTES = 200_000;

const inputsOf = (folder: string, name: string): readonly Buffer[] =>
  readInputs(join(import.meta.dirname, folder, `${name}.txt`));

describe.each(TARGET_NAMES)("%s", (name) => {
  it("keeps its promises: what once broke one, the corpus, and new inputs", async () => {
    const target = await TARGETS[name]();
    try {
      for (const input of [...inputsOf("regressions", name), ...target.seeds]) {
        expect(await faultOf(target, input), toLine(input)).toBeNull();
      }
      const corpus = inputsOf("corpus", name);
      const sample = target.sample ?? SAMPLE;
      const inputs = target.seeds.length + corpus.length + sample;
      const isOver = (done: number): boolean => done >= inputs;
      const result = await fuzz({ target, seed: SEED, corpus, coverage: null, isOver, batch: Math.ceil(sample / 4) });
      expect(result.faults.map(({ fault, input }) => `${fault}: ${toLine(input)}`)).toEqual([]);
      expect(result.inputs).toBeGreaterThanOrEqual(inputs);
      expect(result.answers, "more than one answer, or nothing was tested").toBeGreaterThan(3);
    } finally {
      await target.close?.();
    }
  });
});

describe("the corpora", () => {
  it("are small, and each belongs to a target", () => {
    const names = new Set<string>(TARGET_NAMES.map((name) => `${name}.txt`));
    let bytes = 0;
    for (const folder of ["corpus", "regressions"]) {
      for (const file of readdirSync(join(import.meta.dirname, folder))) {
        expect(names).toContain(file);
        bytes += readInputs(join(import.meta.dirname, folder, file)).reduce((sum, input) => sum + input.length, 0);
      }
    }
    expect(bytes).toBeLessThan(MAX_CORPORA_BYTES);
  });
});
