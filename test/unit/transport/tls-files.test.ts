/** TENURE_TLS_DIR: what is usable, what is not, and what happens when it changes. */
import { mkdtemp, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { TlsFiles } from "../../../src/transport/tls-files.ts";
import type { TlsMaterial } from "../../../src/transport/tls-files.ts";
import { issue, makeCa, writeTlsDir } from "../../support/ca.ts";
import type { IssuedCertificate, TestCa } from "../../support/ca.ts";

const NAMES = { dnsNames: ["app-0.app.test"] };

let ca: TestCa;
let certificate: IssuedCertificate;
let other: IssuedCertificate;
let dir: string;

beforeAll(async () => {
  ca = await makeCa();
  certificate = await issue(ca, NAMES);
  other = await issue(ca, NAMES);
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tenure-tls-"));
  await writeTlsDir(dir, ca, certificate);
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function faultOf(work: Promise<unknown>): Promise<TenureError> {
  const fault: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (fault instanceof TenureError) return fault;
  throw new Error(`expected a TenureError, not ${String(fault)}`);
}

describe("files that cannot be used are named", () => {
  const empty = "";
  const garbage = "no PEM at all\n";
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

  it.each([
    ["tls.crt", "is empty", empty, "tls.crt holds no certificate"],
    ["tls.crt", "is no PEM", garbage, "tls.crt holds no certificate"],
    ["tls.crt", "is broken", broken, "tls.crt holds a broken certificate"],
    ["tls.key", "is empty", empty, "tls.key holds no private key"],
    ["tls.key", "is no PEM", garbage, "tls.key holds no private key"],
    ["ca.crt", "is empty", empty, "ca.crt holds no certificate"],
    ["ca.crt", "is no PEM", garbage, "ca.crt holds no certificate"],
    ["ca.crt", "is broken", broken, "ca.crt holds a broken certificate"],
  ])("%s %s", async (file, _what, text, expected) => {
    await writeFile(join(dir, file), text);
    const fault = await faultOf(TlsFiles.open(dir));
    expect(fault.code).toBe("tls_unusable");
    expect(fault.message).toContain(join(dir, expected));
  });

  it.each(["tls.crt", "tls.key", "ca.crt"])("%s is missing", async (file) => {
    await unlink(join(dir, file));
    const fault = await faultOf(TlsFiles.open(dir));
    expect(fault.code).toBe("tls_unusable");
    expect(fault.message).toBe(`${join(dir, file)} cannot be read (ENOENT)`);
  });

  it("a key of another certificate", async () => {
    await writeFile(join(dir, "tls.key"), other.keyPem);
    const fault = await faultOf(TlsFiles.open(dir));
    expect(fault.message).toBe(`${join(dir, "tls.key")} is not the key of tls.crt`);
  });

  it("one broken certificate in a bundle of good ones", async () => {
    await writeFile(join(dir, "ca.crt"), `${ca.certPem}\n${broken}`);
    expect((await faultOf(TlsFiles.open(dir))).message).toContain("ca.crt holds a broken certificate");
  });
});

describe("files in use", () => {
  /** One look, and what came of it. */
  async function look(files: TlsFiles): Promise<string> {
    let result = "same";
    await files.reload(
      () => (result = "changed"),
      (error) => (result = error.code),
    );
    return result;
  }

  it("tell when the certificate runs out", async () => {
    const notAfter = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 7_200_000);
    await writeTlsDir(dir, ca, await issue(ca, { ...NAMES, notAfter }));
    expect((await TlsFiles.open(dir)).material.notAfterMs).toBe(notAfter.getTime());
  });

  it("trust all of a bundle", async () => {
    const second = await makeCa();
    await writeTlsDir(dir, [ca, second], certificate);
    expect((await TlsFiles.open(dir)).material.options.ca).toHaveLength(2);
  });

  it("are changed as a whole or not at all, and a fault is told once", async () => {
    const files = await TlsFiles.open(dir);
    const first: TlsMaterial = files.material;
    expect(await look(files)).toBe("same");
    await writeFile(join(dir, "tls.crt"), other.certPem);
    expect(await look(files)).toBe("tls_unusable");
    expect(await look(files)).toBe("same");
    expect(files.material).toBe(first);
    await writeFile(join(dir, "tls.key"), other.keyPem);
    expect(await look(files)).toBe("changed");
    expect(files.material).not.toBe(first);
    expect(files.material.options.cert).toBe(other.certPem);
    expect(await look(files)).toBe("same");
  });

  it("that come back as they were end the fault, so that the next one is told", async () => {
    const files = await TlsFiles.open(dir);
    await unlink(join(dir, "ca.crt"));
    expect(await look(files)).toBe("tls_unusable");
    await writeTlsDir(dir, ca, certificate);
    expect(await look(files)).toBe("same");
    await unlink(join(dir, "ca.crt"));
    expect(await look(files)).toBe("tls_unusable");
  });
});
