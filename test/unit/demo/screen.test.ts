/** The demo's picture, at every size, and its keys. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bar, type Paper } from "../../../demo/paint.ts";
import { draw, type MemberPicture, type Picture } from "../../../demo/screen.ts";
import { keysOf } from "../../../demo/terminal.ts";

const MEMBER: MemberPicture = {
  name: "app-0",
  isSelected: false,
  role: "candidate",
  state: "stopping",
  isFresh: true,
  term: 12,
  token: 251_301_442_093_057,
  leaseLeftMs: 1_230,
  worker: "writing",
  writes: 123_456,
  refused: 7,
};

const PICTURE: Picture = {
  sinceMs: 61_000,
  leaseDurationMs: 2_000,
  heartbeatIntervalMs: 250,
  usableLeaseMs: 1_640,
  members: [MEMBER, { ...MEMBER, name: "app-1", isSelected: true, leaseLeftMs: 0, state: "dead" }, MEMBER],
  holder: "app-0",
  whyNobody: "",
  writes: 9,
  highestToken: 251_301_442_093_057,
  refused: 7,
  tenures: 2,
  faults: [],
  events: Array.from({ length: 100 }, (_, n) => ({ atMs: n, tone: "deed", text: `event ${n} ${"x".repeat(n)}` })),
};

const PAPER: Paper = { columns: 80, rows: 24, colours: false, unicode: true };
const escapes = /\u001B\[\d*m/gu;

describe("the screen", () => {
  it("has exactly the rows of the terminal and never more than its columns, at any size", () => {
    const sizes = { columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) };
    const papers = fc.record({ ...sizes, colours: fc.boolean(), unicode: fc.boolean() });
    fc.assert(
      fc.property(papers, fc.integer({ min: 0, max: 30 }), (paper, events) => {
        const lines = draw({ ...PICTURE, events: PICTURE.events.slice(0, events) }, paper);
        expect(lines).toHaveLength(paper.rows);
        for (const line of lines) expect(line.replaceAll(escapes, "").length).toBeLessThanOrEqual(paper.columns);
      }),
    );
  });

  it("shows every column whole at 80 by 24, with the newest events and all keys", () => {
    const lines = draw(PICTURE, PAPER);
    const titles = ["pod", "role", "state", "term", "token", "lease", "worker", "refused"];
    expect(lines[2]?.trim().split(/\s+/u)).toEqual(titles);
    const row = "  app-0 candidate  stopping   12  251301442093057 ██████·· 1.23  writing       7";
    expect(lines[3]).toBe(row);
    expect(lines[4]).toContain("▸ app-1 candidate  dead       12  -               ········");
    expect(lines.join("\n")).toContain("event 99");
    expect(lines.at(-1)).toContain("q quit");
  });

  it("has no escape sequence without colours, and nothing but ASCII where there is no Unicode", () => {
    const plain = draw(PICTURE, { ...PAPER, unicode: false }).join("");
    expect(plain).toMatch(/^[ -~]*$/u);
    expect(draw(PICTURE, { ...PAPER, colours: true }).join("")).toMatch(escapes);
  });

  it("says the first fault, and why nobody holds the lock", () => {
    const bad = { ...PICTURE, faults: ["two holders at once"], holder: null, whyNobody: "nobody: x" };
    const text = draw(bad, PAPER).join("\n");
    expect(text).toContain(" FAULT    two holders at once");
    expect(text).not.toContain("never two holders");
    expect(text).toContain(" holder   nobody: x");
  });
});

describe("a bar", () => {
  it.each([
    [0, "····"],
    [1 / 32, "▏···"],
    [0.5, "██··"],
    [0.99, "████"],
    [1, "████"],
    [-1, "····"],
    [7, "████"],
  ])("of %d", (share, expected) => {
    expect(bar(share, 4, true)).toBe(expected);
  });

  it("is made of # without Unicode", () => {
    expect(bar(0.5, 4, false)).toBe("##..");
  });
});

describe("keys", () => {
  it("are told apart also when they come at once", () => {
    expect(keysOf("1\u001B[A\u001BOBP\t\u0003")).toEqual(["1", "up", "down", "p", "tab", "quit"]);
    expect(keysOf("\u001B[15~q")).toEqual(["\u001b[15~", "q"]);
  });
});
