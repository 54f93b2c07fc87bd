/** Streams to other servers, and the links that bring what goes over them. */
import type WebSocket from "ws";
import type { BridgeFacts, ToBridges } from "../peer/frames.ts";
import { Unverifiable } from "../protocol/pairs.ts";
import { outward } from "../protocol/server-stanza.ts";
import type { Connection } from "./connection.ts";
import type { Figures, Passed } from "./figures.ts";
import type { InboundPorts } from "./inbound.ts";
import type { Inward } from "./inward.ts";
import { Link, type Origin, type Outgoing } from "./link.ts";
import { type OutgoingPorts, openStream, Refused } from "./outgoing.ts";
import { Route } from "./route.ts";

const LOOK_MS = 30_000;
/** Servers that are remembered. */
const MOST_KNOWN = 10_000;
/** How soon a lost socket to the server is opened again; and what keeps it from being taken for dead. */
const AGAIN_MS = 1_000;
const ALIVE_MS = 30_000;

export interface FederationPorts extends OutgoingPorts {
  passed: Passed;
}

/** Somebody who is not reached by opening a stream: a component that has connected. */
export interface Attached {
  /** `done` says whether the connection has taken it. */
  write(stanza: string, done: (error?: Error | null) => void): void;
}

export class Federation {
  readonly #inward: Inward;
  readonly #facts: BridgeFacts;
  /** What streams need that stanzas come in by. */
  readonly inbound: InboundPorts;
  readonly #ports: FederationPorts;
  readonly #links = new Map<string, Link>();
  readonly #routes = new Map<string, Route>();
  /** Streams of other servers that take what is for them, by what a route is found by (XEP-0288). */
  readonly #offered = new Map<string, Connection>();
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
    this.inbound = {
      hosts: new Set(facts.hosts),
      secret: ports.secret,
      certificates: ports.certificates,
      verify: (...question) => this.#verify(...question),
      answered: (from, proof) => this.answered(from, proof),
      enter: (...entering) => this.enter(...entering),
    };
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
    const streams = [...this.#routes.values()].filter(({ own }) => own).length;
    return { connected: this.#connected, links, streams, unacknowledged };
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
    this.#route(outgoing.from, remote).write(outgoing);
  }

  #route(local: string, remote: string): Route {
    const key = `${local} ${remote}`;
    const known = this.#routes.get(key);
    if (known) return known;
    const route: Route = new Route(local, remote, {
      sent: (numbers) => this.link(remote).sent(numbers),
      failed: (...failure) => {
        // Where it was silent it is not tried again.
        this.#offered.delete(key);
        this.link(remote).failed(...failure);
      },
      answers: () => this.#answering.has(remote),
      ended: () => {
        if (this.#routes.get(key) === route) this.#routes.delete(key);
      },
    });
    this.#routes.set(key, route);
    const offered = this.#offered.get(key);
    if (offered) route.over(offered);
    else route.open(this.#ports, this.inbound);
    return route;
  }

  /** Stanzas from `local` to `remote` may go out on the stream that it has opened, until `withdraw`. */
  offer(local: string, remote: string, connection: Connection): void {
    this.#offered.set(`${local} ${remote}`, connection);
  }

  withdraw(connection: Connection): void {
    for (const [key, offered] of this.#offered) if (offered === connection) this.#offered.delete(key);
    for (const route of this.#routes.values()) if (route.isOn(connection)) route.end();
  }

  /** `remote` has answered a question. @returns whether it was asked here */
  answered(remote: string, proof: string): boolean {
    for (const route of this.#routes.values()) {
      if (route.remote !== remote || !route.answered(proof)) continue;
      if (this.#answering.size >= MOST_KNOWN) this.#answering.clear();
      this.#answering.add(remote);
      return true;
    }
    return false;
  }

  /** Asks the server of `remote` whether a dialback key is its own: on a stream for this alone (XEP-0288 §2.2). */
  async #verify(local: string, remote: string, id: string, key: string): Promise<boolean> {
    try {
      const { connection, valid } = await openStream(local, remote, { kind: "verify", id, key }, this.#ports);
      connection.close();
      return valid;
    } catch (error) {
      const final = error instanceof Refused && error.final;
      throw new Unverifiable(final ? "remote-server-not-found" : "remote-server-timeout");
    }
  }

  #tidy(): void {
    const now = Date.now();
    for (const route of this.#routes.values()) if (route.isIdle(now)) route.end();
    for (const [domain, link] of this.#links) if (link.idle(now)) this.#links.delete(domain);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket?.terminate();
    for (const link of this.#links.values()) link.close();
    for (const route of this.#routes.values()) route.end();
  }
}
