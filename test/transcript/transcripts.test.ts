/**
 * Runs each script under scripts/ and compares what it produces with what is recorded in it.
 *
 * `UPDATE_TRANSCRIPTS=1 npx vitest run test/transcript` records anew; the expectations inside the scripts hold then,
 * too. Read the diff before it is committed: it is what has changed about the protocol.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { run } from "./harness/script.ts";

const SCRIPTS = new URL("scripts/", import.meta.url);
const UPDATE = process.env["UPDATE_TRANSCRIPTS"] === "1";

describe("transcripts", () => {
  for (const name of readdirSync(SCRIPTS).filter((file) => file.endsWith(".txt"))) {
    it(name.replace(".txt", ""), () => {
      const file = new URL(name, SCRIPTS);
      const recorded = readFileSync(file, "utf8");
      const produced = run(recorded);
      if (UPDATE) writeFileSync(file, produced);
      else expect(produced).toBe(recorded);
    });
  }
});
