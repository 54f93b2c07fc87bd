/** Streams to other servers, and the links that bring what goes over them. */
import type WebSocket from "ws";
import type { BridgeFacts, ToBridges } from "../peer/frames.ts";
import { askProof } from "../protocol/proof.ts";
import { outward } from "../protocol/server-stanza.ts";
import type { Element } from "../xml/element.ts";
import type { Connection } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import type { Passed } from "./figures.ts";
import type { Inward } from "./inward.ts";
import { Link, type Origin, type Outgoing } from "./link.ts";
import { type OutgoingPorts, openStream, Refused } from "./outgoing.ts";

/** A stream nobody used for so long is closed. */
const IDLE_MS = 600_000;
const LOOK_MS = 30_000;
/** Servers that are remembered. */
const MOST_KNOWN = 10_000;
/** How soon a lost socket to the server is opened again; and what keeps it from being taken for dead. */
const AGAIN_MS = 1_000;
const ALIVE_MS = 30_000;

/** What goes to one remote domain from one of ours. */
interface Route {
  connection: Connection | undefined;
  delivery: Delivery | undefined;
  /** While there is no stream yet. */
  waiting: Outgoing[] | undefined;
  used: number;
}

export interface FederationPorts extends OutgoingPorts {
  passed: Passed;
}

/** Somebody who is not reached by opening a stream: a component that has connected. */
export interface Attached {
  /** `done` says whether the connection has taken it. */
  write(stanza: string, done: (error?: Error | null) => void): void;
}

/** How it stands with the server, and with others. */
interface Figures {
  connected: boolean;
  /** Links and outgoing streams that are open. */
  links: number;
  streams: number;
  unacknowledged: { in: number; out: number };
}

export class Federation {
  readonly #inward: Inward;
  readonly #facts: BridgeFacts;
  readonly #ports: FederationPorts;
  readonly #links = new Map<string, Link>();
  readonly #routes = new Map<string, Route>();
  readonly #attached = new Map<string, Attached>();
  /** Servers that have answered a question of ours: from them, silence is not their manner. */
  readonly #answering = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #online = Promise.withResolvers<void>();
  #socket: WebSocket | undefined;
  #closed = false;

  constructor(inward: Inward, facts: BridgeFacts, ports: FederationPorts) {
    this.#inward = inward;
    this.#facts = facts;
    this.#ports = ports;
    this.#wait();
    this.#timers.push(
      setInterval(() => this.#tidy(), LOOK_MS),
      // It would throw while it is not open.
      setInterval(() => this.#connected && this.#socket?.ping(), ALIVE_MS),
    );
  }

  /** Resolves when the server knows that this bridge is here. */
  get online(): Promise<void> {
    return this.#online.promise;
  }

  get #connected(): boolean {
    return this.#socket?.readyState === 1;
  }

