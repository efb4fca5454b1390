/**
 * The judge of the example workers, on records made up here.
 */
import { describe, expect, it } from "vitest";
import { ActingRecord } from "../../support/acting-record.ts";

const SLACK_MS = 10;
const TOKEN = 7;
const worker = "app-0";

/** Told "yes" at 0 with a deadline of 1000, and "no" at `noMs`; writes at `atMs`, done at `endedMs`. */
function record(atMs: number, endedMs: number | null, noMs = 2_000, token = TOKEN): ActingRecord {
  const made = new ActingRecord();
  made.told.push({ worker, atMs: 0, isLeader: true, token: TOKEN, deadlineMs: 1_000 });
  made.told.push({ worker, atMs: noMs, isLeader: false, token: null, deadlineMs: null });
  made.wrote.push({ worker, atMs, token, endedMs });
  return made;
}

describe("the record of a worker", () => {
  it("has nothing against a write between the answer and the deadline, give or take the slack", () => {
    expect(record(0, 5).faults(SLACK_MS)).toStrictEqual([]);
    expect(record(990, 1_005).faults(SLACK_MS)).toStrictEqual([]);
    expect(record(505, 508, 500).faults(SLACK_MS)).toStrictEqual([]);
  });

  it.each([
    ["a token that it was not given", record(5, 6, 2_000, TOKEN + 1), "which it was not given"],
    ["a write before any answer", record(-1, 6), "which it was not given"],
    ["a write after the deadline", record(1_020, 1_020), "wrote after its deadline, 20 ms late"],
    ["a write that outlasts the deadline", record(900, 1_020), "held on to a write after its deadline, 20 ms late"],
    ["a write after a no", record(520, 525, 500), "wrote after it was told to stop, 20 ms late"],
  ])("shows %s", (_, made, expected) => {
    expect(made.faults(SLACK_MS).join("\n")).toContain(expected);
  });

  it("shows a write after the word that it stopped, and one under way", () => {
    const after = record(600, 605);
    after.resigned.push({ worker, atMs: 599, status: 200 });
    expect(after.faults(SLACK_MS)).toStrictEqual(["app-0 wrote after it had said that it stopped, with token 7"]);
    for (const endedMs of [700, null]) {
      const during = record(600, endedMs);
      during.resigned.push({ worker, atMs: 650, status: 200 });
      expect(during.faults(SLACK_MS).join("\n")).toContain("ended a write after it had said that it stopped");
    }
  });

  it("knows one worker from another, and a new answer from an old one", () => {
    const made = record(600, 605);
    made.resigned.push({ worker: "app-1", atMs: 599, status: 200 });
    made.resigned.push({ worker, atMs: -5, status: 200 });
    expect(made.faults(SLACK_MS)).toStrictEqual([]);
    made.wrote.push({ worker: "app-1", atMs: 600, token: TOKEN, endedMs: 605 });
    expect(made.faults(SLACK_MS)).toStrictEqual(["app-1 wrote with token 7, which it was not given"]);
  });
});
