/**
 * The harness of the transcripts itself: that a script cannot pass without being checked.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ScriptError } from "./harness/args.ts";
import { parse, run, verbsOf } from "./harness/script.ts";
import { VERBS } from "./verbs/index.ts";

const SCRIPTS = new URL("scripts/", import.meta.url);
const TEXTS = readdirSync(SCRIPTS)
  .filter((file) => file.endsWith(".txt"))
  .map((name) => ({ name, text: readFileSync(new URL(name, SCRIPTS), "utf8") }));

const ELECTED = "cluster voters=3\ntrace quiet\nwake m0\nsettle\n";

describe("the harness", () => {
  it("an expectation that does not hold fails, and says what is so", () => {
    expect(() => run(`${ELECTED}expect holder m1\n`)).toThrow("expect holder m1: it is m0");
    expect(() => run(`${ELECTED}expect log m0 1,2\n`)).toThrow("it is 1,1");
    expect(() => run(`${ELECTED}expect promise m0 1 max=5\n`)).toThrow("it is 1100 ms");
    expect(() => run(`${ELECTED}expect promise m0 2\n`)).toThrow("it is 1");
    expect(() => run(`${ELECTED}expect flights 1 kind=voteRequest\n`)).toThrow("it is 0");
    expect(() => run(`${ELECTED}expect config m0 m0,m1\n`)).toThrow("it is m0,m1,m2");
    expect(() => run(`${ELECTED}expect committed m0 m0+m1\n`)).toThrow("it is m0,m1,m2");
    expect(() => run(`${ELECTED}expect removed m0 m2\n`)).toThrow("it is none");
    expect(() => run(`${ELECTED}expect snapshot m0 1/1\n`)).toThrow("it is none");
  });

  it.each([
    "dance m0",
    "wake",
    "wake m9",
    "wake m0 m1",
    "wake m0 speed=2",
    "run-to yesterday",
    "run-to -1",
    "eligible m0 perhaps",
    "message m0 m1 applause term=1",
    "message m0 m1 installSnapshot term=1 at=nine",
    "message m0 m1 installSnapshot term=1 config=everyone",
    "deliver all from=m0 to=m1",
    "drop",
    "cluster voters=3",
    "expect weather fine",
    "show weather",
    "trace louder",
    "resume m0 nothing",
    "resign m0 stopped=perhaps",
    "change m0 swap m1",
    "change m0 promote",
    "join m3",
    "join m1 from=m0",
    "expect snapshot m0",
    "deliver some",
  ])("a command that cannot be understood or done is an error: %s", (line) => {
    expect(() => run(`${ELECTED}${line}\n`)).toThrow(ScriptError);
  });

  it("writes a long run of one command as one, and what differs in full", () => {
    const disk = (log: string): string => run(`cluster voters=1\ndisk m0 term=9 log=${log}\n`).split("\n").at(-2) ?? "";
    expect(disk("1*250,2,2")).toContain("[1..250/1 x, 251/2 x, 252/2 x]");
    expect(disk("1*8,2*9")).toContain("7/1 x, 8/1 x, 9..17/2 x]");
    expect(disk("3")).toContain("[1/3 x]");
    expect(disk("-")).toContain("[]");
  });

  it("a fault of the core ends the script, with the command that met it", () => {
    const script = `${ELECTED}message m1 m0 appendRequest term=1\n`;
    expect(() => run(script)).toThrow(/^message m1 m0 appendRequest term=1: .*one leader/);
  });

  it("what was recorded is not read back: a wrong recording is replaced by what is so", () => {
    const produced = run(`# Prose.\n\n${ELECTED}expect holder m0\n`);
    const wrong = produced.replaceAll("ok", "not ok");
    expect(wrong).not.toBe(produced);
    expect(run(wrong)).toBe(produced);
  });

  it("keeps prose and commands as they were", () => {
    const produced = run(`# One.\n# Two.\n\n${ELECTED}\n# Three.\nexpect holder m0\n`);
    expect(parse(produced).flatMap(({ prose }) => prose)).toEqual(["# One.", "# Two.", "# Three."]);
    expect(verbsOf(produced)).toEqual(["cluster", "trace", "wake", "settle", "expect"]);
  });
});

describe("the scripts", () => {
  it.each(TEXTS)("$name opens with the property it shows, and expects something", ({ text }) => {
    expect(text).toMatch(/^# \S.{20,}/);
    expect(verbsOf(text).filter((verb) => verb === "expect").length).toBeGreaterThan(1);
    const prose = text.split("\n").filter((line) => line.startsWith("#"));
    expect(prose.filter((line) => line.length > 120)).toEqual([]);
  });

  it.each(TEXTS)("$name gives the same bytes when it is run again", ({ text }) => {
    expect(run(text)).toBe(run(text));
  });

  it("use every verb, and every verb says how it is written", () => {
    const used = new Set(TEXTS.flatMap(({ text }) => verbsOf(text)));
    expect([...VERBS.keys()].filter((verb) => !used.has(verb))).toEqual([]);
    for (const [name, { usage }] of VERBS) expect(usage.startsWith(name)).toBe(true);
  });
});
