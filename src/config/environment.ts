/**
 * Reads the environment into texts by setting.
 *
 * Invariant: a variable `TENURE_…` is either taken, or told as a fault, or one of those that Kubernetes makes: a
 * mistyped name never passes in silence. An empty value counts as not set.
 *
 * Kubernetes puts "service links" into every container for each Service of the namespace that has a cluster IP. For a
 * Service called `tenure` or `tenure-…` they begin with TENURE_ as well, so these names are left alone:
 *
 *     TENURE[_…]_SERVICE_HOST          TENURE[_…]_SERVICE_PORT[_<PORT NAME>]
 *     TENURE[_…]_PORT                  when its value is a URL such as tcp://10.96.0.7:4040
 *     TENURE[_…]_PORT_<n>_TCP          (or UDP, SCTP), alone or with _PROTO, _PORT or _ADDR
 *
 * The second line holds for known names too: a Service `tenure-http` makes TENURE_HTTP_PORT, with a URL that no user
 * would mean as a port.
 *
 * Deliberately absent: variables of other programs.
 */
import type { Fault, Given } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { KEYS, VARIABLES, type Key } from "./variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "TENURE_";
const LINK_NAME =
  /^TENURE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const LINK_PORT_NAME = /^TENURE(_[A-Z0-9_]+)?_PORT$/;
const LINK_PORT_VALUE = /^(tcp|udp|sctp):\/\/\S+:\d+$/;

const KEY_BY_NAME = new Map<string, Key>(KEYS.map((key) => [VARIABLES[key].name, key]));

export function readEnvironment(env: Environment): {
  readonly given: ReadonlyMap<Key, Given>;
  readonly faults: readonly Fault[];
} {
  const given = new Map<Key, Given>();
  const faults: Fault[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === "" || isServiceLink(name, text)) continue;
    const key = KEY_BY_NAME.get(name);
    if (key === undefined) faults.push(unknownVariable(name, text));
    else given.set(key, { text, from: name });
  }
  return { given, faults };
}

function isServiceLink(name: string, text: string): boolean {
  return LINK_NAME.test(name) || (LINK_PORT_NAME.test(name) && LINK_PORT_VALUE.test(text));
}

function unknownVariable(name: string, text: string): Fault {
  const suggestion = nearest(name, [...KEY_BY_NAME.keys()]);
  return {
    name,
    given: text,
    from: "the environment",
    problem: "no such variable",
    allowed: suggestion === null ? "one of the variables of --help" : `did you mean ${suggestion}?`,
  };
}
