/**
 * An agent as the test-bed sees it: questions with answers.
 *
 * Invariant: an agent that ends rejects what it still owes.
 *
 * Deliberately absent: restarts. An agent that ends by itself is a fault of the test-bed.
 */
import type { AgentAnswer, AgentCounts, AgentOrder, Got } from "./agent-talk.ts";
import { HelperProcess } from "./helper-process.ts";

interface Owed {
  readonly resolve: (result: AgentCounts | Got | string | null) => void;
  readonly reject: (error: Error) => void;
}

export class Agent {
  readonly #process: HelperProcess;
  readonly #owed = new Map<number, Owed>();
  #last = 0;

  constructor(enter: readonly string[], env: Readonly<Record<string, string>>) {
    this.#process = new HelperProcess({
      script: "agent.ts",
      enter,
      env,
      // The other end is agent.ts, which sends nothing else.
      heard: (message) => this.#settle(message as AgentAnswer),
      ended: (_signal, stderr) => {
        for (const { reject } of this.#owed.values()) reject(new Error(`the agent ended; ${stderr}`));
        this.#owed.clear();
      },
    });
  }

  async order(order: Exclude<AgentOrder, { do: "counts" | "get" | "certificate" }>): Promise<void> {
    await this.#ask(order);
  }

  async counts(): Promise<AgentCounts> {
    return (await this.#ask({ do: "counts" })) as AgentCounts;
  }

  async get(port: number, path: string): Promise<Got> {
    return (await this.#ask({ do: "get", port, path })) as Got;
  }

  async certificate(host: string, port: number): Promise<string> {
    return (await this.#ask({ do: "certificate", host, port })) as string;
  }

  async crash(): Promise<void> {
    await this.#process.crash();
  }

  #ask(order: AgentOrder): Promise<AgentCounts | Got | string | null> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      if (!this.#process.running) return reject(new Error("the agent has ended"));
      this.#owed.set(id, { resolve, reject });
      this.#process.send({ id, order });
    });
  }

  #settle(answer: AgentAnswer): void {
    const owed = this.#owed.get(answer.id);
    this.#owed.delete(answer.id);
    if ("error" in answer) owed?.reject(new Error(answer.error));
    else owed?.resolve(answer.result);
  }
}
