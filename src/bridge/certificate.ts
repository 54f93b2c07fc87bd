/** The certificate the bridge shows, read again when its files change; RFC 5929 §4: tls-server-end-point — https://www.rfc-editor.org/rfc/rfc5929 */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { Refusal } from "./options.ts";

export class Certificate {
  readonly #certFile: string;
  readonly #keyFile: string;
  #stamp = "";
  #context!: SecureContext;
  #expires!: Date;
  cert = "";
  key = "";

  /** PEM files: the chain and its key. @throws {Refusal} */
  constructor(certFile: string, keyFile: string) {
    this.#certFile = certFile;
    this.#keyFile = keyFile;
    this.#look();
  }

  /** For the next connection; the same object until the files change. */
  get context(): SecureContext {
    this.#look();
    return this.#context;
  }

  get expires(): Date {
    this.#look();
    return this.#expires;
  }

  #look(): void {
    const first = this.#context === undefined;
    let stamp = this.#stamp;
    try {
      // Unlike the time of writing it is new for an old file that was moved here, too.
      stamp = [this.#certFile, this.#keyFile].map((file) => statSync(file).ctimeMs).join();
      if (stamp === this.#stamp) return;
      const cert = readFileSync(this.#certFile, "utf8");
      const key = readFileSync(this.#keyFile, "utf8");
      this.#context = createSecureContext({ cert, key, minVersion: "TLSv1.2" });
      this.#expires = new Date(new X509Certificate(cert).validTo);
      this.cert = cert;
      this.key = key;
    } catch (error) {
      const reason = (error as Error).message;
      if (first) throw new Refusal(`TLS_CERT and TLS_KEY are no certificate and its key: ${reason}`);
      // Half-written files: the old certificate stays until the new one is whole.
      console.error(JSON.stringify({ level: "warn", message: "the certificate was not read again", error: reason }));
    } finally {
      this.#stamp = stamp;
    }
  }
}

/** Signature algorithms by the DER of their OID, to the hash they have; what is not here has SHA-256. */
const HASHES: [oid: string, hash: string][] = [
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
];

/** The hash of a certificate by its own signature's hash; MD5 and SHA-1 count as SHA-256 (RFC 5929 §4.1). */
export function endPointOf(der: Buffer): Buffer {
  const outer = header(der, 0);
  const body = header(der, outer.start);
  const algorithm = header(der, body.end);
  const oid = header(der, algorithm.start);
  const name = der.subarray(oid.start, oid.end).toString("hex");
  const hash = HASHES.find(([known]) => known === name)?.[1] ?? "sha256";
  return createHash(hash).update(der).digest();
}

/** Where the contents of the DER value at `at` begin and end. */
function header(der: Buffer, at: number): { start: number; end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const bytes = first & 0x7f;
  const start = at + 2 + bytes;
  return { start, end: start + der.readUIntBE(at + 2, bytes) };
}
