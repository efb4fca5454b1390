import { describe, expect, it } from "vitest";
import { Dice } from "../../../src/raft/random.ts";

function draw(seed: number, count: number): readonly number[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () => dice.next());
}

describe("dice", () => {
  it("the same seed gives the same sequence", () => {
    expect(draw(42, 50)).toEqual(draw(42, 50));
  });

  it("the sequence of a seed is the same in every version: recorded runs can be replayed", () => {
    expect(draw(1, 3).map((value) => value.toFixed(9))).toEqual(["0.367875543", "0.081613120", "0.820535778"]);
  });

  it("neighbouring seeds, as members of one group have, give unlike sequences", () => {
    const firsts = Array.from({ length: 64 }, (_, seed) => draw(seed, 1)[0]);
    expect(new Set(firsts).size).toBe(64);
    expect(Math.max(...firsts.map(Number)) - Math.min(...firsts.map(Number))).toBeGreaterThan(0.8);
  });

  it("stays in [0, 1) and fills it evenly", () => {
    const values = draw(7, 10_000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = Array.from({ length: 10 }, (_, tenth) => values.filter((value) => Math.floor(value * 10) === tenth));
    for (const tenth of tenths) expect(Math.abs(tenth.length - 1_000)).toBeLessThan(150);
  });

  it("takes any 32-bit seed, negative ones included", () => {
    for (const seed of [0, -1, 2 ** 31, 2 ** 32 - 1]) expect(new Set(draw(seed, 100)).size).toBe(100);
    expect(draw(-1, 5)).toEqual(draw(2 ** 32 - 1, 5));
  });
});
