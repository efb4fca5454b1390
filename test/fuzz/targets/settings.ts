/**
 * Environment and command line (src/config): `NAME=value` and `--flag` by zero bytes between them.
 *
 * Promises beside "never throws" (test/unit/config/properties.test.ts): settings that are accepted are accepted again,
 * and are the same, when each is written out as a flag of its own; and every message is one that can be printed.
 */
import { printable } from "../../../src/cli/wrap.ts";
import { renderFaults } from "../../../src/cli/faults.ts";
import { readSettings } from "../../../src/config/read-settings.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { flagOf, type Key, KEYS, VARIABLES } from "../../../src/config/variables.ts";
import { bytesMutator } from "../engine/bytes.ts";
import { require, same, type Target } from "../engine/target.ts";

const FACTS = { hostname: "app-0" };
// prettier-ignore
const VALUES = [
  "2s", "300ms", "1.5s", "0", "0.25s", "1h", "1h0", "1e3", "0.1", ".5", "0.499999", "3", "50", "51", "-0", "+3",
  "drain", "handover", "persistent", "127.0.0.1", "::1", "[::1]:53", "[::1", "fe80::1%eth0", "localhost", "a.b",
  "A.B.", "x".repeat(64), "/data", "true", "tcp://10.0.0.1:1", "-", "--", "=", "\0", "TENURE_",
  "TENURE_X_SERVICE_HOST=", "trace",
];

const VARIABLE = /^([A-Z_]+)=([^]*)$/u;

function sourcesOf(input: Buffer): { readonly env: Record<string, string>; readonly argv: readonly string[] } {
  const env: Record<string, string> = {};
  const argv: string[] = [];
  for (const word of input.toString("utf8").split("\0")) {
    const [, name, value] = VARIABLE.exec(word) ?? [];
    if (name !== undefined && value !== undefined) env[name] = value;
    else argv.push(word);
  }
  return { env, argv };
}

/** Each setting as its user would write it; nothing for those that are not set, or that no user could write. */
function asFlags(settings: Settings): readonly string[] {
  return KEYS.flatMap((key) => {
    const value = settings[key];
    const text = textOf(key, value);
    return text === null ? [] : [`${flagOf(VARIABLES[key])}=${text}`];
  });
}

function textOf(key: Key, value: Settings[Key]): string | null {
  if (key === "clockDrift") return Number(value).toFixed(15);
  if (typeof value !== "number" || !key.endsWith("Ms")) return value === null ? null : String(value);
  // A heartbeat interval that follows from the lease duration may have a fraction.
  return Number.isInteger(value) ? `${value}ms` : null;
}

export function open(): Target {
  const tokens = [...KEYS.flatMap((key) => [`${VARIABLES[key].name}=`, flagOf(VARIABLES[key])]), ...VALUES];
  const base = [
    "--service=app-peers.default.svc.cluster.local",
    "--replicas=3",
    "--data-dir=/data",
    "--insecure-peers",
  ];
  return {
    covers: ["src/config/"],
    seeds: [
      Buffer.from(base.join("\0")),
      Buffer.from(
        [...base, "--name=app-0", "--lease-duration", "1.5s", "TENURE_PEER_PORT=tcp://10.0.0.1:7400"].join("\0"),
      ),
      Buffer.from(
        ["TENURE_SERVICE=a.b", "TENURE_REPLICAS=1", "--tls-dir=/tls", "--group", "g", "--priority=5"].join("\0"),
      ),
      Buffer.from(
        [...base, "--dns-server=[::1]:53", "--http-socket=/s", "--heartbeat-interval=100ms", "--clock-drift=.2"].join(
          "\0",
        ),
      ),
      Buffer.from("--help\0--nonsense\0stray"),
    ],
    mutate: bytesMutator(tokens),
    sample: 300,
    run(input) {
      const { env, argv } = sourcesOf(input);
      const reading = readSettings(env, argv, FACTS);
      if (reading.kind === "settings") {
        const again = readSettings({}, asFlags(reading.settings), FACTS);
        require(again.kind === "settings" &&
          same(again.settings, reading.settings), "settings that are accepted can be written out");
        return Object.entries(reading.settings)
          .filter(([, value]) => value !== null)
          .map(([key]) => key)
          .join();
      }
      if (reading.kind !== "faults") return reading.kind;
      const lines = renderFaults(reading.faults).split("\n");
      require(lines.every((line) => printable(line) === line), "what is printed moves no cursor");
      return [
        ...new Set(
          reading.faults.map(({ name, problem }) => (name in env || name.startsWith("-") ? "?" : name) + problem),
        ),
      ]
        .sort()
        .join()
        .replaceAll(/\d+/gu, "#")
        .slice(0, 120);
    },
  };
}
