/** RFC 6120 §4–§8, XEP-0178, XEP-0198, XEP-0220: another server's stream to us — https://xmpp.org/extensions/xep-0220.html */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { isDialbackKey } from "../protocol/dialback.ts";
import { domainpart } from "../protocol/domain.ts";
import { StreamError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import * as NS from "../protocol/ns.ts";
import { proofIn } from "../protocol/proof.ts";
import { inward, isStanza } from "../protocol/server-stanza.ts";
import { Watermark } from "../protocol/watermark.ts";
import { type Element, xml } from "../xml/element.ts";
import { SERVER_LIMITS } from "../xml/reader.ts";
import type { Certificate } from "./certificate.ts";
import { Connection, type Handler } from "./connection.ts";
import type { Authorities } from "./identity.ts";
import type { Origin } from "./link.ts";

/** From the first byte until some domain was verified. */
const NEGOTIATE_MS = 30_000;
/** Domains that may be verified at one time. */
const PENDING = 8;
/** An idle stream costs its other end nothing to open again. */
const IDLE_MS = 3_600_000;

export interface IncomingPorts {
  certificate: Certificate;
  authorities: Authorities;
  certificates: "required" | "optional";
  secret: string;
  hosts: ReadonlySet<string>;
  /** Asks the server of `remote` whether it made that key. */
  verify(local: string, remote: string, id: string, key: string): Promise<boolean>;
  /** That domain has answered a question; whether it was this bridge's. */
  answered(from: string, proof: string): boolean;
  /** A stanza of a verified pair. False when the stream should pause until it is told that there is room. */
  enter(from: string, stanza: string, origin: Origin): boolean;
}

export function serveServer(socket: Socket, ports: IncomingPorts): void {
  new Incoming(socket, ports);
}

class Incoming implements Handler {
  readonly #connection: Connection;
  readonly #ports: IncomingPorts;
  readonly #late: NodeJS.Timeout;
  /** "from to" of what was verified (security.md F5). */
  readonly #pairs = new Set<string>();
  /** The domain that a certificate stands for: it may write to all our hosts. */
  #certified: string | undefined;
  #id = "";
  #from: string | undefined;
  #to: string | undefined;
  #pending = 0;
  /** XEP-0198 §4, once it is enabled: stanzas that came, and those that are in custody. */
  #counted: number | undefined;
  readonly #handled = new Watermark();
  /** It was asked for up to here. */
  #asked: number | undefined;

  constructor(socket: Socket, ports: IncomingPorts) {
    this.#ports = ports;
    this.#connection = new Connection(socket, NS.SERVER, this);
    this.#late = setTimeout(() => this.#connection.fail(new StreamError("connection-timeout")), NEGOTIATE_MS);
  }

  open({ name, attrs }: Element, namespaces: { readonly [prefix: string]: string }): void {
    const connection = this.#connection;
    this.#from = attrs.from === undefined ? undefined : domainpart(attrs.from);
    this.#to = attrs.to === undefined ? undefined : domainpart(attrs.to);
    this.#id = crypto.randomUUID();
    connection.open({ from: this.#to, to: this.#from, id: this.#id, version: "1.0", "xml:lang": "en" });
    if (name !== "stream" || attrs.xmlns !== NS.STREAMS || namespaces[""] !== NS.SERVER)
      throw new StreamError("invalid-namespace");
    if (this.#to !== undefined && !this.#ports.hosts.has(this.#to)) throw new StreamError("host-unknown");
    if (attrs.version === undefined) throw new StreamError("unsupported-version", "Nothing goes on here without TLS.");
    connection.write(`<stream:features>${this.#features()}</stream:features>`);
  }

  #features(): string {
    if (!this.#connection.secure) return `<starttls xmlns="${NS.TLS}"><required/></starttls>`;
    const management = `<sm xmlns="${NS.SM}"/>`;
    if (this.#certified !== undefined) return management;
    const external = this.#from !== undefined && this.#isCertified(this.#from);
    const mechanism = external ? `<mechanisms xmlns="${NS.SASL}"><mechanism>EXTERNAL</mechanism></mechanisms>` : "";
    return `${mechanism}<dialback xmlns="urn:xmpp:features:dialback"><errors/></dialback>${management}`;
  }

  #isCertified(domain: string): boolean {
    return (
      this.#ports.authorities.certify(this.#connection.socket as TLSSocket, domain) && !this.#ports.hosts.has(domain)
    );
  }

  element(element: Element): void {
    const { attrs } = element;
    const connection = this.#connection;
    if (attrs.xmlns === NS.TLS && element.name === "starttls" && !connection.secure) return this.#starttls();
    if (!connection.secure) throw new StreamError("policy-violation", "Nothing is said here before TLS.");
    if (attrs.xmlns === NS.SASL) return this.#sasl(element);
    if (attrs.xmlns === NS.DIALBACK) return this.#dialback(element);
    if (isStanza(element)) return this.#stanza(element);
    if (attrs.xmlns === NS.SM) return this.#management(element);
    if (attrs.xmlns === NS.STREAMS) return connection.close();
    throw new StreamError("unsupported-stanza-type");
  }

  #starttls(): void {
    const connection = this.#connection;
    connection.write(`<proceed xmlns="${NS.TLS}"/>`);
    const options = {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: false,
      secureContext: this.#ports.certificate.context,
      ALPNProtocols: ["xmpp-server"],
    };
    connection.secureWith((plain) => new TLSSocket(plain, options)).catch(() => connection.destroy());
  }

  #sasl(element: Element): void {
    const connection = this.#connection;
    const fail = (condition: string) => connection.send(xml("failure", { xmlns: NS.SASL }, xml(condition)));
    if (element.name !== "auth" || this.#certified !== undefined) return void fail("malformed-request");
    if (element.attrs.mechanism !== "EXTERNAL") return void fail("invalid-mechanism");
    const text = element.getText();
    const said = text === "" || text === "=" ? this.#from : domainpart(Buffer.from(text, "base64").toString());
    // XEP-0178 §3: the name it asks for, and nothing but what its certificate says.
    if (said === undefined || (this.#from !== undefined && said !== this.#from)) return void fail("invalid-authzid");
    if (!this.#isCertified(said)) return void fail("not-authorized");
    this.#certified = said;
    this.#verified();
    connection.send(xml("success", { xmlns: NS.SASL }));
    connection.restart();
  }

  #verified(): void {
    clearTimeout(this.#late);
    this.#connection.limits = SERVER_LIMITS;
    this.#connection.socket.setTimeout(IDLE_MS, () => this.#connection.close());
  }

  #dialback(element: Element): void {
    const { name, attrs } = element;
    const connection = this.#connection;
    const from = domainpart(String(attrs.from ?? ""));
    const to = domainpart(String(attrs.to ?? ""));
    if (from === undefined || to === undefined) throw new StreamError("improper-addressing");
    // §2.4, security.md F1: answers come on streams that we opened, where somebody waits for them.
    if (attrs.type !== undefined) throw new StreamError("not-authorized", "Nothing was asked.");
    if (!this.#ports.hosts.has(to)) throw new StreamError("host-unknown");
    if (name === "verify") {
      const good = isDialbackKey(element.getText(), this.#ports.secret, from, to, String(attrs.id ?? ""));
      connection.send(xml("db:verify", { from: to, to: from, id: attrs.id, type: good ? "valid" : "invalid" }));
    } else if (name === "result") this.#ask(from, to, element.getText().trim());
    else throw new StreamError("unsupported-stanza-type");
  }

  #ask(from: string, to: string, key: string): void {
    const connection = this.#connection;
    const answer = (type: string, ...children: Element[]) =>
      connection.send(xml("db:result", { from: to, to: from, type }, ...children));
    if (this.#ports.hosts.has(from)) throw new StreamError("invalid-from", "That is us.");
    if (this.#ports.certificates === "required" || this.#pending >= PENDING || key.length > 1024) {
      const condition = this.#pending >= PENDING ? "resource-constraint" : "policy-violation";
      answer("error", xml("error", { type: "cancel" }, xml(condition, { xmlns: NS.STANZA_ERRORS })));
      return;
    }
    this.#pending++;
    this.#ports
      .verify(to, from, this.#id, key)
      .then(
        (valid) => {
          if (valid) this.#pairs.add(`${from} ${to}`);
          if (valid) this.#verified();
          answer(valid ? "valid" : "invalid");
        },
        // §2.4.2: its server could not be asked; that says nothing about the key.
        () =>
          answer("error", xml("error", { type: "wait" }, xml("remote-server-timeout", { xmlns: NS.STANZA_ERRORS }))),
      )
      .finally(() => {
        this.#pending--;
      });
  }

  #stanza(element: Element): void {
    const from = Jid.tryParse(String(element.attrs.from ?? ""));
    const to = Jid.tryParse(String(element.attrs.to ?? ""));
    if (!this.#isVerified) throw new StreamError("not-authorized"); // §4.9.3.12
    if (!from || !to) throw new StreamError("improper-addressing"); // §8.1.1.2
    if (!this.#ports.hosts.has(to.domain)) throw new StreamError("host-unknown");
    if (from.domain !== this.#certified && !this.#pairs.has(`${from.domain} ${to.domain}`))
      throw new StreamError("invalid-from", "This domain was not verified here.");
    const { socket } = this.#connection;
    const taken = this.#count();
    const proof = proofIn(element);
    if (proof !== undefined && this.#ports.answered(from.domain, proof)) return taken();
    const origin = { drained: () => void socket.resume(), taken };
    if (!this.#ports.enter(from.domain, inward(element), origin)) socket.pause();
  }

  get #isVerified(): boolean {
    return this.#certified !== undefined || this.#pairs.size > 0;
  }

  /** Counts a stanza. @returns what is to be run when it is in custody */
  #count(): () => void {
    if (this.#counted === undefined) return () => {};
    const n = ++this.#counted;
    return () => {
      if (this.#handled.done(n)) this.#acknowledge();
    };
  }

  /** §4: acknowledged is what we answer for; who asks gets its answer when that is all it had sent by then. */
  #acknowledge(): void {
    if (this.#asked === undefined || this.#handled.upTo < this.#asked) return;
    this.#asked = undefined;
    this.#connection.send(xml("a", { xmlns: NS.SM, h: String(this.#handled.upTo % 2 ** 32) }));
  }

  #management({ name }: Element): void {
    const connection = this.#connection;
    if (name === "enable" && this.#counted === undefined) {
      // §3: after authentication only.
      const refusal = xml("failed", { xmlns: NS.SM }, xml("unexpected-request", { xmlns: NS.STANZA_ERRORS }));
      if (!this.#isVerified) return void connection.send(refusal);
      this.#counted = 0;
      connection.send(xml("enabled", { xmlns: NS.SM }));
    } else if (name === "r" && this.#counted !== undefined) {
      this.#asked = this.#counted;
      this.#acknowledge();
    } else if (name !== "a")
      throw new StreamError("policy-violation", "Stream management is enabled once, and then used.");
  }

  closed(): void {
    this.#connection.close();
  }

  gone(): void {
    clearTimeout(this.#late);
  }
}
