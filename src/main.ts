/**
 * The only place that wires: settings in, ports joined, signals handled, one exit status out.
 *
 * Invariant: 0 after an orderly stop, 1 after a fault, 2 for a bad configuration. Whatever goes wrong beyond that ends
 * the process at once: the lease then lapses by itself, which is the safe outcome.
 *
 * Deliberately absent: logic of its own.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setFlagsFromString } from "node:v8";
import { startLockApi } from "./api/lock-api.ts";
import { type ErrorCode, messageOf, systemCodeOf, TenureError } from "./base/errors.ts";
import { memberId } from "./base/types.ts";
import { renderFaults } from "./cli/faults.ts";
import { SystemClock } from "./clock/system-clock.ts";
import { readSettings } from "./config/read-settings.ts";
import type { Settings } from "./config/settings.ts";
import { createDnsDiscovery } from "./discovery/dns-discovery.ts";
import { NodeApplication } from "./node/application.ts";
import { otherNames } from "./node/names.ts";
import { TenureNode } from "./node/node.ts";
import { combineObservers } from "./ops/combine.ts";
import { createLogObserver } from "./ops/log-observer.ts";
import { createMetrics } from "./ops/metrics.ts";
import { tuneEngine } from "./ops/engine.ts";
import { startOpsServer } from "./ops/server.ts";
import type { Observer } from "./ports/observer.ts";
import type { Storage } from "./ports/storage.ts";
import { openDiskStorage } from "./storage/disk-storage.ts";
import { createPeerTransport } from "./transport/peer-transport.ts";

/** Put in by the bundler. */
declare const TENURE_VERSION: string | undefined;
const VERSION = typeof TENURE_VERSION === "string" ? TENURE_VERSION : "0.0.0-dev";

tuneEngine({
  setFlag: setFlagsFromString,
  cpuMicros: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  every: (intervalMs, look) => {
    const timer = setInterval(look, intervalMs).unref();
    return () => clearInterval(timer);
  },
});

const EXIT_FAULT = 1;
const EXIT_CONFIGURATION = 2;

async function main(): Promise<void> {
  const [first = "", ...rest] = process.argv.slice(2);
  const isCommand = first !== "" && first !== "run" && !first.startsWith("-");
  if (isCommand) return runForPeople([first, ...rest]);
  const argv = first === "run" ? rest : process.argv.slice(2);
  const reading = readSettings(process.env, argv, { hostname: hostname() });
  switch (reading.kind) {
    case "help":
      return runForPeople(["help"]);
    case "version": {
      const { renderVersion } = await import("./cli/help.ts");
      process.stdout.write(renderVersion(VERSION));
      return;
    }
    case "faults":
      process.stderr.write(renderFaults(reading.faults));
      process.exitCode = EXIT_CONFIGURATION;
      return;
    case "settings":
      return run(reading.settings);
  }
}

/** Loaded here, so that a sidecar has no memory for what it never does. */
async function runForPeople(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough, such as `head`, is no fault.
  process.stdout.on("error", (error) => process.exit(systemCodeOf(error) === "EPIPE" ? 0 : EXIT_FAULT));
  const [{ runCommand }, { paintFor }] = await Promise.all([import("./cli/run-command.ts"), import("./cli/paint.ts")]);
  process.exitCode = await runCommand(argv, process.env, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    paint: paintFor(process.stdout.isTTY, process.env),
  });
}

type Log = ReturnType<typeof createLogObserver>;

function report(log: Log, error: unknown): void {
  const code = error instanceof TenureError ? error.code : "internal";
  const stack = error instanceof TenureError ? null : error instanceof Error ? (error.stack ?? null) : null;
  log.observe({ kind: "fatal", code, message: messageOf(error), stack });
  process.exitCode = EXIT_FAULT;
}

/** Says why on the log, as its last line, and ends the process. */
async function end(log: Log, error: unknown): Promise<never> {
  report(log, error);
  await log.end();
  process.exit(EXIT_FAULT);
}

/** The same in this very turn: nobody knows what is broken. */
function die(log: Log, error: unknown): never {
  report(log, error);
  log.flush();
  process.exit(EXIT_FAULT);
}

