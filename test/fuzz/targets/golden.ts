/** The frames of test/golden as inputs. */
import { readFileSync } from "node:fs";
import * as v from "valibot";

const goldenSchema = v.array(
  v.object({ by: v.picklist(["hello", "answer", "dialler", "acceptor"]), body: v.string() }),
);

type By = "hello" | "answer" | "dialler" | "acceptor";

/** The bodies that these decoders read, of both versions of the protocol. */
export function goldenBodies(by: readonly By[]): [Buffer, ...Buffer[]] {
  const bodies = ["wire-v2.json", "wire-v1.json"].flatMap((name) => {
    const text = readFileSync(new URL(`../../golden/${name}`, import.meta.url), "utf8");
    return v.parse(goldenSchema, JSON.parse(text)).filter((each) => by.includes(each.by));
  });
  const [first, ...rest] = bodies.map(({ body }) => Buffer.from(body));
  if (first === undefined) throw new Error("there are golden frames");
  return [first, ...rest];
}
