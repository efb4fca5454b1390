/**
 * Every setting, once: its variable, default, kind, description and place in the help.
 *
 * Invariant: reading, --help and docs/reference/configuration.md come from this table alone. A setting that is not
 * here does not exist.
 *
 * Deliberately absent: rules between settings, which are in cross-checks.ts.
 */
import {
  MAX_DRAIN_TIMEOUT_MS,
  MAX_FOUNDERS,
  MAX_LEASE_DURATION_MS,
  MAX_PRIORITY,
  MAX_SOCKET_PATH_BYTES,
  MIN_HEARTBEAT_INTERVAL_MS,
  MIN_LEASE_DURATION_MS,
} from "../base/limits.ts";
import { duration } from "./duration.ts";
import { choice, fractionBetween, integer, path, truth, type Kind } from "./kind.ts";
import { dnsServer, groupName, host, loopbackHost, podName, port, serviceName } from "./network-kinds.ts";
import { LOG_LEVELS, SIGTERM_MODES, STORAGE_KINDS, type Draft, type Facts, type Settings } from "./settings.ts";

export const SECTIONS = ["Group", "Storage", "Lease", "Stopping", "Listening", "Peers", "Log"] as const;
export type Section = (typeof SECTIONS)[number];

export type Default<T> =
  | { readonly kind: "required" }
  /** Read like a text that was given. `says` is how the help puts it; `text` may depend on the process. */
  | { readonly kind: "text"; readonly says: string; readonly from: string; text(facts: Facts): string }
  /** Follows from other settings; undefined while those are faulty. */
  | { readonly kind: "derived"; readonly says: string; derive(draft: Draft): T | undefined };

export interface Variable<T> {
  /** `TENURE_…`; the flag is the same in kebab-case, see `flagOf`. */
  readonly name: `TENURE_${string}`;
  readonly section: Section;
  readonly kind: Kind<T>;
  readonly default: Default<T>;
  /** What it does: sentences without a closing reference to its default or its bounds. */
  readonly description: string;
  /** True: the flag stands alone and means `true`. */
  readonly bare?: boolean;
}

/** Names a setting in the program. */
export type Key = keyof Settings;

export type Variables = { readonly [K in Key]: Variable<Settings[K]> };

const required = { kind: "required" } as const;

function text(value: string): Default<never> {
  return { kind: "text", says: value, from: "the default", text: () => value };
}

function derived<T>(says: string, derive: (draft: Draft) => T | undefined): Default<T> {
  return { kind: "derived", says, derive };
}

