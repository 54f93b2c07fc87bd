/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html. Where other servers' streams arrive, whose names nobody knows before they have said and proved them. */
import type { Alarms } from "../../kernel/due.ts";
import type { Post } from "../../kernel/post.ts";
import type { Sql } from "../../kernel/sql.ts";
import { Unverifiable } from "../../protocol/pairs.ts";
import { type EnterPorts, enter } from "../enter.ts";
import { Counts } from "./counts.ts";
import { type DiscoveryPorts, findWebSocket, mayHaveWebSocket } from "./discovery.ts";
import { Incoming } from "./incoming.ts";
import type { IncomingPorts, IncomingSocket, IncomingState } from "./incoming-state.ts";
import { type Dial, verify } from "./stream.ts";

/** Streams of one door. */
const MOST = 2_000;
const SWEEP_MS = 30_000;
/** A stranger's word for a door must not make an object: doors are in Cloudflare's regions, or here. */
const NAME = /^(?:local|wnam|enam|sam|weur|eeur|apac|oc|afr|me)$/;

export interface DoorPorts extends EnterPorts, DiscoveryPorts {
  /** The object's name. */
  name: string;
  hosts: ReadonlySet<string>;
  secret: string;
  post: Post;
  sql: Sql;
  alarms: Alarms;
  dial: Dial;
  proof(domain: string, id: string): void;
  heard(domain: string): void;
  /** What another door knows of a stream; the name is a door's, or was. */
  ask(door: string, name: string, domain: string): Promise<number | undefined>;
}

export class Door {
  readonly #ports: DoorPorts;
  readonly #counts: Counts;
  readonly #streams = new Set<Incoming>();

  constructor(ports: DoorPorts) {
    this.#ports = ports;
    this.#counts = new Counts(ports.sql);
  }

  get full(): boolean {
    return this.#streams.size >= MOST;
  }

  /** A socket, new or from before the object was forgotten. */
  accept(state: IncomingState, socket: IncomingSocket): Incoming {
    const { settings, kernel, log, hosts, secret, proof, heard, alarms } = this.#ports;
    const ports: IncomingPorts = {
      settings,
      kernel,
      log,
      hosts,
      secret,
      proof,
      heard,
      verify: (...question) => this.#verify(...question),
      enter: (stanza, passage, done) => enter(stanza, passage, this.#ports, done),
      custody: {
        read: (name, domain) => this.#custody(name, domain),
        write: (name, domain, handled) => this.#counts.write(name, domain, handled, Date.now()),
      },
    };
    const stream = new Incoming(state, socket, ports);
    this.#streams.add(stream);
    if (!alarms.pending("sweep", "")) alarms.wake("sweep", "", Date.now() + SWEEP_MS);
    return stream;
  }

  lost(stream: Incoming): void {
    stream.lost();
    this.#streams.delete(stream);
  }

  /** XEP-0220 §2.1.2, at the server that the web says is the domain's. */
  async #verify(local: string, remote: string, id: string, key: string): Promise<boolean> {
    const { settings, dial } = this.#ports;
    const url = mayHaveWebSocket(remote, settings) ? await findWebSocket(remote, this.#ports) : undefined;
    if (url === undefined)
      throw new Unverifiable("remote-server-not-found", `${remote} has no WebSocket where its key could be verified.`);
    return verify({ url, local, remote, dial }, id, key);
  }

  async #custody(name: string, domain: string): Promise<number | undefined> {
    const door = name.slice(0, name.indexOf("/"));
    if (door === this.#ports.name) return this.custody(name, domain);
    return NAME.test(door) ? this.#ports.ask(door, name, domain) : undefined;
  }

  /** How many stanzas of that stream are in custody; undefined when there was none of that name and domain. */
  custody(name: string, domain: string): number | undefined {
    return this.#counts.read(name, domain);
  }

  alarm(): void {
    const { alarms } = this.#ports;
    const now = Date.now();
    if (alarms.take(now).length === 0) return;
    this.#counts.sweep(now);
    let next = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) next = Math.min(next, stream.tend(now));
    if (next < Number.POSITIVE_INFINITY) alarms.wake("sweep", "", Math.max(next, now + SWEEP_MS));
  }
}
