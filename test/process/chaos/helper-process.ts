/**
 * A helper process of the test-bed, in the network of one pod, with a channel to it.
 *
 * Invariant: it bears the run's name in its environment, and ends with the channel.
 *
 * Deliberately absent: what is said over the channel.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export interface HelperOptions {
  /** A file of this folder. */
  readonly script: string;
  /** What the command is put behind. */
  readonly enter: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly heard: (message: unknown) => void;
  readonly ended: (signal: NodeJS.Signals | null, stderr: string) => void;
}

export class HelperProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<NodeJS.Signals | null>;
  #stderr = "";

  constructor({ script, enter, env, heard, ended }: HelperOptions) {
    const command: readonly string[] = [...enter, process.execPath, join(import.meta.dirname, script)];
    const [program = "", ...args] = command;
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // Out of this terminal's reach: Ctrl-C is for the test-bed, which then ends its helpers.
      detached: true,
    });
    this.#child = child;
    child.on("message", heard);
    child.stderr
      ?.setEncoding("utf8")
      .on("data", (text: string) => (this.#stderr = (this.#stderr + text).slice(-4_000)));
    // A message to a helper that has just ended is lost, which is no fault.
    child.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("exit", (_code, signal) => {
        ended(signal, this.#stderr);
        resolve(signal);
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async crash(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}
