/** RFC 9525, RFC 6120 §13.7: whose certificate it is, by its subject alternative names only — https://www.rfc-editor.org/rfc/rfc9525 */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";

/** Names that are looked at in one certificate. */
const MOST_NAMES = 100;
/** Certificates between it and its authority. */
const DEPTH = 8;

/** The authorities that are trusted. */
export class Authorities {
  readonly #bySubject = new Map<string, X509Certificate[]>();

  /** PEM texts, of one certificate each or of many. */
  constructor(pems: readonly string[]) {
    for (const pem of pems.join("\n").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []) {
      const authority = new X509Certificate(pem);
      const same = this.#bySubject.get(authority.subject) ?? [];
      this.#bySubject.set(authority.subject, [...same, authority]);
    }
  }

  /** Whether the other end has shown a certificate for `domain` that one of the authorities vouches for. */
  certify(socket: TLSSocket, domain: string): boolean {
    const certificate = socket.getPeerX509Certificate();
    const name = domainToASCII(domain);
    if (!certificate || !name || (certificate.subjectAltName?.split(", ").length ?? 0) > MOST_NAMES) return false;
    const options = { subject: "never", partialWildcards: false, multiLabelWildcards: false } as const;
    return certificate.checkHost(name, options) !== undefined && this.#leadsHere(certificate, Date.now());
  }

  /**
   * Not left to TLS: new public certificates are for servers only, and for one that shows such a certificate as a client
   * OpenSSL reports the purpose alone, whatever else is wrong.
   */
  #leadsHere(leaf: X509Certificate, now: number): boolean {
    let current: X509Certificate | undefined = leaf;
    for (let depth = 0; current && depth < DEPTH; depth++) {
      const child: X509Certificate = current;
      if (!isCurrent(child, now)) return false;
      const authorities = this.#bySubject.get(child.issuer) ?? [];
      if (authorities.some((authority) => isCurrent(authority, now) && issued(authority, child))) return true;
      const next: X509Certificate | undefined = child.issuerCertificate;
      current = next && next.fingerprint256 !== child.fingerprint256 && issued(next, child) ? next : undefined;
    }
    return false;
  }
}

const issued = (issuer: X509Certificate, child: X509Certificate) =>
  issuer.ca && child.checkIssued(issuer) && child.verify(issuer.publicKey);

const isCurrent = ({ validFrom, validTo }: X509Certificate, now: number) =>
  Date.parse(validFrom) <= now && now <= Date.parse(validTo);
