/** XEP-0114: Jabber Component Protocol, v1.6 — https://xmpp.org/extensions/xep-0114.html */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { domainpart } from "../protocol/domain.ts";
import { StreamError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import * as NS from "../protocol/ns.ts";
import { inward, isStanza } from "../protocol/server-stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { SERVER_LIMITS } from "../xml/reader.ts";
import { Connection, type Handler } from "./connection.ts";
import type { Attached, Federation } from "./federation.ts";

const HANDSHAKE_MS = 30_000;

export interface ComponentPorts {
  /** Domain → secret. */
  components: Record<string, string>;
  federation: Federation;
  hosts: ReadonlySet<string>;
}

export function serveComponent(socket: Socket, ports: ComponentPorts): void {
  new Component(socket, ports);
}

class Component implements Handler, Attached {
  readonly #connection: Connection;
  readonly #ports: ComponentPorts;
  readonly #late: NodeJS.Timeout;
  readonly #id = crypto.randomUUID();
  #domain = "";
  #known = false;

  constructor(socket: Socket, ports: ComponentPorts) {
    this.#ports = ports;
    this.#connection = new Connection(socket, NS.COMPONENT, this);
    this.#late = setTimeout(() => this.#connection.fail(new StreamError("connection-timeout")), HANDSHAKE_MS);
  }

  open({ attrs }: Element, namespaces: { readonly [prefix: string]: string }): void {
    const domain = domainpart(String(attrs.to ?? ""));
    this.#connection.open({ from: domain, id: this.#id });
    if (namespaces[""] !== NS.COMPONENT) throw new StreamError("invalid-namespace");
    if (domain === undefined || !Object.hasOwn(this.#ports.components, domain)) throw new StreamError("host-unknown");
    this.#domain = domain;
  }

  element(element: Element): void {
    if (!this.#known) this.#handshake(element);
    else if (isStanza(element, NS.COMPONENT)) this.#stanza(element);
    else throw new StreamError("unsupported-stanza-type");
  }

  #handshake(element: Element): void {
    const { components, federation } = this.#ports;
    if (element.name !== "handshake") throw new StreamError("not-authorized");
    const expected = createHash("sha1")
      .update(this.#id + components[this.#domain])
      .digest("hex");
    const given = Buffer.from(element.getText().trim().toLowerCase());
    if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected)))
      throw new StreamError("not-authorized");
    clearTimeout(this.#late);
    this.#known = true;
    this.#connection.limits = SERVER_LIMITS;
    this.#connection.send(xml("handshake"));
    federation.attach(this.#domain, this);
  }

  #stanza(element: Element): void {
    const from = Jid.tryParse(String(element.attrs.from ?? ""));
    const to = Jid.tryParse(String(element.attrs.to ?? ""));
    if (from?.domain !== this.#domain) throw new StreamError("invalid-from"); // §3
    if (!to) throw new StreamError("improper-addressing");
    const { socket } = this.#connection;
    const origin = { drained: () => void socket.resume(), taken() {} };
    if (!this.#ports.federation.enter(this.#domain, inward(element, NS.COMPONENT), origin)) socket.pause();
  }

  write(stanza: string, done: (error?: Error | null) => void): void {
    this.#connection.write(stanza, done);
  }

  closed(): void {
    this.#connection.close();
  }

  gone(): void {
    clearTimeout(this.#late);
    if (this.#known) this.#ports.federation.detach(this.#domain, this);
  }
}
