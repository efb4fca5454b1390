/**
 * Majorities as a truth table: what each voter has reached, and what a majority has. Every row is checked in every
 * order of its voters, and against the definition counted by hand.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { majoritySize, newestOfMajority } from "../../../src/lease/majority.ts";

/** `.` is a voter that has reached nothing; `-` is "no majority". */
const TABLE = `
                    | -
  .                 | -
  12                | 12
  . .               | -
  12 .              | -
  12 12             | 12
  12 5              | 5
  . . .             | -
  12 . .            | -
  12 5 .            | 5
  12 5 5            | 5
  12 12 5           | 12
  100 101 103       | 101
  0 0 7             | 0
  . . . .           | -
  8 9 . .           | -
  8 9 10 .          | 8
  8 9 10 11         | 9
  7 7 9 9           | 7
  . . . . .         | -
  1 2 . . .         | -
  1 2 3 . .         | 1
  1 2 3 4 .         | 2
  1 2 3 4 5         | 3
  5 5 5 1 1         | 5
  1 2 3 . . .       | -
  1 2 3 4 . .       | 1
  1 2 3 4 5 6       | 3
  1 2 3 4 5 6 7     | 4
  9 9 9 . . . .     | -
  9 9 9 8 . . .     | 8
`;

interface Row {
  readonly title: string;
  readonly values: readonly (number | null)[];
  readonly expected: number | null;
}

const ROWS: readonly Row[] = TABLE.split("\n")
  .filter((line) => line.includes("|"))
  .map((line) => {
    const [left = "", right = ""] = line.split("|").map((part) => part.trim());
    const values = left.split(/\s+/).filter((word) => word !== "");
    return {
      title: `${values.length} voters: ${left === "" ? "none" : left} -> ${right}`,
      values: values.map((word) => (word === "." ? null : Number(word))),
      expected: right === "-" ? null : Number(right),
    };
  });

function* ordersOf<T>(values: readonly T[]): Generator<readonly T[], void> {
  if (values.length === 0) {
    yield [];
    return;
  }
  for (const [at, value] of values.entries()) {
    for (const rest of ordersOf(values.toSpliced(at, 1))) yield [value, ...rest];
  }
}

/** The definition: the largest value that more than half of all voters have reached. */
function countedByHand(values: readonly (number | null)[]): number | null {
  const reached = values.filter((value) => value !== null);
  const agreed = reached.filter((value) => 2 * reached.filter((other) => other >= value).length > values.length);
  return agreed.length === 0 ? null : Math.max(...agreed);
}

describe("the newest of a majority", () => {
  it.each(ROWS)("$title", ({ values, expected }) => {
    for (const order of ordersOf(values)) expect(newestOfMajority(order)).toBe(expected);
    expect(countedByHand(values)).toBe(expected);
  });

  it("is what the definition counts, for any values", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 12 }), (values) => {
        expect(newestOfMajority(values)).toBe(countedByHand(values));
      }),
    );
  });

  it("leaves the values as they were", () => {
    const values = [1, 3, 2];
    newestOfMajority(values);
    expect(values).toEqual([1, 3, 2]);
  });
});

describe("the size of a majority", () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])("of %d is %d", (voters, size) => {
    expect(majoritySize(voters)).toBe(size);
  });

  it("makes any two majorities of the same voters share one, and is the smallest that does", () => {
    for (let voters = 1; voters <= 128; voters += 1) {
      expect(2 * majoritySize(voters)).toBeGreaterThan(voters);
      expect(2 * (majoritySize(voters) - 1)).toBeLessThanOrEqual(voters);
    }
  });

  it("an empty set has none", () => {
    expect(majoritySize(0)).toBe(1);
    expect(newestOfMajority([])).toBeNull();
  });
});
