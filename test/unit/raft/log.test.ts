import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { logIndex, term } from "../../../src/base/types.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { RaftLog } from "../../../src/raft/log.ts";
import { baseOf, command, config, configurationOf, logOf, noop, votersOf } from "../../support/entries.ts";

const THREE = votersOf(3);

function logWith(entries: readonly Entry[], baseIndex = 0, baseTerm = 0): RaftLog {
  return new RaftLog(baseOf(THREE, baseIndex, baseTerm), entries);
}

describe("the log", () => {
  it("begins after its base", () => {
    const empty = logWith([], 7, 3);
    expect([empty.baseIndex, empty.lastIndex, empty.lastTerm]).toEqual([7, 7, 3]);
    const log = logWith([noop(8, 4)], 7, 3);
    expect([log.lastIndex, log.lastTerm]).toEqual([8, 4]);
    expect(log.entryAt(logIndex(8))).toEqual(noop(8, 4));
  });

  it("knows the term of the base and of each entry, and of nothing else", () => {
    const log = logWith([noop(8, 4), command(9, 5)], 7, 3);
    const terms = [6, 7, 8, 9, 10].map((index) => log.termAt(logIndex(index)));
    expect(terms).toEqual([null, 3, 4, 5, null]);
    expect(() => log.entryAt(logIndex(7))).toThrow(AssertionError);
    expect(() => log.entryAt(logIndex(10))).toThrow(AssertionError);
  });

  it("takes entries without a gap, of terms that never fall", () => {
    const log = logWith(logOf(1, 1, 2));
    expect(() => log.append(command(5, 2))).toThrow(AssertionError);
    expect(() => log.append(command(3, 2))).toThrow(AssertionError);
    expect(() => log.append(command(4, 1))).toThrow(AssertionError);
    log.append(command(4, 2));
    expect(log.lastIndex).toBe(4);
    expect(() => logWith([command(8, 2)], 7, 3)).toThrow(AssertionError);
  });

  it("slices inclusively, with a limit", () => {
    const log = logWith(
      [5, 6, 7, 8].map((index) => command(index, 2)),
      4,
      2,
    );
    const indexes = (from: number, limit: number, characters = 100_000) =>
      log.slice(logIndex(from), limit, characters).map((entry) => entry.index);
    expect(indexes(5, 9)).toEqual([5, 6, 7, 8]);
    expect(indexes(7, 9)).toEqual([7, 8]);
    expect(indexes(5, 2)).toEqual([5, 6]);
    expect(indexes(9, 9)).toEqual([]);
    expect(indexes(5, 9, 1), "one entry goes, however long it is").toEqual([5]);
    expect(indexes(5, 9, 400), "as much text as allowed").toEqual([5, 6]);
    expect(() => indexes(4, 9)).toThrow(AssertionError);
  });

  it("truncates after an index, down to the base and no further", () => {
    const log = logWith([command(5, 2), command(6, 3), command(7, 3)], 4, 2);
    log.truncateAfter(logIndex(5));
    expect([log.lastIndex, log.lastTerm, log.termAt(logIndex(6))]).toEqual([5, 2, null]);
    log.append(command(6, 9));
    expect(log.termAt(logIndex(6))).toBe(9);
    log.truncateAfter(logIndex(4));
    expect([log.lastIndex, log.lastTerm]).toEqual([4, 2]);
    expect(() => log.truncateAfter(logIndex(3))).toThrow(AssertionError);
  });
});

