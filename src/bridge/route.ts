/** XEP-0288: Bidirectional Server-to-Server Connections, v1.0.1 — https://xmpp.org/extensions/xep-0288.html: the way from one of our domains to one of another server's, on a stream of either's making. */
import { askProof } from "../protocol/proof.ts";
import { outward } from "../protocol/server-stanza.ts";
import type { Connection } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import { Inbound, type InboundPorts } from "./inbound.ts";
import type { Outgoing } from "./link.ts";
import { type Opened, type OutgoingPorts, openStream, Refused } from "./outgoing.ts";

/** A stream of ours that nobody used for so long is closed. */
const IDLE_MS = 600_000;

export interface RoutePorts {
  /** What the other end has proved to have read; and what nothing proves of. */
  sent(numbers: number[]): void;
  failed(numbers: number[], reason: string, final: boolean): void;
  /** It has answered questions before: from it, silence is not its manner. */
  answers(): boolean;
  ended(): void;
}

export class Route {
  readonly local: string;
  readonly remote: string;
  /** Its stream is opened for it, and not by the other side. */
  own = false;
  readonly #ports: RoutePorts;
  #connection: Connection | undefined;
  #delivery: Delivery | undefined;
  /** While there is no stream yet. */
  #waiting: Outgoing[] = [];
  #used = Date.now();
  #ended = false;

  constructor(local: string, remote: string, ports: RoutePorts) {
    this.local = local;
    this.remote = remote;
    this.#ports = ports;
  }

  /** By a stream of its own; on it what comes back may come in, where the other side has that. */
  open(outgoing: OutgoingPorts, inbound: InboundPorts): void {
    this.own = true;
    openStream(this.local, this.remote, { kind: "stanzas" }, outgoing).then(
      (opened) => this.#opened(opened, inbound),
      (error) => {
        const numbers = this.#waiting.map(({ n }) => n);
        this.#leave(numbers, String(error), error instanceof Refused && error.final);
      },
    );
  }

  #opened({ connection, id, acknowledges, both }: Opened, ports: InboundPorts): void {
    if (this.#ended) return connection.close();
    const inbound = both ? new Inbound(connection, id, ports, () => {}) : undefined;
    // §2.2: it is who was called, and may say for that pair what it likes.
    inbound?.pairs.add(this.remote, this.local);
    const end = () => this.end();
    connection.handOver({
      open() {},
      element: (element) => {
        if (element.name === "error") return end();
        this.#used = Date.now();
        if (element.name === "enabled") inbound?.count();
        // Where it does not come both ways, nothing is listened to but what is said of this stream.
        if (!inbound?.element(element)) this.#delivery?.element(element);
      },
      closed: end,
      gone: end,
    });
    this.over(connection, acknowledges);
  }

  /** On that stream; `acknowledges`: its other end offers XEP-0198. */
  over(connection: Connection, acknowledges = false): void {
    const { local, remote } = this;
    const { answers, sent } = this.#ports;
    const delivery = new Delivery(acknowledges, {
      send: (element) => connection.send(element),
      write: (stanza) => connection.write(outward(stanza)),
      ask: () => askProof(local, remote),
      proven: sent,
      silent: (promised) => {
        // It is we who do not listen: what it has said may be waiting.
        if (connection.socket.isPaused()) return delivery.wait();
        // One that never answers anything would be sent all of it again and again: it is believed as far as TCP is.
        if (promised || answers()) return this.end();
        const facts = { level: "warn", message: "a server answers nothing and is believed to read", remote };
        console.error(JSON.stringify(facts));
        delivery.presume();
      },
    });
    this.#connection = connection;
    this.#delivery = delivery;
    for (const { n, stanza } of this.#waiting.splice(0)) delivery.write(n, stanza);
  }

  write(outgoing: Outgoing): void {
    this.#used = Date.now();
    if (this.#delivery) this.#delivery.write(outgoing.n, outgoing.stanza);
    else this.#waiting.push(outgoing);
  }

  /** An answer has come from there. @returns whether it is to a question that was asked here */
  answered(proof: string): boolean {
    return this.#delivery?.answered(proof) ?? false;
  }

  isOn(connection: Connection): boolean {
    return this.#connection === connection;
  }

  isIdle(now: number): boolean {
    return this.#connection !== undefined && now - this.#used >= IDLE_MS;
  }

  /** Its stream has ended, or is of no more use: what nothing proves goes another way. */
  end(): void {
    // One that the other side has opened may have more to say.
    if (this.own) this.#connection?.close();
    this.#leave(this.#delivery?.end() ?? [], "nothing proves that it was read", false);
  }

  #leave(lost: number[], reason: string, final: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ports.ended();
    if (lost.length > 0) this.#ports.failed(lost, reason, final);
  }
}
