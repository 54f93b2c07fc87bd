/** RFC 6120 §8.1, XEP-0198, XEP-0220: what another server says on a stream that is secure, whoever has opened it — https://xmpp.org/extensions/xep-0220.html */
import { StreamError } from "../protocol/errors.ts";
import * as NS from "../protocol/ns.ts";
import { Pairs } from "../protocol/pairs.ts";
import { proofIn } from "../protocol/proof.ts";
import { Received } from "../protocol/received.ts";
import { inward, isStanza } from "../protocol/server-stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import type { Connection } from "./connection.ts";
import type { Origin } from "./link.ts";

export interface InboundPorts {
  hosts: ReadonlySet<string>;
  /** Of dialback keys. */
  secret: string;
  /** Whether other servers need a good certificate, or dialback over TLS will do. */
  certificates: "required" | "optional";
  /** Asks the server of `remote` whether it made that key. */
  verify(local: string, remote: string, id: string, key: string): Promise<boolean>;
  /** That domain has answered a question; whether it was this bridge's. */
  answered(from: string, proof: string): boolean;
  /** A stanza of a verified pair. False when the stream should pause until it is told that there is room. */
  enter(from: string, stanza: string, origin: Origin): boolean;
}

export class Inbound {
  readonly pairs: Pairs;
  readonly #connection: Connection;
  readonly #ports: InboundPorts;
  /** Stanzas since stream management is on. */
  #received: Received | undefined;

  /** `id`: the stream's. `verified`: a key has proved one more pair. */
  constructor(connection: Connection, id: string, ports: InboundPorts, verified: (from: string, to: string) => void) {
    this.#connection = connection;
    this.#ports = ports;
    const { hosts, secret, certificates, verify } = ports;
    this.pairs = new Pairs({ pairs: [], keys: 0 }, id, {
      hosts,
      secret,
      isOurs: (domain) => hosts.has(domain),
      certificatesOnly: certificates === "required",
      verify,
      send: (element) => connection.send(element),
      verified,
      refused: () => {
        if (!this.pairs.some) connection.close(); // XEP-0220 §2.2.1
      },
    });
  }

  /** @returns false when it is none of what belongs here */
  element(element: Element): boolean {
    const { xmlns } = element.attrs;
    if (xmlns === NS.DIALBACK) this.pairs.dialback(element);
    else if (isStanza(element)) this.#stanza(element);
    else if (xmlns === NS.SM) return this.#management(element);
    else return false;
    return true;
  }

  #stanza(element: Element): void {
    const { from } = this.pairs.addresses(element);
    const received = this.#received;
    const n = received?.next();
    const taken = () => {
      if (n !== undefined) received?.done(n);
    };
    const proof = proofIn(element);
    if (proof !== undefined && this.#ports.answered(from.domain, proof)) return taken();
    const { socket } = this.#connection;
    const origin = { drained: () => void socket.resume(), taken };
    if (!this.#ports.enter(from.domain, inward(element), origin)) socket.pause();
  }

  /** Only what is asked: answers are for who writes. */
  #management({ name }: Element): boolean {
    const connection = this.#connection;
    if (name === "a" || name === "enabled" || name === "failed") return false;
    if (name === "r" && this.#received) this.#received.ask();
    else if (name === "enable" && !this.#received) {
      // §3: after authentication only.
      const refused = !this.pairs.some && xml("unexpected-request", { xmlns: NS.STANZA_ERRORS });
      connection.send(refused ? xml("failed", { xmlns: NS.SM }, refused) : xml("enabled", { xmlns: NS.SM }));
      if (!refused) this.count();
    } else throw new StreamError("policy-violation", "Stream management is enabled once, and then used.");
    return true;
  }

  /** Stream management is on: stanzas count from here. */
  count(): void {
    this.#received = new Received((acknowledgement) => this.#connection.send(acknowledgement));
  }
}
