/** Socket and TLS errors are put in words that help. */
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { explain } from "../../../src/transport/explain.ts";

describe("an error is explained", () => {
  it.each([
    ["ECONNREFUSED", "peer_unreachable", "nothing listens"],
    ["EHOSTUNREACH", "peer_unreachable", "network policy"],
    ["ESOMETHING", "peer_unreachable", "ESOMETHING"],
    ["CERT_HAS_EXPIRED", "peer_certificate", "expired"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "peer_certificate", "another CA"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "peer_protocol", "does not speak TLS"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "peer_protocol", "1.3"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "peer_certificate", "did not accept this node's certificate"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "peer_certificate", "did not accept this node's certificate"],
    ["ERR_SSL_SOMETHING", "peer_unreachable", "ERR_SSL_SOMETHING"],
  ])("%s as %s", (code, expected, text) => {
    const cause = explain(Object.assign(new Error("a long text with 4007F0 inside"), { code }));
    expect(cause.code).toBe(expected);
    expect(cause.message).toContain(text);
    expect(cause.message).not.toContain("4007F0");
  });

  it("as itself when it is the transport's own, and by its text when it has no code", () => {
    expect(explain(new TenureError("peer_group", "other"))).toEqual({
      code: "peer_group",
      message: "other",
    });
    expect(explain(new Error("odd")).message).toBe("odd");
  });
});
