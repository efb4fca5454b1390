/**
 * Scripts: blocks of commands, each followed by `----` and what they produced.
 *
 * Invariant: running a script changes nothing of it but the outputs, so a run of what a run has written writes the
 * same.
 *
 * Deliberately absent: files; see the test.
 */
import { VERBS } from "../verbs/index.ts";
import { Args, ScriptError } from "./args.ts";
import { World } from "./world.ts";

const SEPARATOR = "----";

interface Block {
  /** Lines of prose before the commands, each beginning with `#`. */
  readonly prose: readonly string[];
  readonly commands: readonly string[];
}

/** The blocks of a script, without what was recorded. A blank line ends a block. */
export function parse(text: string): readonly Block[] {
  const blocks = text.split(/\n{2,}/).map((block) => block.split("\n").filter((line) => line !== ""));
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const end = lines.indexOf(SEPARATOR);
      const head = end === -1 ? lines : lines.slice(0, end);
      const prose = head.filter((line) => line.startsWith("#"));
      return { prose, commands: head.filter((line) => !line.startsWith("#")) };
    });
}

/** Runs all commands in a world of their own; returns the script with what they produced. */
export function run(text: string): string {
  const world = new World();
  const blocks = parse(text).map(({ prose, commands }) => {
    if (commands.length === 0) return prose.join("\n");
    const output = commands.flatMap((line) => runCommand(world, line));
    return [...prose, ...commands, SEPARATOR, ...output].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

function runCommand(world: World, line: string): readonly string[] {
  const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  const verb = VERBS.get(name);
  try {
    if (verb === undefined) throw new ScriptError("no such command");
    const args = new Args(rest);
    verb.run(world, args);
    args.done();
  } catch (error) {
    const soFar = world.takeLines().join("\n");
    const message = `${line}: ${error instanceof ScriptError ? error.message : String(error)}`;
    throw new ScriptError(soFar === "" ? message : `${message}, after\n${soFar}`, { cause: error });
  }
  const lines = world.takeLines();
  return lines.length === 0 ? ["ok"] : lines;
}

/** The first words of all commands of a script. */
export function verbsOf(text: string): readonly string[] {
  return parse(text).flatMap(({ commands }) => commands.map((line) => line.split(" ")[0] ?? ""));
}
