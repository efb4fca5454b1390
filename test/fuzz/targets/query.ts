/**
 * The query of a long poll, and the names in Host and Origin (src/api/query.ts, host.ts).
 *
 * An input is three lines: query, Host, Origin. Promises: a number that is accepted is the number that was written, a
 * wait is within its bounds; and a Host or Origin that passes leads, in the eyes of a browser, to this machine.
 */
import { isLoopbackAuthority, isLoopbackOrigin } from "../../../src/api/host.ts";
import { parseLongPoll } from "../../../src/api/query.ts";
import { MAX_WAIT_MS } from "../../../src/base/limits.ts";
import { bytesMutator } from "../engine/bytes.ts";
import { refusal, require, type Target } from "../engine/target.ts";

// prettier-ignore
const TOKENS = [
  "index=", "wait=", "&", "%31", "+", "0", "9007199254740991", "9007199254740992", "ms", "s", "m", "30s",
  "300001ms", "localhost", "127.0.0.1", "[::1]", "127.1", "0x7f.1", "@", ":", ":80", ".", "http://", "https://",
  "/", "\\", "#", "?", "127.0.0.256", "017700000001", "[::ffff:127.0.0.1]", "evil.test", "\t", "%2e",
  "\u00e3\u0080\u0082", "null",
];

function queried(query: string): string {
  try {
    const asked = parseLongPoll(query);
    if (asked === null) return "no poll";
    const parameters = new URLSearchParams(query);
    require(BigInt(asked.index) === BigInt(parameters.get("index") ?? "-1"), "an index is taken as it was written");
    require(asked.waitMs >= 0 && asked.waitMs <= MAX_WAIT_MS, "a wait is within its bounds");
    const [, digits = "", unit = ""] = /^(\d+)(ms|s|m)$/u.exec(parameters.get("wait") ?? "") ?? [];
    const factor = { ms: 1, s: 1_000, m: 60_000 }[unit];
    require(factor === undefined || Number(digits) * factor === asked.waitMs, "a wait is taken as it was written");
    return `poll ${asked.waitMs === 0 ? "at once" : unit}`;
  } catch (error) {
    return refusal(error, ["query_invalid"]);
  }
}

/** Where a browser goes; null where it does not go at all. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

function leadsHere(host: string | null): boolean {
  return host === null || ["localhost", "localhost.", "[::1]"].includes(host) || /^127\.\d+\.\d+\.\d+$/u.test(host);
}

export function open(): Target {
  return {
    covers: ["src/api/query.ts", "src/api/host.ts"],
    seeds: [
      Buffer.from("index=41&wait=30s\nlocalhost:4040\nhttp://localhost:3000"),
      Buffer.from("wait=500ms&index=0\n127.0.0.1\nhttps://127.255.0.9"),
      Buffer.from("index=9007199254740991&wait=5m&other=1\n[::1]:80\nnull"),
      Buffer.from("\nLOCALHOST.\nHTTP://[::1]"),
    ],
    mutate: bytesMutator(TOKENS),
    run(input) {
      const [query = "", host = "", origin = ""] = input.toString("latin1").split("\n");
      const isHost = isLoopbackAuthority(host);
      const isOrigin = isLoopbackOrigin(origin);
      require(!isHost || leadsHere(hostOf(`http://${host}/`)), "a Host that passes names this machine");
      require(!isOrigin || leadsHere(hostOf(origin)), "an Origin that passes is a page of this machine");
      return `${queried(query)}, host ${isHost}, origin ${isOrigin}`;
    },
  };
}
