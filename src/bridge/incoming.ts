/** RFC 6120 §4–§6, XEP-0178, XEP-0288: another server's stream to us — https://xmpp.org/extensions/xep-0178.html */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { domainpart } from "../protocol/domain.ts";
import { StreamError } from "../protocol/errors.ts";
import * as NS from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import { SERVER_LIMITS } from "../xml/reader.ts";
import type { Certificate } from "./certificate.ts";
import { Connection, type Handler } from "./connection.ts";
import type { Authorities } from "./identity.ts";
import { Inbound, type InboundPorts } from "./inbound.ts";

/** From the first byte until some domain was verified. */
const NEGOTIATE_MS = 30_000;
/** An idle stream costs its other end nothing to open again. */
const IDLE_MS = 3_600_000;

export interface IncomingPorts extends InboundPorts {
  certificate: Certificate;
  authorities: Authorities;
  /** Stanzas from `local` to `remote` may go out on this connection, from now on and until `withdraw`. */
  offer(local: string, remote: string, connection: Connection): void;
  withdraw(connection: Connection): void;
}

export function serveServer(socket: Socket, ports: IncomingPorts): void {
  new Incoming(socket, ports);
}

class Incoming implements Handler {
  readonly #connection: Connection;
  readonly #ports: IncomingPorts;
  readonly #late: NodeJS.Timeout;
  /** What it says; of the present stream, which begins again after TLS and after SASL. */
  #inbound: Inbound | undefined;
  /** The domain that a certificate stands for. */
  #certified: string | undefined;
  #from: string | undefined;
  #to: string | undefined;
  /** XEP-0288: it takes what is for it on this stream, too. */
  #both = false;

  constructor(socket: Socket, ports: IncomingPorts) {
    this.#ports = ports;
    this.#connection = new Connection(socket, NS.SERVER, this);
    this.#late = setTimeout(() => this.#connection.fail(new StreamError("connection-timeout")), NEGOTIATE_MS);
  }

  open({ name, attrs }: Element, namespaces: { readonly [prefix: string]: string }): void {
    const connection = this.#connection;
    this.#from = attrs.from === undefined ? undefined : domainpart(attrs.from);
    this.#to = attrs.to === undefined ? undefined : domainpart(attrs.to);
    const id = crypto.randomUUID();
    connection.open({ from: this.#to, to: this.#from, id, version: "1.0", "xml:lang": "en" });
    if (name !== "stream" || attrs.xmlns !== NS.STREAMS || namespaces[""] !== NS.SERVER)
      throw new StreamError("invalid-namespace");
    if (this.#to !== undefined && !this.#ports.hosts.has(this.#to)) throw new StreamError("host-unknown");
    if (attrs.version === undefined) throw new StreamError("unsupported-version", "Nothing goes on here without TLS.");
    connection.write(`<stream:features>${this.#features()}</stream:features>`);
    if (connection.secure) this.#begin(id);
  }

  #begin(id: string): void {
    const inbound = new Inbound(this.#connection, id, this.#ports, (from, to) => this.#verified(from, to));
    this.#inbound = inbound;
    inbound.pairs.certified = this.#certified;
    if (this.#certified !== undefined) this.#verified(this.#certified, this.#to);
  }

  #features(): string {
    // Without TLS nothing else is said here, so nothing else is offered.
    if (!this.#connection.secure) return `<starttls xmlns="${NS.TLS}"><required/></starttls>`;
    const management = `<sm xmlns="${NS.SM}"/>`;
    if (this.#certified !== undefined) return management;
    const external = this.#from !== undefined && this.#isCertified(this.#from);
    const mechanism = external ? `<mechanisms xmlns="${NS.SASL}"><mechanism>EXTERNAL</mechanism></mechanisms>` : "";
    const dialback = '<dialback xmlns="urn:xmpp:features:dialback"><errors/></dialback>';
    return `${mechanism}${dialback}<bidi xmlns="${NS.BIDI_FEATURE}"/>${management}`;
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
    if (attrs.xmlns === NS.BIDI && element.name === "bidi") return this.#bidi();
    if (this.#inbound?.element(element)) return;
    if (attrs.xmlns === NS.STREAMS) return connection.close();
    // What goes out here is proved by pings: it may be of many pairs, and acknowledgements count them together.
    if (attrs.xmlns !== NS.SM || element.name !== "a") throw new StreamError("unsupported-stanza-type");
  }

  #bidi(): void {
    // §2.2 would have it before authentication; what was verified before it stays one way.
    if (this.#inbound?.pairs.some) throw new StreamError("policy-violation", "That is said before authentication.");
    this.#both = true;
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
    connection.send(xml("success", { xmlns: NS.SASL }));
    connection.restart();
  }

  #verified(from: string, to: string | undefined): void {
    const connection = this.#connection;
    if (connection.ended) return;
    clearTimeout(this.#late);
    connection.limits = SERVER_LIMITS;
    connection.socket.setTimeout(IDLE_MS);
    // XEP-0288 §2.2: the way back is for the pair that was proved, and no other.
    if (this.#both && to !== undefined) this.#ports.offer(to, from, connection);
  }

  closed(): void {
    this.#connection.close();
  }

  gone(): void {
    clearTimeout(this.#late);
    this.#ports.withdraw(this.#connection);
  }
}
