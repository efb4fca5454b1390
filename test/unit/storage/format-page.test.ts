/** docs/reference/disk-format.md has the numbers and names of the code. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as limits from "../../../src/base/limits.ts";
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from "../../../src/storage/wal-format.ts";
import { OWN_FILES } from "../../../src/storage/read-directory.ts";
import { WIPE_FILE } from "../../../src/storage/wipe.ts";

const page = readFileSync(new URL("../../../docs/reference/disk-format.md", import.meta.url), "utf8");
const MIB = 2 ** 20;

describe("the page of the disk format", () => {
  it("has a row for every file", () => {
    const rows = [...page.matchAll(/^\| `([a-z.]+)` \|/gm)].map(([, name]) => name);
    for (const name of [...OWN_FILES, WIPE_FILE]) expect(rows).toContain(name);
  });

  it.each([
    ["WAL_REWRITE_BYTES", `would take it beyond ${limits.WAL_REWRITE_BYTES / MIB} MiB`],
    [
      "WAL_REWRITE_FACTOR",
      `beyond ${["", "one", "two", "three", "four"][limits.WAL_REWRITE_FACTOR]} times what it had`,
    ],
    ["MAX_WAL_RECORD_BYTES", `at most ${limits.MAX_WAL_RECORD_BYTES / MIB} MiB |`],
    ["MAX_REMOVED", `\`removed\` (up to ${limits.MAX_REMOVED} ids`],
    ["MAX_HISTORY", `\`lock\` (up to ${limits.MAX_HISTORY} of`],
    ["MAX_MEMBERS", `are at most ${limits.MAX_MEMBERS} together`],
    ["FILE_HEADER_BYTES", `begins with ${FILE_HEADER_BYTES} bytes`],
    ["RECORD_HEADER_BYTES", `fewer than ${RECORD_HEADER_BYTES} bytes are left`],
  ])("has the number of %s", (_name, text) => {
    expect(page).toContain(text);
  });
});