async function run(settings: Settings): Promise<void> {
  const log = createLogObserver({ level: settings.logLevel });
  process.on("uncaughtException", (error) => die(log, error));
  process.on("unhandledRejection", (error) => die(log, error));
  try {
    await serve(settings, log);
  } catch (error) {
    await end(log, error);
  }
}

async function serve(settings: Settings, log: Log): Promise<void> {
  const toStop = stopSignal();
  const clock = new SystemClock();
  // The metrics sample the node, and the node reports to the metrics: one of them has to come second.
  const metrics = createMetrics({
    version: VERSION,
    sample: () => application.sample(),
    ready: () => application.ready(),
    watch: {
      ...settings,
      now: () => clock.now(),
      members: () => application.cluster().members,
      rescueNeeded: () => node.rescueNeeded,
      certificateNotAfterMs: () => transport.certificateNotAfterMs(),
    },
  });
  const observer = combineObservers([log, metrics]);
  const discovery = createDnsDiscovery({
    service: settings.service,
    defaultPort: settings.peerPort,
    expected: [settings.name, ...otherNames(settings.name, settings.replicas)],
    server: settings.dnsServer,
  });
  const transport = createPeerTransport({
    host: settings.peerHost,
    port: settings.peerPort,
    service: settings.service,
    tlsDir: settings.tlsDir,
    lookup: (name) => discovery.lookup(name),
    random: Math.random,
  });
  const node = new TenureNode({
    ...settings,
    timing: settings,
    ephemeral: settings.storage === "ephemeral",
    version: VERSION,
    clock,
    storage: await openStorage(settings.dataDir, observer),
    transport,
    siblings: () => discovery.siblings(settings.name),
    entropy: { id: () => memberId(randomBytes(16).toString("hex")), seed: () => randomBytes(4).readUInt32LE() },
    observer,
    // The node is silent by now.
    fatal: (error) => void end(log, error),
  });
  const application = new NodeApplication(node);
  const servers = await startServers(settings, application, metrics, observer);
  await node.start();
  observer.observe({ kind: "listening", api: servers.apiPort, ops: servers.opsPort, peers: transport.port });

  observer.observe({ kind: "stopping", signal: await toStop });
  await node.leave(settings.sigterm === "handover");
  await servers.closeApi();
  await node.close();
  await servers.closeOps();
  discovery.close();
  clock.close();
  observer.observe({ kind: "stopped" });
  await log.end();
  // A fault may have come while it stopped.
  process.exit();
}

function openStorage(directory: string, observer: Observer): Promise<Storage> {
  return openDiskStorage({
    directory,
    observer: {
      synced: (durationMs) => observer.observe({ kind: "storageSynced", durationMs }),
      tailCut: (bytes) => observer.observe({ kind: "storageTailCut", bytes }),
    },
  });
}

interface Servers {
  readonly apiPort: number;
  readonly opsPort: number;
  readonly closeApi: () => Promise<void>;
  readonly closeOps: () => Promise<void>;
}

async function startServers(
  settings: Settings,
  application: NodeApplication,
  metrics: ReturnType<typeof createMetrics>,
  observer: Observer,
): Promise<Servers> {
  const onFault = (code: ErrorCode, where: string, message: string): void =>
    observer.observe({ kind: "fault", code, where, message });
  const ops = await startOpsServer({
    host: settings.opsHost,
    port: settings.opsPort,
    ready: () => application.ready(),
    live: () => application.live(),
    metrics,
    onFault,
  });
  const api = await startLockApi({
    application,
    host: settings.httpHost,
    port: settings.httpPort,
    socketPath: settings.httpSocket,
    onFault,
  });
  return { apiPort: api.port, opsPort: ops.port, closeApi: () => api.close(), closeOps: () => ops.close() };
}

/** The first signal stops in order; the second one at once, because somebody is waiting. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    const onSignal = (signal: string): void => {
      process.once("SIGTERM", () => process.exit(EXIT_FAULT));
      process.once("SIGINT", () => process.exit(EXIT_FAULT));
      resolve(signal);
    };
    process.once("SIGTERM", onSignal);
    process.once("SIGINT", onSignal);
  });
}

// There is no log yet.
main().catch((error: unknown) => {
  process.stderr.write(`tenure: ${error instanceof TenureError ? error.code : "internal"}: ${messageOf(error)}\n`);
  process.exit(EXIT_FAULT);
});
