/** The frames of test/golden as inputs. */
import { type GoldenFrame, goldenFrames } from "../../support/golden-frames.ts";

/** The bodies that these decoders read, of both versions of the protocol. */
export function goldenBodies(by: readonly GoldenFrame["by"][]): [Buffer, ...Buffer[]] {
  const frames = [...goldenFrames(2), ...goldenFrames(1)].filter((each) => by.includes(each.by));
  const [first, ...rest] = frames.map(({ body }) => Buffer.from(body));
  if (first === undefined) throw new Error("there are golden frames");
  return [first, ...rest];
}
