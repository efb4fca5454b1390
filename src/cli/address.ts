/**
 * Where the sidecar is: the same settings that it reads itself, or flags of the same names.
 *
 * Invariant: flags win over the environment. A socket is preferred to a port, unless a flag names the port. Only these
 * settings are looked at, so that a command works beside a sidecar whose other settings are faulty.
 *
 * Deliberately absent: addresses beyond loopback; the sidecar has none.
 */
import { type Environment, readEnvironment } from "../config/environment.ts";
import type { Given } from "../config/fault.ts";
import type { Kind } from "../config/kind.ts";
import { flagOf, VARIABLES } from "../config/variables.ts";
import { ADDRESS_KEYS } from "./commands.ts";

export type AddressKey = (typeof ADDRESS_KEYS)[number];

export type Address =
  | { readonly kind: "port"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

export type AddressReading =
  { readonly ok: true; readonly address: Address } | { readonly ok: false; readonly problems: readonly string[] };

export function readAddress(env: Environment, flags: ReadonlyMap<AddressKey, string>): AddressReading {
  const own = Object.fromEntries(ADDRESS_KEYS.map((key) => [VARIABLES[key].name, env[VARIABLES[key].name]]));
  const fromEnvironment = readEnvironment(own).given;
  const isPortAsked = flags.has("httpHost") || flags.has("httpPort");
  if (isPortAsked && flags.has("httpSocket")) {
    return { ok: false, problems: ["--http-socket and --http-host or --http-port name two places; give one"] };
  }
  const sourceOf = (key: AddressKey): Given | undefined => {
    const flag = flags.get(key);
    if (flag !== undefined) return { text: flag, from: flagOf(VARIABLES[key]) };
    return fromEnvironment.get(key) ?? defaultSource(key);
  };
  const problems: string[] = [];
  const read = <T>(key: AddressKey, kind: Kind<T>): T | null => {
    const source = sourceOf(key);
    if (source === undefined) return null;
    const { text, from } = source;
    const result = kind.parse(text);
    if (result.ok) return result.value;
    problems.push(`${from} is ${JSON.stringify(text)}: ${result.problem}; allowed: ${kind.allowed}`);
    return null;
  };
  const path = isPortAsked ? null : read("httpSocket", VARIABLES.httpSocket.kind);
  if (path !== null) return { ok: true, address: { kind: "socket", path } };
  const host = read("httpHost", VARIABLES.httpHost.kind);
  const port = read("httpPort", VARIABLES.httpPort.kind);
  if (port === 0) problems.push(`${sourceOf("httpPort")?.from} is 0, any that is free; ${WHICH_PORT}`);
  if (host === null || port === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, address: { kind: "port", host, port } };
}

const WHICH_PORT =
  "the sidecar's log has the one it became, in the field api of its line listening: give that with --http-port";

function defaultSource(key: AddressKey): Given | undefined {
  const fallback = VARIABLES[key].default;
  // No address depends on the process.
  return fallback.kind === "text" ? { text: fallback.text({ hostname: "" }), from: fallback.from } : undefined;
}

/** For messages. */
export function nameOf(address: Address): string {
  if (address.kind === "socket") return `the socket ${address.path}`;
  const { host, port } = address;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
