/** Streams to other servers, and the links that bring what goes over them. */
import type WebSocket from "ws";
import type { BridgeFacts, ToBridges } from "../peer/frames.ts";
import type { Element } from "../xml/element.ts";
import type { Connection } from "./connection.ts";
import type { Inward } from "./inward.ts";
import { Link, type Outgoing } from "./link.ts";
import { type OutgoingPorts, openStream, Refused } from "./outgoing.ts";
import { outward } from "./stanza.ts";

/** A stream nobody used for so long is closed. */
const IDLE_MS = 600_000;
const LOOK_MS = 30_000;
/** How soon a lost socket to the server is opened again; and what keeps it from being taken for dead. */
const AGAIN_MS = 1_000;
const ALIVE_MS = 30_000;

/** What goes to one remote domain from one of ours. */
interface Route {
  connection: Connection | undefined;
  /** While there is no stream yet. */
  waiting: Outgoing[] | undefined;
  used: number;
}

/** Somebody who is not reached by opening a stream: a component that has connected. */
export interface Attached {
  write(stanza: string): boolean;
}

export class Federation {
  readonly #inward: Inward;
  readonly #facts: BridgeFacts;
  readonly #ports: OutgoingPorts;
  readonly #name = crypto.randomUUID();
  readonly #links = new Map<string, Link>();
  readonly #routes = new Map<string, Route>();
  readonly #attached = new Map<string, Attached>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #online = Promise.withResolvers<void>();
  #socket: WebSocket | undefined;
  #closed = false;

  constructor(inward: Inward, facts: BridgeFacts, ports: OutgoingPorts) {
    this.#inward = inward;
    this.#facts = facts;
    this.#ports = ports;
    this.#wait();
    this.#timers.push(
      setInterval(() => this.#tidy(), LOOK_MS),
      setInterval(() => this.#socket?.ping(), ALIVE_MS),
    );
  }

  /** Resolves when the server knows that this bridge is here. */
  get online(): Promise<void> {
    return this.#online.promise;
  }

  /** The socket on which the server says whom it wants to reach. */
  #wait(): void {
    const socket = this.#inward.waiting();
    this.#socket = socket;
    socket.on("open", () => this.#online.resolve());
    socket.on("message", (data) => this.link((JSON.parse(String(data)) as ToBridges).reach).wake());
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!this.#closed) setTimeout(() => this.#wait(), AGAIN_MS);
    });
  }

  link(domain: string): Link {
    let link = this.#links.get(domain);
    if (!link) {
      const connect = () => this.#inward.peer(domain);
      link = new Link({ connect, name: this.#name, outgoing: (stanza) => this.#outgoing(domain, stanza) });
      this.#links.set(domain, link);
    }
    return link;
  }

  /** A component takes what is for its domain. */
  attach(domain: string, attached: Attached): void {
    this.#attached.set(domain, attached);
    const link = this.link(domain);
    link.keep = true;
    link.wake();
  }

  detach(domain: string, attached: Attached): void {
    if (this.#attached.get(domain) !== attached) return;
    this.#attached.delete(domain);
    this.link(domain).keep = false;
  }

  #outgoing(remote: string, outgoing: Outgoing): void {
    const component = this.#attached.get(remote);
    const link = this.link(remote);
    if (component) {
      component.write(outward(outgoing.stanza));
      return link.sent(outgoing.n);
    }
    if (remote in this.#facts.components) return link.failed([outgoing.n], "the component is not connected", false);
    const { from } = outgoing;
    const key = `${from} ${remote}`;
    let route = this.#routes.get(key);
    if (!route) {
      route = { connection: undefined, waiting: [], used: 0 };
      this.#routes.set(key, route);
      this.#open(key, route, from, remote);
    }
    route.used = Date.now();
    if (route.waiting) route.waiting.push(outgoing);
    else this.#write(route, link, outgoing);
  }

  #write(route: Route, link: Link, { n, stanza }: Outgoing): void {
    route.connection?.write(outward(stanza));
    link.sent(n);
  }

  #open(key: string, route: Route, local: string, remote: string): void {
    openStream(local, remote, { kind: "stanzas" }, this.#ports).then(
      ({ connection }) => {
        const waiting = route.waiting ?? [];
        route.waiting = undefined;
        route.connection = connection;
        const end = () => {
          if (this.#routes.get(key) === route) this.#routes.delete(key);
          connection.close();
        };
        // Stanzas come on streams that the other side opens; nothing is to be said here but goodbye.
        connection.handOver({ open() {}, element: (element) => isError(element) && end(), closed: end, gone: end });
        for (const outgoing of waiting) this.#write(route, this.link(remote), outgoing);
      },
      (error) => {
        this.#routes.delete(key);
        const numbers = (route.waiting ?? []).map(({ n }) => n);
        this.link(remote).failed(numbers, String(error), error instanceof Refused && error.final);
      },
    );
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
