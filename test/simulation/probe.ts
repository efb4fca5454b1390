/**
 * Looks over the shoulder of every core in this process: each step of it, with input and effects.
 *
 * The node makes its core by itself and takes no observer of steps, so the class is wrapped once, here. A step is told
 * apart by its reading of the clock, which knows whose it is.
 *
 * Invariant: the wrapped step does what the shipped one does, with the same arguments and the same result.
 *
 * Deliberately absent: steps of cores outside of a simulation; they pass unseen.
 */
import type { Now } from "../../src/base/types.ts";
import { Core } from "../../src/raft/core.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { Reading } from "./clock-port.ts";

const shippedStep = Core.prototype.step;

function isReading(now: Now): now is Reading {
  return "life" in now;
}

Core.prototype.step = function step(this: Core, input: Input, now: Now): Effects {
  if (!isReading(now)) return shippedStep.call(this, input, now);
  now.life.beforeStep(this);
  const effects = shippedStep.call(this, input, now);
  now.life.stepped(this, input, effects, now);
  return effects;
};
