/**
 * What the commands show, to the letter.
 */
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { Cluster, History, Leader, ListedMember, Picture } from "../../../src/cli/answers.ts";
import { historyTable, memberTable } from "../../../src/cli/lists.ts";
import { coloured, paintFor, plain } from "../../../src/cli/paint.ts";
import { span } from "../../../src/cli/span.ts";
import { renderStatus } from "../../../src/cli/status.ts";
import { waitsFor } from "../../../src/node/cluster-view.ts";

const TOKEN = 251_301_442_093_057;

function member(ordinal: number, fields: Partial<ListedMember> = {}): ListedMember {
  return {
    name: `app-${ordinal}`,
    id: String(ordinal).repeat(32),
    role: "follower",
    voter: true,
    self: false,
    connected: true,
    lastContactMs: 17,
    version: "0.1.0",
    matchIndex: 41,
    eligible: true,
    ...fields,
  };
}

function picture(changes: {
  readonly leader?: Partial<Leader>;
  readonly cluster?: Partial<Cluster>;
  readonly holder?: Picture["holder"];
}): Picture {
  const { holder = { name: "app-1", token: TOKEN, forMs: 3_723_000 } } = changes;
  return {
    holder,
    leader: {
      isLeader: true,
      name: holder?.name ?? null,
      self: "app-1",
      token: TOKEN,
      remainingMs: 1_583,
      reason: "holder",
      index: 7,
      ...changes.leader,
    },
    cluster: {
      group: "app",
      groupId: "0123456789abcdef0123456789abcdef",
      self: "app-1",
      term: 12,
      holder: holder?.name ?? null,
      holderForMs: holder?.forMs ?? null,
      leaseDurationMs: 2_000,
      trouble: null,
      members: [member(0), member(1, { role: "leader", self: true, matchIndex: 42 }), member(2)],
      ...changes.cluster,
    },
  };
}

function text(shown: Picture): string {
  return `\n${renderStatus(shown, plain).join("\n")}\n`;
}

