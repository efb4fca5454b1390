/**
 * The command line of the demo.
 *
 * Invariant: anything that is not understood is said, and nothing is started.
 *
 * Deliberately absent: settings of the group. The demo is one thing that always works the same way.
 */
import { messageOf } from "../src/base/errors.ts";
import { parseArgs } from "node:util";

export const HELP = `npm run demo [-- options]

Starts three tenure sidecars that find each other through a DNS server, three workers that write to a shared ledger
while they hold the lock, and the ledger itself, which refuses stale tokens. All of it runs on loopback and is stopped
and removed at the end.

On a terminal it draws the group, with keys to kill, pause, cut off and restart members. Anywhere else it plays a script
of faults for about 20 s.

  --script   play the script on a terminal, too
  --keep     keep the data directories and the ledger's file, and print where they are
  --help     print this

Exit status: 0 when no two workers were ever valid at the same time and tokens only rose (and, for the script, when
every step went as it must), 1 when not, 2 for an unknown option.
`;

export type Request =
  | { readonly kind: "run"; readonly script: boolean; readonly keep: boolean }
  | { readonly kind: "help" }
  | { readonly kind: "fault"; readonly message: string };

const OPTIONS = {
  script: { type: "boolean" },
  keep: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export function readArguments(args: readonly string[]): Request {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false });
    if (values.help === true) return { kind: "help" };
    return { kind: "run", script: values.script === true, keep: values.keep === true };
  } catch (error) {
    return { kind: "fault", message: messageOf(error) };
  }
}
