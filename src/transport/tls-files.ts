/**
 * The files of TENURE_TLS_DIR: read, checked for use, and read again when they change.
 *
 * Invariant: what is in use was parsed and fits together. A directory that has become unusable is a fault, and what was
 * in use stays. Session resumption is off, so that no connection skips the check of a certificate.
 *
 * Deliberately absent: a file watcher. A mounted secret is replaced by a symbolic link two levels up, which watchers
 * miss on some kernels; comparing three small files is certain.
 */
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { messageOf, systemCodeOf, TenureError } from "../base/errors.ts";
import { TLS_RELOAD_INTERVAL_MS } from "../base/limits.ts";

/** What one reading of the files gave, ready for use. */
export interface TlsMaterial {
  /** For the listener, which makes its context itself. */
  readonly options: SecureContextOptions;
  /** For diallers. */
  readonly context: SecureContext;
  /** When this node's certificate runs out, in ms of the wall clock since 1970. */
  readonly notAfterMs: number;
}

interface Contents {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const FILES = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" } as const;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export class TlsFiles {
  readonly #directory: string;
  #contents: Contents;
  #material: TlsMaterial;
  #timer: NodeJS.Timeout | null = null;
  /** The last fault that was told, until the files are in order again. */
  #told: string | null = null;

  private constructor(directory: string, contents: Contents) {
    this.#directory = directory;
    this.#contents = contents;
    this.#material = materialOf(directory, contents);
  }

  /** Throws `tls_unusable` naming the file. */
  static async open(directory: string): Promise<TlsFiles> {
    return new TlsFiles(directory, await read(directory));
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Looks again every TLS_RELOAD_INTERVAL_MS. Does not keep the process alive. */
  watch(changed: (material: TlsMaterial) => void, failed: (error: TenureError) => void): void {
    this.#timer = setTimeout(() => {
      void this.reload(changed, failed).then(() => {
        if (this.#timer !== null) this.watch(changed, failed);
      });
    }, TLS_RELOAD_INTERVAL_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * One look. A reading that does not fit together is made once more: it may have met the files as they were replaced.
   * `failed` is called once per fault, with `tls_unusable`.
   */
  async reload(changed: (material: TlsMaterial) => void, failed: (error: TenureError) => void): Promise<void> {
    let fault: TenureError | null = null;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const contents = await read(this.#directory);
        const material = isSame(contents, this.#contents) ? null : materialOf(this.#directory, contents);
        this.#told = null;
        if (material === null) return;
        this.#contents = contents;
        this.#material = material;
        changed(material);
        return;
      } catch (error) {
        if (!(error instanceof TenureError)) throw error;
        fault = error;
      }
    }
    if (fault === null || fault.message === this.#told) return;
    this.#told = fault.message;
    failed(fault);
  }
}

async function read(directory: string): Promise<Contents> {
  const [cert, key, ca] = await Promise.all([
    readText(join(directory, FILES.cert)),
    readText(join(directory, FILES.key)),
    readText(join(directory, FILES.ca)),
  ]);
  return { cert, key, ca };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unusable(path, `cannot be read (${systemCodeOf(error) ?? messageOf(error)})`);
  }
}

/** Parses everything: Node takes an empty or broken `ca` without a word, and would then trust public CAs or nobody. */
function materialOf(directory: string, { cert, key, ca }: Contents): TlsMaterial {
  const certPath = join(directory, FILES.cert);
  const keyPath = join(directory, FILES.key);
  const [leaf] = certificatesOf(certPath, cert);
  const cas = certificatesOf(join(directory, FILES.ca), ca);
  const privateKey = tryTo(keyPath, "holds no private key in PEM", () => createPrivateKey(key));
  if (leaf === undefined || !leaf.checkPrivateKey(privateKey)) {
    throw unusable(keyPath, `is not the key of ${FILES.cert}`);
  }
  const options: SecureContextOptions = {
    cert,
    key,
    ca: cas.map((each) => each.toString()),
    minVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  const context = tryTo(certPath, "cannot be used", () => createSecureContext(options));
  return { options, context, notAfterMs: leaf.validToDate.getTime() };
}

function certificatesOf(path: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw unusable(path, "holds no certificate in PEM");
  return blocks.map((block) => tryTo(path, "holds a broken certificate", () => new X509Certificate(block)));
}

function tryTo<T>(path: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw unusable(path, `${what} (${systemCodeOf(error) ?? messageOf(error)})`);
  }
}

function unusable(path: string, what: string): TenureError {
  return new TenureError("tls_unusable", `${path} ${what}`);
}

function isSame(left: Contents, right: Contents): boolean {
  return left.cert === right.cert && left.key === right.key && left.ca === right.ca;
}