export const VARIABLES: Variables = {
  service: {
    name: "TENURE_SERVICE",
    section: "Group",
    kind: serviceName,
    default: required,
    description:
      "The headless service of the peers, in full: search domains are not applied. SRV _peer._tcp.<service> is asked " +
      "first, A and AAAA of <name>.<service> else.",
  },
  replicas: {
    name: "TENURE_REPLICAS",
    section: "Group",
    kind: integer(1, MAX_FOUNDERS),
    default: required,
    description:
      "How many pods form the group at its first start: those with the ordinals below it. Later it may differ from " +
      "the size of the group, but keep it equal to that of the set: rescue and an alert compare with it.",
  },
  name: {
    name: "TENURE_NAME",
    section: "Group",
    kind: podName,
    default: {
      kind: "text",
      says: "the hostname up to its first dot",
      from: "the hostname",
      text: ({ hostname }) => firstLabel(hostname),
    },
    description: "This pod's name.",
  },
  group: {
    name: "TENURE_GROUP",
    section: "Group",
    kind: groupName,
    default: derived("the service's name up to its first dot", ({ service }) => service && firstLabel(service)),
    description: "The group's name, part of the handshake: peers of another group are refused.",
  },
  dataDir: {
    name: "TENURE_DATA_DIR",
    section: "Storage",
    kind: path("a directory, absolute or from the working directory"),
    default: required,
    description: "What must outlive the process, such as an emptyDir mount. One directory for each pod.",
  },
  storage: {
    name: "TENURE_STORAGE",
    section: "Storage",
    kind: choice(STORAGE_KINDS),
    default: text("ephemeral"),
    description: "Whether the data directory outlives the pod. An ephemeral member leaves the group on SIGTERM.",
  },
  leaseDurationMs: {
    name: "TENURE_LEASE_DURATION",
    section: "Lease",
    kind: duration(MIN_LEASE_DURATION_MS, MAX_LEASE_DURATION_MS),
    default: text("2s"),
    description:
      "D: how long voters promise to stand by a holder, so also how long a crash stops the application at most, " +
      "plus one commit.",
  },
  heartbeatIntervalMs: {
    name: "TENURE_HEARTBEAT_INTERVAL",
    section: "Lease",
    kind: duration(MIN_HEARTBEAT_INTERVAL_MS, MAX_LEASE_DURATION_MS),
    default: derived("an eighth of the lease duration", (draft) => draft.leaseDurationMs && draft.leaseDurationMs / 8),
    description: "H: how often the holder renews its lease. Less than half of what the holder may use of D.",
  },
  clockDrift: {
    name: "TENURE_CLOCK_DRIFT",
    section: "Lease",
    kind: fractionBetween(0, 0.5),
    default: text("0.10"),
    description:
      "The bound on how far the rate of any clock is off. The holder uses D * (1 - drift) / (1 + drift) of the lease.",
  },
  priority: {
    name: "TENURE_PRIORITY",
    section: "Lease",
    kind: integer(0, MAX_PRIORITY),
    default: text("0"),
    description: "The larger goes first among pods that could take over. A preference, not a guarantee.",
  },
  sigterm: {
    name: "TENURE_SIGTERM",
    section: "Stopping",
    kind: choice(SIGTERM_MODES),
    default: text("drain"),
    description:
      "drain: keep the lease until the application has confirmed that it stopped. handover: the application is known " +
      "to be gone when SIGTERM comes (a native sidecar), so release at once.",
  },
  drainTimeoutMs: {
    name: "TENURE_DRAIN_TIMEOUT",
    section: "Stopping",
    kind: duration(0, MAX_DRAIN_TIMEOUT_MS),
    default: text("10s"),
    description:
      "How long the lease is kept for an application that finishes its work; 0: only until the last deadline that " +
      "it was given has passed.",
  },
  httpHost: {
    name: "TENURE_HTTP_HOST",
    section: "Listening",
    kind: loopbackHost,
    default: text("127.0.0.1"),
    description: "Where the lock API listens.",
  },
  httpPort: {
    name: "TENURE_HTTP_PORT",
    section: "Listening",
    kind: port,
    default: text("4040"),
    description: "The lock API's port.",
  },
  httpSocket: {
    name: "TENURE_HTTP_SOCKET",
    section: "Listening",
    kind: path("the path of a Unix socket", MAX_SOCKET_PATH_BYTES),
    default: derived("none", () => null),
    description: "A Unix socket for the lock API, beside its port.",
  },
  peerHost: {
    name: "TENURE_PEER_HOST",
    section: "Listening",
    kind: host,
    default: text("::"),
    description: "Where peers connect to.",
  },
  peerPort: {
    name: "TENURE_PEER_PORT",
    section: "Listening",
    kind: port,
    default: text("7400"),
    description: "The peers' port; also the port of a peer that has no SRV record.",
  },
  opsHost: {
    name: "TENURE_OPS_HOST",
    section: "Listening",
    kind: host,
    default: text("::"),
    description: "Where /metrics, /healthz and /readyz are served.",
  },
  opsPort: {
    name: "TENURE_OPS_PORT",
    section: "Listening",
    kind: port,
    default: text("9464"),
    description: "The port of /metrics, /healthz and /readyz.",
  },
  tlsDir: {
    name: "TENURE_TLS_DIR",
    section: "Peers",
    kind: path("a directory that holds tls.crt, tls.key and ca.crt"),
    default: derived("none; then --insecure-peers must be given", () => null),
    description: "Certificates for mutual TLS between peers, read again when they change.",
  },
  insecurePeers: {
    name: "TENURE_INSECURE_PEERS",
    section: "Peers",
    kind: { ...truth, allowed: `${truth.allowed}; the flag alone means true` },
    default: text("false"),
    bare: true,
    description: "Peers talk without TLS: whoever reaches the peer port can take part. For trials on one machine.",
  },
  dnsServer: {
    name: "TENURE_DNS_SERVER",
    section: "Peers",
    kind: dnsServer,
    default: derived("the system's", () => null),
    description: "The DNS server to ask, for tests.",
  },
  logLevel: {
    name: "TENURE_LOG_LEVEL",
    section: "Log",
    kind: choice(LOG_LEVELS),
    default: text("info"),
    description: "The least urgent lines to log, as JSON on standard output.",
  },
};

/** All keys, in the order of the table. */
export const KEYS = Object.keys(VARIABLES).filter((key): key is Key => key in VARIABLES);

/** `TENURE_LEASE_DURATION` is `--lease-duration`. */
export function flagOf(variable: { readonly name: string }): string {
  return `--${variable.name.slice("TENURE_".length).toLowerCase().replaceAll("_", "-")}`;
}

export function defaultOf(variable: { readonly default: Default<unknown> }): string {
  return variable.default.kind === "required" ? "required" : variable.default.says;
}

function firstLabel(name: string): string {
  return name.split(".", 1).join("");
}
