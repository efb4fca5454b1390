/** docs/reference/peer-protocol.md says what the code does: every kind, code and number. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as limits from "../../../src/base/limits.ts";
import { MESSAGE_SCHEMAS } from "../../../src/transport/schemas.ts";
import { PROTOCOL, REFUSAL_CODES } from "../../../src/transport/wire.ts";

const page = readFileSync(new URL("../../../docs/reference/peer-protocol.md", import.meta.url), "utf8");
const number = (value: number): string => value.toLocaleString("en-US");

describe("the page of the peer protocol", () => {
  it("has a row for every message", () => {
    const rows = [...page.matchAll(/^\| `([a-zA-Z]+)` \|/gm)].map(([, kind]) => kind);
    for (const kind of Object.keys(MESSAGE_SCHEMAS)) expect(rows).toContain(kind);
  });

  it("names every code of a refusal, and the version", () => {
    for (const code of REFUSAL_CODES) expect(page).toContain(`\`${code}\``);
    expect(page).toContain(`This is protocol ${PROTOCOL}.`);
  });

  it.each([
    ["MAX_FRAME_BYTES", `1 to ${number(limits.MAX_FRAME_BYTES)};`],
    ["MAX_HANDSHAKE_FRAME_BYTES", `at most ${number(limits.MAX_HANDSHAKE_FRAME_BYTES)}.`],
    ["MAX_PEER_CONNECTIONS", `(${limits.MAX_PEER_CONNECTIONS} handshaken connections)`],
    ["MAX_PEER_PENDING", `at most ${limits.MAX_PEER_PENDING} on top of the ${limits.MAX_PEER_CONNECTIONS};`],
    ["PEER_CONNECT_TIMEOUT_MS", `may take ${limits.PEER_CONNECT_TIMEOUT_MS} ms`],
    ["PEER_HANDSHAKE_TIMEOUT_MS", `together ${limits.PEER_HANDSHAKE_TIMEOUT_MS / 1_000} s.`],
    ["PEER_BACKOFF_MIN_MS", `from ${limits.PEER_BACKOFF_MIN_MS} ms up to`],
    ["PEER_BACKOFF_MAX_MS", `doubles to ${limits.PEER_BACKOFF_MAX_MS / 1_000} s`],
    ["PEER_PING_INTERVAL_MS", `every ${limits.PEER_PING_INTERVAL_MS} ms`],
    ["PEER_SILENCE_MS", `a pong for ${limits.PEER_SILENCE_MS / 1_000} s`],
    ["MAX_PEER_QUEUE_BYTES", `More than ${limits.MAX_PEER_QUEUE_BYTES / 2 ** 20} MiB`],
    ["TLS_RELOAD_INTERVAL_MS", `every ${limits.TLS_RELOAD_INTERVAL_MS / 1_000} s;`],
    ["MAX_APPEND_ENTRIES", `\`entries\` (up to ${limits.MAX_APPEND_ENTRIES})`],
    ["MAX_FOUNDERS", `(1 to ${limits.MAX_FOUNDERS} \`Member\`s)`],
    ["MAX_MEMBERS", `${limits.MAX_MEMBERS} together`],
    ["MAX_REMOVED", `\`removed\` (up to ${limits.MAX_REMOVED} ids)`],
    ["MAX_HISTORY", `\`lock\`: up to ${limits.MAX_HISTORY} of`],
    ["MAX_APPEND_CHARACTERS", `before its entries take ${limits.MAX_APPEND_CHARACTERS / 2 ** 10} KiB of text`],
    ["MAX_COMMAND_LENGTH", `up to ${number(limits.MAX_COMMAND_LENGTH)} characters`],
    ["MAX_VERSION_LENGTH", `up to ${limits.MAX_VERSION_LENGTH} characters`],
    ["MAX_NAME_LENGTH", `up to ${limits.MAX_NAME_LENGTH} characters`],
  ])("has the number of %s", (_name, text) => {
    expect(page).toContain(text);
  });
});