  get figures(): Figures {
    const unacknowledged = { in: 0, out: 0 };
    let links = 0;
    for (const link of this.#links.values()) {
      if (link.isReady) links++;
      unacknowledged.in += link.unacknowledged.in;
      unacknowledged.out += link.unacknowledged.out;
    }
    return { connected: this.#connected, links, streams: this.#routes.size, unacknowledged };
  }

  /** The socket on which the server says whom it wants to reach. */
  #wait(): void {
    const socket = this.#inward.waiting();
    this.#socket = socket;
    socket.on("open", () => this.#online.resolve());
    socket.on("message", (data) => this.link((JSON.parse(String(data)) as ToBridges).reach).reach());
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!this.#closed) setTimeout(() => this.#wait(), AGAIN_MS);
    });
  }

  link(domain: string): Link {
    let link = this.#links.get(domain);
    if (!link) {
      link = new Link({
        connect: () => this.#inward.peer(domain),
        outgoing: (stanza) => this.#outgoing(domain, stanza),
        answered: (proof) => this.answered(domain, proof),
      });
      this.#links.set(domain, link);
    }
    return link;
  }

  /** A verified stanza for the object of `from`. False when too many are on their way. */
  enter(from: string, stanza: string, origin: Origin): boolean {
    this.#ports.passed.count(this.#kind(from), "in");
    return this.link(from).enter(stanza, origin);
  }

  #kind(domain: string): "component" | "server" {
    return Object.hasOwn(this.#facts.components, domain) ? "component" : "server";
  }

  /** A component takes what is for its domain. */
  attach(domain: string, attached: Attached): void {
    this.#attached.set(domain, attached);
    const link = this.link(domain);
    link.keep = true;
    // A new socket, even where there is one: on it, what waits for the component comes at once.
    link.reach();
  }

  detach(domain: string, attached: Attached): void {
    if (this.#attached.get(domain) !== attached) return;
    this.#attached.delete(domain);
    this.link(domain).keep = false;
  }

  #outgoing(remote: string, outgoing: Outgoing): void {
    this.#ports.passed.count(this.#kind(remote), "out");
    const component = this.#attached.get(remote);
    const link = this.link(remote);
    if (component) {
      const { n } = outgoing;
      // XEP-0114 has no acknowledgement, and many a gateway answers no ping: what the system took for it counts as sent.
      return component.write(outward(outgoing.stanza), (error) => {
        if (error) link.failed([n], "the component has gone", false);
        else link.sent([n]);
      });
    }
    if (this.#kind(remote) === "component") return link.failed([outgoing.n], "the component is not connected", false);
    const { from } = outgoing;
    const key = `${from} ${remote}`;
    let route = this.#routes.get(key);
    if (!route) {
      route = { connection: undefined, delivery: undefined, waiting: [], used: 0 };
      this.#routes.set(key, route);
      this.#open(key, route, from, remote);
    }
    route.used = Date.now();
    if (route.waiting) route.waiting.push(outgoing);
    else route.delivery?.write(outgoing.n, outgoing.stanza);
  }

  #open(key: string, route: Route, local: string, remote: string): void {
    openStream(local, remote, { kind: "stanzas" }, this.#ports).then(
      ({ connection, acknowledges }) => {
        const end = () => {
          if (this.#routes.get(key) === route) this.#routes.delete(key);
          connection.close();
          const lost = delivery.end();
          if (lost.length > 0) this.link(remote).failed(lost, "nothing proves that it was read", false);
        };
        const delivery = new Delivery(acknowledges, {
          send: (element) => connection.send(element),
          write: (stanza) => connection.write(outward(stanza)),
          ask: () => askProof(local, remote),
          proven: (numbers) => this.link(remote).sent(numbers),
          silent: (promised) => {
            // One that never answers anything would be sent all of it again and again: it is believed as far as TCP is.
            if (promised || this.#answering.has(remote)) end();
            else {
              const facts = { level: "warn", message: "a server answers nothing and is believed to read", remote };
              console.error(JSON.stringify(facts));
              delivery.presume();
            }
          },
        });
        // Stanzas come on streams that the other side opens; what is said here is of this stream only.
        connection.handOver({
          open() {},
          element: (element) => (isError(element) ? end() : delivery.element(element)),
          closed: end,
          gone: end,
        });
        route.connection = connection;
        route.delivery = delivery;
        const waiting = route.waiting ?? [];
        route.waiting = undefined;
        for (const { n, stanza } of waiting) delivery.write(n, stanza);
      },
      (error) => {
        this.#routes.delete(key);
        const numbers = (route.waiting ?? []).map(({ n }) => n);
        this.link(remote).failed(numbers, String(error), error instanceof Refused && error.final);
      },
    );
  }

  /** `remote` has answered a question. @returns whether it was asked here */
  answered(remote: string, proof: string): boolean {
    for (const [key, { delivery }] of this.#routes) {
      if (!key.endsWith(` ${remote}`) || !delivery?.answered(proof)) continue;
      if (this.#answering.size >= MOST_KNOWN) this.#answering.clear();
      this.#answering.add(remote);
      return true;
    }
    return false;
  }

  /** Asks the server of `remote` whether a dialback key is its own. */
  async verify(local: string, remote: string, id: string, key: string): Promise<boolean> {
    const { connection, valid } = await openStream(local, remote, { kind: "verify", id, key }, this.#ports);
    connection.close();
    return valid;
  }

  #tidy(): void {
    const now = Date.now();
    for (const [key, route] of this.#routes) {
      if (!route.connection || now - route.used < IDLE_MS) continue;
      this.#routes.delete(key);
      route.connection.close();
    }
    for (const [domain, link] of this.#links) if (link.idle(now)) this.#links.delete(domain);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket?.terminate();
    for (const link of this.#links.values()) link.close();
    for (const { connection } of this.#routes.values()) connection?.close();
  }
}

const isError = ({ name }: Element) => name === "error";