describe("configurations in the log (dissertation, 4.1)", () => {
  const four = configurationOf([0, 1, 2, 3]);
  const joined = configurationOf([0, 1, 2], [3]);

  it("the latest appended one counts, committed or not", () => {
    const log = logWith([noop(1, 1)]);
    expect(log.configuration).toEqual(THREE);
    log.append(config(2, 1, joined));
    expect(log.configuration).toEqual(joined);
    log.append(config(3, 1, four));
    log.append(command(4, 1));
    expect(log.configuration).toEqual(four);
  });

  it("the ids of the voters are one array for as long as the configuration stands, and another one afterwards", () => {
    const log = logWith([noop(1, 1)]);
    const first = log.voterIds;
    log.append(command(2, 1));
    expect(log.voterIds).toBe(first);
    log.append(config(3, 1, four));
    const second = log.voterIds;
    expect(second).toEqual(four.voters.map(({ id }) => id));
    expect(log.voterIds).toBe(second);
    log.truncateAfter(logIndex(2));
    expect(log.voterIds).toEqual(THREE.voters.map(({ id }) => id));
    expect(first).toHaveLength(3);
  });

  it("the latest stored one counts after a start", () => {
    expect(logWith([config(1, 1, joined), noop(2, 1)]).configuration).toEqual(joined);
  });

  it("truncation goes back to the one before, and at last to that of the base", () => {
    const log = logWith([config(1, 1, joined), command(2, 1), config(3, 1, four), command(4, 1)]);
    log.truncateAfter(logIndex(3));
    expect(log.configuration).toEqual(four);
    log.truncateAfter(logIndex(2));
    expect(log.configuration).toEqual(joined);
    log.truncateAfter(logIndex(0));
    expect(log.configuration).toEqual(THREE);
  });
});

describe("the back-up of a refused append (Raft paper, 5.3)", () => {
  it.each([
    [1, 1],
    [3, 1],
    [4, 4],
    [5, 4],
    [6, 6],
  ])("the term of index %d begins at %d", (index, first) => {
    expect(logWith(logOf(1, 1, 1, 4, 4, 6)).firstIndexOfTermAt(logIndex(index))).toBe(first);
  });

  it("never goes below the first entry after the base, even when the base has the same term", () => {
    const log = logWith([command(5, 2), command(6, 2)], 4, 2);
    expect(log.firstIndexOfTermAt(logIndex(6))).toBe(5);
  });

  it("finds the first index of the term in any log", () => {
    const terms = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 });
    const rising = terms.map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(rising, fc.nat(), (log, pick) => {
        const index = (pick % log.length) + 1;
        const found = logWith(logOf(...log)).firstIndexOfTermAt(logIndex(index));
        expect(found).toBe(log.indexOf(log[index - 1] ?? 0) + 1);
      }),
    );
  });
});

describe("the newest entry of a kind", () => {
  it("is found among several kinds, and gone when it was cut off", () => {
    const log = logWith([noop(1, 1), command(2, 1), noop(3, 2), command(4, 2)]);
    expect(log.lastOf("noop")).toEqual(noop(3, 2));
    expect(log.lastOf("noop", "command")).toEqual(command(4, 2));
    expect(log.lastOf("claim", "release")).toBeNull();
    log.truncateAfter(logIndex(2));
    expect(log.lastOf("noop")).toEqual(noop(1, 1));
  });
});

describe("up to date (Raft paper, 5.4.1)", () => {
  // This log ends with (index 3, term 2).
  it.each([
    [3, 2, true],
    [4, 2, true],
    [2, 2, false],
    [1, 3, true],
    [0, 3, true],
    [9, 1, false],
  ])("a log that ends with index %d of term %d covers it: %s", (lastIndex, lastTerm, covers) => {
    expect(logWith(logOf(1, 1, 2)).isCoveredBy(logIndex(lastIndex), term(lastTerm))).toBe(covers);
  });

  it("orders any two logs: one covers the other, and both only when they end alike", () => {
    const end = fc.record({ index: fc.integer({ min: 1, max: 6 }), atTerm: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(end, end, (a, b) => {
        const logs = [a, b].map(({ index, atTerm }) => logWith(logOf(...Array<number>(index).fill(atTerm))));
        const [first, second] = logs;
        if (first === undefined || second === undefined) throw new Error("two logs");
        const covers = [
          first.isCoveredBy(second.lastIndex, second.lastTerm),
          second.isCoveredBy(first.lastIndex, first.lastTerm),
        ];
        expect(covers).toContain(true);
        expect(covers.every(Boolean)).toBe(a.index === b.index && a.atTerm === b.atTerm);
      }),
    );
  });
});
