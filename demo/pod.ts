/**
 * One pod: a sidecar and a worker beside it, as two containers are. A worker that crashes is started again, a pod that
 * was killed stays dead until somebody starts it.
 *
 * Invariant: `state` says what was done to the pod, not what it thinks of itself.
 *
 * Deliberately absent: the group around it; see stage.ts.
 */
import type { Sidecar } from "../test/support/sidecar.ts";
import type { Journal } from "./journal.ts";
import { newsOf } from "./news.ts";
import { type Report, STOP_REASONS } from "./worker-talk.ts";
import { WorkerProcess } from "./worker-process.ts";

export type Life = "starting" | "running" | "stopping" | "dead";

export interface PodOptions {
  readonly name: string;
  readonly ledgerUrl: () => string;
  readonly journal: Journal;
  /** Starts the sidecar in its own data directory; resolves once it listens. */
  readonly startSidecar: () => Promise<Sidecar>;
  /** The sidecar has ended and nobody here asked it to: by a signal from elsewhere, or by a fault of its own. */
  readonly broke: (how: string, isFault: boolean) => void;
}

export class Pod {
  readonly name: string;
  readonly #options: PodOptions;
  life: Life = "dead";
  /** Its sidecar is stopped by SIGSTOP. */
  paused = false;
  /** Its worker sleeps between its look at the deadline and its write. */
  asleep = false;
  sidecar: Sidecar | null = null;
  worker: WorkerProcess | null = null;
  /** The last token that its sidecar has released: what it said of that lease before is over. */
  releasedToken: number | null = null;
  /** Of the worker's last tenure, by its own word; for those who wait for it. */
  lastReport: Report | null = null;

  constructor(options: PodOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Whether its sidecar can be asked. */
  get answers(): boolean {
    return (this.life === "running" || this.life === "stopping") && !this.paused;
  }

  get running(): boolean {
    return this.life === "running";
  }

  /** Its sidecar, which must be there. */
  get liveSidecar(): Sidecar {
    if (this.sidecar === null || this.life === "dead") throw new Error(`${this.name} is dead`);
    return this.sidecar;
  }

  async start(): Promise<void> {
    if (this.life !== "dead") throw new Error(`${this.name} is ${this.life}`);
    this.life = "starting";
    const sidecar = await this.#options.startSidecar();
    // The demo may have ended meanwhile; nothing new begins then.
    if (this.life !== "starting") return sidecar.stop();
    this.sidecar = sidecar;
    sidecar.follow((line) => {
      if (line.event === "released") this.releasedToken = Number(line["token"]);
      const news = newsOf(this.name, line);
      if (news !== null) this.#options.journal.say(news, line.event === "fatal" ? "trouble" : "event");
    });
    void sidecar.exited.then(({ code, signal }) => {
      if (this.sidecar !== sidecar || this.life !== "running") return;
      void this.kill();
      this.#options.broke(signal ?? `status ${code}`, signal === null);
    });
    this.life = "running";
    this.#startWorker(sidecar);
  }

  /** kill -9 of both processes, or after an orderly end of the sidecar, of the worker alone. */
  async kill(): Promise<void> {
    this.life = "dead";
    this.paused = false;
    this.asleep = false;
    await Promise.all([this.sidecar?.stop(), this.worker?.stop()]);
  }

  /** SIGTERM, as kubelet sends it. Resolves to the sidecar's exit status once both containers have ended. */
  async terminate(): Promise<number | null> {
    const sidecar = this.liveSidecar;
    this.life = "stopping";
    sidecar.kill("SIGTERM");
    const { code } = await sidecar.exited;
    await this.kill();
    return code;
  }

  pause(): void {
    this.liveSidecar.kill("SIGSTOP");
    this.paused = true;
  }

  /** Both processes: a worker that is not stopped does not notice. */
  resume(): void {
    this.worker?.kill("SIGCONT");
    this.liveSidecar.kill("SIGCONT");
    this.paused = false;
    this.asleep = false;
  }

  #startWorker(sidecar: Sidecar): void {
    const { name, ledgerUrl, journal } = this.#options;
    this.worker = new WorkerProcess({
      name,
      apiPort: sidecar.ports.api,
      ledgerUrl: ledgerUrl(),
      reported: (report) => this.#reported(report),
      ended: (worker) => {
        if (this.worker !== worker || !this.running) return;
        if (worker.stderr !== "") journal.say(`${name}'s worker ended: ${worker.stderr.split("\n")[0]}`, "trouble");
        journal.say(`${name}'s worker is started again`);
        this.asleep = false;
        this.#startWorker(sidecar);
      },
    });
  }

  #reported(report: Report): void {
    const { name, journal } = this.#options;
    this.lastReport = report;
    switch (report.report) {
      case "began":
        return journal.say(`${name}'s worker begins to write, token ${report.token}`);
      case "stopped":
        return journal.say(
          `${name}'s worker stops: ${STOP_REASONS[report.reason]}`,
          report.reason === "refused" ? "refusal" : "event",
        );
      case "asleep":
        this.asleep = true;
        return journal.say(`${name}'s worker looked at its deadline, and sleeps before its write`);
      case "handedOver":
        if (report.status !== 200) journal.say(`${name}'s POST /resign: ${report.status}`);
    }
  }
}
