/** Faults are told once per cause, and in words that help. */
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_FAULT_CAUSES, MAX_FAULT_SOURCES } from "../../../src/base/limits.ts";
import { explain } from "../../../src/transport/explain.ts";
import { FaultGate } from "../../../src/transport/faults.ts";

const refused = { code: "peer_unreachable", message: "refused" } as const;
const group = { code: "peer_group", message: "other" } as const;

function gate(): { readonly told: string[]; readonly gate: FaultGate } {
  const told: string[] = [];
  return { told, gate: new FaultGate((code, peer, message) => told.push(`${peer} ${code} ${message}`)) };
}

describe("a fault", () => {
  it("is told once per cause, also when causes alternate", () => {
    const { told, gate: faults } = gate();
    for (let round = 0; round < 5; round += 1) {
      faults.report("to a", "a", refused, `10.0.0.${round}:7400`);
      faults.report("to a", "a", group, null);
    }
    expect(told).toEqual(["a peer_unreachable 10.0.0.0:7400: refused", "a peer_group other"]);
  });

  it("is told again when it worked in between, and for each source", () => {
    const { told, gate: faults } = gate();
    faults.report("to a", "a", refused, null);
    faults.report("to b", "b", refused, null);
    faults.clear("to a");
    faults.report("to a", "a", refused, null);
    faults.report("to b", "b", refused, null);
    expect(told).toHaveLength(3);
  });

  it("of many strangers takes bounded memory: the one heard of longest ago is forgotten first", () => {
    const { told, gate: faults } = gate();
    faults.report("from first", "first", refused, null);
    for (let at = 0; at < MAX_FAULT_SOURCES - 1; at += 1) faults.report(`from ${at}`, "s", refused, null);
    faults.report("from first", "first", refused, null);
    expect(told).toHaveLength(MAX_FAULT_SOURCES);
    faults.report("from another", "s", refused, null);
    faults.report("from first", "first", refused, null);
    expect(told).toHaveLength(MAX_FAULT_SOURCES + 1);
    faults.report("from 0", "s", refused, null);
    expect(told).toHaveLength(MAX_FAULT_SOURCES + 2);
  });

  it("with ever new causes takes bounded memory too", () => {
    const { told, gate: faults } = gate();
    const cause = (at: number): typeof refused & object => ({ ...refused, message: `cause ${at}` as "refused" });
    for (let at = 0; at <= MAX_FAULT_CAUSES; at += 1) faults.report("to a", "a", cause(at), null);
    faults.report("to a", "a", cause(MAX_FAULT_CAUSES), null);
    expect(told).toHaveLength(MAX_FAULT_CAUSES + 1);
    faults.report("to a", "a", cause(0), null);
    expect(told).toHaveLength(MAX_FAULT_CAUSES + 2);
  });
});

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
    expect(explain(new TenureError("peer_group", "other"))).toEqual(group);
    expect(explain(new Error("odd")).message).toBe("odd");
  });
});
