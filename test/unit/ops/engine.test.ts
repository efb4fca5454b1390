import { describe, expect, it } from "vitest";
import { type Engine, tuneEngine } from "../../../src/ops/engine.ts";

class FakeEngine implements Engine {
  readonly flags: string[] = [];
  micros = 0;
  look: (() => void) | null = null;

  readonly setFlag = (flag: string): void => void this.flags.push(flag);
  readonly cpuMicros = (): number => this.micros;
  readonly every = (_intervalMs: number, look: () => void): (() => void) => {
    this.look = look;
    return () => (this.look = null);
  };

  second(busyPart: number): void {
    this.micros += busyPart * 1_000_000;
    this.look?.();
  }
}

describe("the engine", () => {
  it("has no optimizing compilers while the process idles, however long", () => {
    const engine = new FakeEngine();
    tuneEngine(engine);
    for (let second = 0; second < 1_000; second += 1) engine.second(0.02);
    expect(engine.flags).toContain("--no-turbofan");
    expect(engine.flags).toContain("--no-maglev");
    expect(engine.flags).not.toContain("--turbofan");
  });

  it("has them from the first busy second on, and looks no more", () => {
    const engine = new FakeEngine();
    tuneEngine(engine);
    engine.second(0.02);
    engine.second(0.5);
    expect(engine.flags.slice(-3)).toStrictEqual(["--turbofan", "--maglev", "--no-optimize-for-size"]);
    expect(engine.look).toBeNull();
  });
});
