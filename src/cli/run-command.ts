/**
 * Runs a command for people: reads its command line, asks the sidecar, prints, and says how it ended.
 *
 * Invariant: what was asked for goes to standard output, everything else to standard error; the status is one of EXIT.
 * Loaded by main.ts only when the first argument is a command, so that a sidecar pays nothing for it.
 *
 * Deliberately absent: the process. Text goes out through `Terminal`, and the status is returned.
 */
import { unreachable } from "../base/assert.ts";
import { messageOf, TenureError } from "../base/errors.ts";
import type { Environment } from "../config/environment.ts";
import { ClusterSchema, HistorySchema } from "./answers.ts";
import { ask } from "./client.ts";
import { renderCommandHelp } from "./command-help.ts";
import { EXIT, PROGRAM } from "./commands.ts";
import { handOver, hintsOfRefusal, renderHandOver } from "./hand-over.ts";
import { renderHelp } from "./help.ts";
import { historyTable, memberTable } from "./lists.ts";
import { look } from "./look.ts";
import type { Paint } from "./paint.ts";
import { type CommandLine, readCommand } from "./read-command.ts";
import { formAlone, planRescue, renderNewGroup, rescue } from "./rebuild.ts";
import { renderStatus } from "./status.ts";
import { inPod, logsOf } from "./trouble.ts";
import { printable } from "./wrap.ts";

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly paint: Paint;
}

/** `argv` begins with the command. Resolves to the exit status. */
export async function runCommand(argv: readonly string[], env: Environment, terminal: Terminal): Promise<number> {
  const reading = readCommand(argv, env);
  switch (reading.kind) {
    case "help":
      terminal.out(reading.topic === null ? renderHelp() : renderCommandHelp(reading.topic));
      return EXIT.fine;
    case "problems": {
      const { topic, problems } = reading;
      const see = `see ${PROGRAM} help${topic === null ? "" : ` ${topic}`}`;
      const from = topic === null ? "tenure" : `tenure ${topic}`;
      terminal.err(`${[...problems.map((problem) => `${from}: ${printable(problem)}`), see].join("\n")}\n`);
      return EXIT.usage;
    }
    case "command":
      return perform(reading.line, terminal);
    default:
      return unreachable(reading);
  }
}

async function perform(line: CommandLine, terminal: Terminal): Promise<number> {
  try {
    return await carryOut(line, terminal);
  } catch (error) {
    if (!(error instanceof TenureError)) throw error;
    const hints = await hintsOf(line, error).catch(() => []);
    const lines = [`tenure ${line.name}: ${error.code}: ${messageOf(error)}`, ...hints.map((hint) => `  ${hint}`)];
    terminal.err(`${lines.map(printable).join("\n")}\n`);
    return EXIT.fault;
  }
}

async function carryOut({ name, address, json, values }: CommandLine, terminal: Terminal): Promise<number> {
  const print = (document: unknown, lines: () => readonly string[]): void =>
    terminal.out(json ? `${JSON.stringify(document, null, 2)}\n` : `${lines().join("\n")}\n`);
  switch (name) {
    case "status": {
      const picture = await look(address);
      const { holder, leader, cluster } = picture;
      print({ holder, leader, cluster }, () => renderStatus(picture, terminal.paint));
      return holder === null ? EXIT.noHolder : EXIT.fine;
    }
    case "members": {
      const cluster = await ask(address, ClusterSchema, { path: "/cluster" });
      print(cluster, () => memberTable(cluster.members, cluster.holder, terminal.paint, { withId: true }));
      return EXIT.fine;
    }
    case "history": {
      const history = await ask(address, HistorySchema, { path: "/history" });
      print(history, () => historyTable(history, terminal.paint));
      return EXIT.fine;
    }
    case "transfer":
    case "resign": {
      const say = (text: string): void => (json ? undefined : terminal.err(`${printable(text)}\n`));
      const done = await handOver(address, name, toOf(values), say);
      const { text, status } = renderHandOver(name, done);
      const holder = done.holder === "gone" ? null : done.holder;
      print({ released: true, from: done.from, holder }, () => [text]);
      return status;
    }
    case "init": {
      const group = await formAlone(address);
      print({ formed: true, groupId: group.groupId, holder: group.holder }, () => renderNewGroup(group));
      return EXIT.fine;
    }
    case "rescue": {
      const confirm = values.get("--confirm")?.at(-1);
      const lost = (values.get("--lost") ?? []).flatMap((names) => names.split(","));
      if (confirm === undefined) {
        const { lines, status } = await planRescue(address, lost, terminal.paint);
        terminal.err(`${lines.join("\n")}\n`);
        return status;
      }
      const group = await rescue(address, confirm, lost);
      print({ rescued: true, groupId: group.groupId, holder: group.holder }, () => renderNewGroup(group));
      return EXIT.fine;
    }
    default:
      return unreachable(name);
  }
}

function toOf(values: CommandLine["values"]): string | null {
  return values.get("--to")?.at(-1) ?? null;
}

/** What to look at, or to type, after a fault. */
async function hintsOf({ name, address, values }: CommandLine, error: TenureError): Promise<readonly string[]> {
  if (error.code === "sidecar_unreachable") {
    return [
      "Is it running? Look at its log, and run the command beside it, in its own container:",
      `  ${logsOf("<pod>")}`,
      `  ${inPod("<pod>", name)}`,
      "Does it listen elsewhere? See TENURE_HTTP_PORT and TENURE_HTTP_SOCKET; give --http-port or --http-socket.",
    ];
  }
  if (name !== "transfer" && name !== "resign") return [];
  return hintsOfRefusal(address, name, toOf(values), error);
}
