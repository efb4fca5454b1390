/**
 * The workers of examples/, each as a user would start it.
 *
 * Invariant: everything started here ends with `stop`, or at the latest with this process.
 *
 * Deliberately absent: installing anything. What a language needs and this machine lacks is named.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples");
/** The Go worker is compiled from what is here: no download, no other toolchain. */
const OFFLINE_GO = { GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: "local" };

export interface Language {
  readonly name: string;
  readonly needs: readonly string[];
  /** What has to be made first, with a directory for it; returns the command that starts the worker. */
  command(directory: string): readonly string[];
}

export const LANGUAGES: readonly Language[] = [
  { name: "shell", needs: ["bash", "curl"], command: () => ["bash", join(EXAMPLES, "shell", "worker.sh")] },
  { name: "python", needs: ["python3"], command: () => ["python3", join(EXAMPLES, "python", "worker.py")] },
  { name: "go", needs: ["go"], command: compileGo },
  { name: "typescript", needs: [], command: () => [process.execPath, join(EXAMPLES, "typescript", "worker.ts")] },
];

function compileGo(directory: string): readonly string[] {
  const binary = join(directory, "worker");
  const env = { ...process.env, ...OFFLINE_GO };
  const built = spawnSync("go", ["build", "-o", binary, "."], { cwd: join(EXAMPLES, "go"), env, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`go build: ${built.stderr}`);
  return [binary];
}

/** The first program that this machine does not have; null when it has all. */
export function missingProgram(programs: readonly string[]): string | null {
  const isMissing = (program: string): boolean =>
    spawnSync("/bin/sh", ["-c", 'command -v "$0"', program], { stdio: "ignore" }).status !== 0;
  return programs.find(isMissing) ?? null;
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class ExampleWorker {
  readonly name: string;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #output = "";

  constructor(name: string, command: readonly string[], env: Readonly<Record<string, string>>) {
    this.name = name;
    const [program = "", ...args] = command;
    this.#child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    children.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (status) => {
        children.delete(this.#child);
        resolve(status);
      });
    });
  }

  /** What it printed, for a person. */
  get output(): string {
    return this.#output;
  }

  /** SIGTERM, as from the kubelet; resolves with its exit status. */
  terminate(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.exited;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}
