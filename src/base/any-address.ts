/**
 * The address "::", for which a machine without IPv6 takes "0.0.0.0".
 *
 * Invariant: any other address is bound as it is given, and any other refusal stands.
 *
 * Deliberately absent: sockets; whoever binds brings the way.
 */
import { systemCodeOf } from "./errors.ts";

/** What machines without IPv6 say to a bind to "::". */
const NO_IPV6: ReadonlySet<string> = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL"]);

/** @param bind rejects with the system's error, or one whose cause that is */
export async function bindAny<Bound>(host: string, bind: (host: string) => Promise<Bound>): Promise<Bound> {
  try {
    return await bind(host);
  } catch (error) {
    const code = systemCodeOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
    if (host !== "::" || code === null || !NO_IPV6.has(code)) throw error;
    return bind("0.0.0.0");
  }
}
