/**
 * What the sidecar is told by its user, read and checked once, at start.
 *
 * Invariant: a `Settings` value keeps every rule of src/config/variables.ts and src/config/cross-checks.ts; nobody
 * checks it again.
 *
 * Deliberately absent: texts of users, and defaults: every field has its value.
 */

export const STORAGE_KINDS = ["ephemeral", "persistent"] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

export const SIGTERM_MODES = ["drain", "handover"] as const;
export type SigtermMode = (typeof SIGTERM_MODES)[number];

/** Those of pino, most urgent first, and `silent`. */
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Settings {
  /** Part of the handshake: peers of another group are refused. */
  readonly group: string;
  /** This pod's name, `<statefulset>-<ordinal>`. */
  readonly name: string;
  /** The full name of the headless service, lower case, without a trailing dot. */
  readonly service: string;
  /** The size of the group when it is formed: 1 to MAX_FOUNDERS. */
  readonly replicas: number;
  readonly dataDir: string;
  /** Whether `dataDir` outlives the pod. */
  readonly storage: StorageKind;
  /** D: MIN_LEASE_DURATION_MS to MAX_LEASE_DURATION_MS, whole. */
  readonly leaseDurationMs: number;
  /** H: at least MIN_HEARTBEAT_INTERVAL_MS; U exceeds 2 H. An eighth of D by default, so it may have a fraction. */
  readonly heartbeatIntervalMs: number;
  /** The bound on the rate error of any clock, as a fraction: 0 < drift < 0.5. */
  readonly clockDrift: number;
  readonly sigterm: SigtermMode;
  /** 0: the lease is not kept for the application at all. */
  readonly drainTimeoutMs: number;
  /** 0 to MAX_PRIORITY; larger goes first. */
  readonly priority: number;
  /** An IP address or `localhost`. */
  readonly peerHost: string;
  /** 0: any free port. */
  readonly peerPort: number;
  /** A loopback address or `localhost`. */
  readonly httpHost: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** The lock API listens here too; null: nowhere else. */
  readonly httpSocket: string | null;
  /** An IP address or `localhost`. */
  readonly opsHost: string;
  /** 0: any free port. */
  readonly opsPort: number;
  /** Null exactly when `insecurePeers`. */
  readonly tlsDir: string | null;
  readonly insecurePeers: boolean;
  /** `ip`, `ip:port` or `[ipv6]:port`; null: the system's servers. */
  readonly dnsServer: string | null;
  readonly logLevel: LogLevel;
}

/** Settings while they are read: a field is missing when nothing was given yet or when what was given is faulty. */
export type Draft = { -readonly [Key in keyof Settings]?: Settings[Key] };

/** What the environment of the process knows and no variable says. */
export interface Facts {
  readonly hostname: string;
}
