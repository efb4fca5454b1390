/**
 * Which Host and Origin headers the lock API answers.
 *
 * A web page can make a browser on this machine send requests here: directly, or through a DNS name of its own that
 * it points to 127.0.0.1 (DNS rebinding). The browser always says in `Host` which name was asked, and in `Origin`
 * which page asks, so a request is answered only when both are names that cannot be anyone else's.
 *
 * Invariant: only `localhost`, addresses of 127.0.0.0/8 and `[::1]` pass, with any port.
 *
 * Deliberately absent: subdomains of localhost, short and octal forms of IPv4, other spellings of ::1. Browsers bring
 * addresses into the forms accepted here; no one else has a need for them.
 */

const AUTHORITY = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;
const LOOPBACK_V4 = /^127(?:\.(?:0|[1-9]\d{0,2})){3}$/;
const ORIGIN = /^https?:\/\/(.*)$/i;

/** Whether `authority` (host and optional port, as in a Host header) is a loopback name. */
export function isLoopbackAuthority(authority: string): boolean {
  const host = AUTHORITY.exec(authority)?.[1]?.toLowerCase();
  if (host === undefined) return false;
  if (host === "[::1]") return true;
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name === "localhost") return true;
  return LOOPBACK_V4.test(name) && name.split(".").every((part) => Number(part) <= 255);
}

/** Whether `origin` (an Origin header) is a page of this machine; `null`, the origin of sandboxed pages, is not. */
export function isLoopbackOrigin(origin: string): boolean {
  const authority = ORIGIN.exec(origin)?.[1];
  return authority !== undefined && isLoopbackAuthority(authority);
}

/** `isLoopbackAuthority` with the last accepted string remembered: a client sends the same Host every time. */
export function createHostCheck(): (host: string | undefined) => boolean {
  let accepted: string | null = null;
  return (host) => {
    if (host === undefined) return false;
    if (host === accepted) return true;
    if (!isLoopbackAuthority(host)) return false;
    accepted = host;
    return true;
  };
}
