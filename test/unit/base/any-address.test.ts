/** Where a server listens on a machine without IPv6. */
import { describe, expect, it } from "vitest";
import { bindAny } from "../../../src/base/any-address.ts";
import { TenureError } from "../../../src/base/errors.ts";

function refusal(code: string): Error {
  return Object.assign(new Error(`listen ${code}`), { code });
}

/** Binds nothing; "::" is refused with this. */
function refusing(error: Error): { readonly tried: string[]; readonly bind: (host: string) => Promise<string> } {
  const tried: string[] = [];
  const bind = (host: string): Promise<string> => {
    tried.push(host);
    return host === "0.0.0.0" ? Promise.resolve(host) : Promise.reject(error);
  };
  return { tried, bind };
}

describe("any address", () => {
  it.each(["EAFNOSUPPORT", "EADDRNOTAVAIL"])("is that of IPv4 where there is no IPv6 (%s)", async (code) => {
    for (const error of [refusal(code), new TenureError("listen_failed", "no", { cause: refusal(code) })]) {
      const { tried, bind } = refusing(error);
      expect(await bindAny("::", bind)).toBe("0.0.0.0");
      expect(tried).toEqual(["::", "0.0.0.0"]);
    }
  });

  it("is not tried again for any other reason, and no other address ever is", async () => {
    for (const [host, code] of [
      ["::", "EADDRINUSE"],
      ["::1", "EADDRNOTAVAIL"],
      ["127.0.0.1", "EAFNOSUPPORT"],
    ] as const) {
      const error = refusal(code);
      const { tried, bind } = refusing(error);
      await expect(bindAny(host, bind)).rejects.toBe(error);
      expect(tried).toEqual([host]);
    }
  });

  it("is refused with the second reason where IPv4 has none either", async () => {
    const bind = (host: string): Promise<string> =>
      Promise.reject(refusal(host === "::" ? "EAFNOSUPPORT" : "EADDRINUSE"));
    await expect(bindAny("::", bind)).rejects.toThrow("EADDRINUSE");
  });
});