describe("status", () => {
  it("of a healthy group, in the holder's pod", () => {
    expect(text(picture({}))).toBe(`
group     app, term 12
holder    app-1 (this pod), token 251301442093057, for 1 h 2 min
this pod  app-1: holds the lock; 1583 ms of its lease of 2000 ms are left

NAME   ROLE            MEMBER  CONTACT    VERSION  MATCH
app-0  follower        voter   17 ms ago  0.1.0       41
app-1  leader, holder  voter   this pod   0.1.0       42
app-2  follower        voter   17 ms ago  0.1.0       41
`);
  });

  it("in another pod, with a member away, a learner and an older version", () => {
    const members = [
      member(0, { role: "leader", lastContactMs: 90, matchIndex: null }),
      member(1, { self: true, eligible: false }),
      member(2, { connected: false, lastContactMs: 125_000, matchIndex: null, version: null }),
      member(3, { role: "learner", voter: false, lastContactMs: 86_400_000, version: "0.0.9", matchIndex: null }),
      member(4, { role: "learner", voter: false, connected: false, lastContactMs: null, matchIndex: null }),
    ];
    const shown = picture({
      holder: { name: "app-0", token: TOKEN, forMs: 59_999 },
      leader: { isLeader: false, reason: "ineligible", remainingMs: 0, token: null },
      cluster: { members, trouble: "not connected from here: app-2" },
    });
    expect(text(shown)).toBe(`
group     app, term 12
holder    app-0, token 251301442093057, for 59 s
this pod  app-1: out of the running, by its application's wish

NAME   ROLE                  MEMBER   CONTACT              VERSION  MATCH
app-0  leader, holder        voter    90 ms ago            0.1.0        -
app-1  follower, ineligible  voter    this pod             0.1.0       41
app-2  follower              voter    lost, 2 min 5 s ago  -            -
app-3  learner               learner  connected            0.0.9        -
app-4  learner               learner  never                0.1.0        -

trouble   not connected from here: app-2
try       kubectl get pod app-2 -o wide
          kubectl logs app-2 -c tenure --tail=20
          kubectl get pod app-4 -o wide
          kubectl logs app-4 -c tenure --tail=20

note      this pod cannot become the holder until its application sends
          {"eligible":true} with PUT /eligibility

note      more than one version, which is right only during a rollout: 0.1.0 on
          app-0, app-1, app-4; 0.0.9 on app-3
`);
  });

  it("without a majority", () => {
    const lost = { role: "unknown", connected: false, lastContactMs: 7_000, matchIndex: null };
    const members = [member(0, lost), member(1, { role: "candidate", self: true }), member(2, lost)];
    const trouble =
      "no majority: 1 of 3 voters are connected from here, 2 are needed; missing: app-0, app-2. Nobody holds the " +
      "lock until enough of them are back with their data.";
    const leader = { isLeader: false, reason: "no-quorum", remainingMs: 0, token: null } as const;
    expect(text(picture({ holder: null, leader, cluster: { members, trouble } }))).toBe(`
group     app, term 12
holder    nobody is known to hold the lock
this pod  app-1: hears no leader with a majority

NAME   ROLE       MEMBER  CONTACT        VERSION  MATCH
app-0  unknown    voter   lost, 7 s ago  0.1.0        -
app-1  candidate  voter   this pod       0.1.0       41
app-2  unknown    voter   lost, 7 s ago  0.1.0        -

trouble   no majority: 1 of 3 voters are connected from here, 2 are needed;
          missing: app-0, app-2. Nobody holds the lock until enough of them are
          back with their data.
try       kubectl get pod app-0 -o wide
          kubectl logs app-0 -c tenure --tail=20
          kubectl get pod app-2 -o wide
          kubectl logs app-2 -c tenure --tail=20
          kubectl exec app-1 -c tenure -- node dist/main.js rescue
`);
  });

  it("before there is a group", () => {
    const trouble = waitsFor(false, ["app-0", "app-2"]);
    const leader = { isLeader: false, reason: "starting", remainingMs: 0, token: null } as const;
    expect(text(picture({ holder: null, leader, cluster: { members: [], trouble, term: 0, groupId: null } }))).toBe(`
group     app, term 0
holder    nobody is known to hold the lock
this pod  app-1: starting; has not heard of a leader yet

trouble   the group is not formed yet: every pod of the set must have answered
          that it is empty; no answer from app-0, app-2
try       kubectl get pods -o wide
          kubectl logs app-1 -c tenure --tail=20
`);
  });

  it("says what to type while the lease is kept for the application", () => {
    const shown = text(picture({ leader: { isLeader: false, reason: "draining", remainingMs: 0, token: null } }));
    expect(shown).toContain("\nthis pod  app-1: drains; holds the lock until its application has stopped\n");
    expect(shown).toContain("\ntry       kubectl exec app-1 -c tenure -- node dist/main.js resign\n");
  });

  it("keeps to 80 columns, whatever the reason", () => {
    for (const reason of ["holder", "follower", "waiting", "no-quorum", "draining", "joining", "starting"] as const) {
      const lines = renderStatus(picture({ leader: { reason }, cluster: { trouble: "word ".repeat(50) } }), plain);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it("obeys no control character of a peer", () => {
    const evil = "a\u001b[2J\r\u202e\u2028b";
    const members = [member(1, { name: evil, version: evil, role: evil })];
    const shown = text(picture({ cluster: { group: evil, trouble: evil, members, self: evil } }));
    expect(shown.replaceAll(/[ -~\n\uFFFD]/gu, "")).toBe("");
    expect(shown).toContain("a\uFFFD[2J\uFFFD\uFFFD\uFFFDb");
  });
});

describe("colours", () => {
  it("add nothing but themselves", () => {
    const trouble = "not connected from here: app-2";
    const shown = picture({ cluster: { trouble, members: [member(1), member(2, { connected: false })] } });
    const painted = renderStatus(shown, coloured).join("\n");
    expect(painted).not.toBe(renderStatus(shown, plain).join("\n"));
    expect(stripVTControlCharacters(painted)).toBe(renderStatus(shown, plain).join("\n"));
  });

  it("are for terminals whose user wants them", () => {
    expect(paintFor(true, {})).toBe(coloured);
    expect(paintFor(true, { NO_COLOR: "" })).toBe(coloured);
    expect(paintFor(true, { NO_COLOR: "0" })).toBe(plain);
    expect(paintFor(true, { TERM: "dumb" })).toBe(plain);
    expect(paintFor(false, {})).toBe(plain);
  });
});

describe("members", () => {
  it("come with the beginnings of their incarnations", () => {
    expect(memberTable([member(0), member(10)], "app-10", plain, { withId: true })).toEqual([
      "NAME    ROLE              MEMBER  CONTACT    VERSION  MATCH  INCARNATION",
      "app-0   follower          voter   17 ms ago  0.1.0       41  000000000000",
      "app-10  follower, holder  voter   17 ms ago  0.1.0       41  101010101010",
    ]);
  });
});

describe("history", () => {
  it("is a table, newest first", () => {
    const past = (name: string, token: number, end: string): History["tenures"][number] => {
      return { name, id: "0".repeat(32), token, term: 12, end };
    };
    const tenures = [past("app-1", 1_057, "current"), past("app-0", 57, "superseded")];
    expect(historyTable({ group: "app", tenures }, plain)).toEqual([
      "TOKEN  HOLDER  TERM  END",
      " 1057  app-1     12  current",
      "   57  app-0     12  superseded",
    ]);
  });

  it("may be empty", () => {
    expect(historyTable({ group: "app", tenures: [] }, plain)).toEqual(["no tenure yet, as far as this pod knows"]);
  });
});

describe("a span", () => {
  it.each([
    [0, "0 ms"],
    [999.9, "999 ms"],
    [1_000, "1 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [185_000, "3 min 5 s"],
    [3_599_999, "59 min 59 s"],
    [3_600_000, "1 h"],
    [3_723_000, "1 h 2 min"],
    [439_200_000, "5 d 2 h"],
  ])("of %d ms is %s", (durationMs, words) => {
    expect(span(durationMs)).toBe(words);
  });
});
