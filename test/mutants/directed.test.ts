/**
 * Scripts for defects that chance finds hard: each is the shortest way to see one of them.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";

describe("directed at mutants", () => {
  it("a certificate while the application may act: without its word none is given before its deadlines", () => {
    for (const stopped of [false, true]) {
      const cluster = new Cluster({ size: 3 });
      const certified: (boolean | undefined)[] = [];
      cluster.onStep = (_, __, { events }) => {
        for (const event of events) if (event.kind === "transferStarted") certified.push(event.certified);
      };
      cluster.run(1_500);
      const [holder = -1] = cluster.holders();
      cluster.step(holder, { kind: "resign", to: null, stopped });
      expect(certified).toEqual([stopped]);
    }
  });
});
