import { describe, expect, it } from "vitest";
import { combineObservers } from "../../../src/ops/combine.ts";
import type { NodeEvent } from "../../../src/ports/observer.ts";

describe("combineObservers", () => {
  it("tells every observer every event", () => {
    const seen: string[] = [];
    const named = (name: string) => ({ observe: (event: NodeEvent) => void seen.push(`${name} ${event.kind}`) });
    combineObservers([named("a"), named("b")]).observe({ kind: "stopped" });
    expect(seen).toEqual(["a stopped", "b stopped"]);
  });

  it("keeps what one throws from the node and from the others, and tells those of it", () => {
    const seen: NodeEvent[] = [];
    const broken = {
      observe() {
        throw new Error("boom");
      },
    };
    const sound = { observe: (event: NodeEvent) => void seen.push(event) };
    combineObservers([broken, sound, broken]).observe({ kind: "stopped" });
    const fault = { kind: "fault", code: "internal", where: "observer of stopped", message: "boom" };
    expect(seen).toEqual([fault, { kind: "stopped" }, fault]);
  });
});
