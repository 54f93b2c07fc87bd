/** Another server, or a component: what waits for it, the links it is reached by, and what comes from it (RFC 6120 §8, §10.4). */
import type { Alarms } from "../kernel/due.ts";
import type { Log } from "../kernel/entity.ts";
import { answerAtHost } from "../kernel/host.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Item, Post } from "../kernel/post.ts";
import type { Sql } from "../kernel/sql.ts";
import { type StanzaCondition, stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { type Envelope, Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import { read, SERVER_LIMITS } from "../xml/reader.ts";
import type { ToBridge, ToPeer } from "./frames.ts";
import { Queue, type Queued } from "./queue.ts";

/** A stanza that could not be sent for so long goes back (R13). */
const PATIENCE_MS = 600_000;
/** Tries of a server that does not answer: after 1 s, 2 s, 4 s … and never later than this. */
const MOST_SECONDS = 300;
/** Stanzas that wait (security.md §4). */
const MOST = 10_000;
/** A bridge that was asked has so long to come. */
const REACH_MS = 5_000;
/** Sent in one go; the rest when these are acknowledged. */
const WINDOW = 500;
const DAY_MS = 86_400_000;

/** One bridge's socket. */
export interface Link {
  send(frame: ToBridge): void;
  close(): void;
  /** Kept with the socket while the object is forgotten. */
  state: LinkState;
  save(): void;
}

export interface LinkState {
  bridge: string;
  /** The last stanza that was sent on it. */
  sent: number;
  /** The last that was taken from it. */
  taken: number;
}

export interface PeerPorts {
  /** The remote domain. */
  domain: string;
  settings: Settings;
  kernel: Kernel;
  post: Post;
  sql: Sql;
  alarms: Alarms;
  log: Log;
  /** Asks some bridge to open a link here; false when none is on line. */
  reach(domain: string): Promise<boolean>;
  atomically<T>(run: () => T): T;
}

export class Peer {
  readonly #ports: PeerPorts;
  readonly #queue: Queue;
  readonly #links = new Set<Link>();
  /** Tries since the last success; a cache: an object that was forgotten begins again with a short wait. */
  #tries = 0;

  constructor(ports: PeerPorts) {
    this.#ports = ports;
    this.#queue = new Queue(ports.sql);
  }

  /** Our hosts that others may write to. */
  #isOurs(domain: string): boolean {
    const { settings } = this.#ports;
    return [settings.domain, settings.mucDomain, settings.pubsubDomain, settings.uploadDomain].includes(domain);
  }

  /** Stanzas for this server: when this returns they are in rows. */
  receive(batch: readonly Item[]): void {
    const { domain, settings } = this.#ports;
    const put: Queued[] = [];
    for (const item of batch) {
      if (!("e" in item)) continue;
      const { e } = item;
      if (settings.bridgeToken === undefined || this.#isOurs(domain) || domain === settings.guestDomain)
        this.#bounce(e, "remote-server-not-found");
      else if (this.#queue.size >= MOST) this.#bounce(e, "resource-constraint");
      else put.push(this.#queue.put(e, Date.now()));
    }
    const [oldest] = put;
    if (oldest) this.#go(oldest.at);
  }

  #go(oldest: number): void {
    const waits = this.#ports.alarms.pending("retry", "");
    const link = this.#link;
    if (!waits && link) return this.#flush(link);
    if (!waits) this.#reach();
    if (!this.#ports.alarms.pending("patience", "")) this.#ports.alarms.wake("patience", "", oldest + PATIENCE_MS);
  }

  /** The newest link. */
  get #link(): Link | undefined {
    let newest: Link | undefined;
    for (const link of this.#links) if (link.state.bridge) newest = link;
    return newest;
  }

  #reach(): void {
    const seconds = Math.min(2 ** this.#tries++, MOST_SECONDS);
    const wait = Math.max(seconds * 1000, REACH_MS) * (0.75 + Math.random() / 2);
    this.#ports.alarms.wake("retry", "", Date.now() + wait);
    this.#ports
      .reach(this.#ports.domain)
      .catch((error) => this.#ports.log.error("no bridge could be asked", error, { domain: this.#ports.domain }));
  }

  #flush(link: Link): void {
    const queued = this.#queue.after(link.state.sent, WINDOW);
    for (const { n, e } of queued) {
      const { from, to } = e;
      link.send({ n, stanza: Stanza.open(e).text(), from: domainOf(from), to: domainOf(to) });
      link.state.sent = n;
    }
    if (queued.length > 0) link.save();
  }

  /** A bridge's socket, new or from before the object was forgotten. */
  linked(link: Link): void {
    this.#links.add(link);
  }

  unlinked(link: Link): void {
    this.#links.delete(link);
    if (this.#links.size === 0 && this.#queue.size > 0) this.#again();
  }

  /** What a bridge says. */
  frame(link: Link, frame: ToPeer): void {
    if ("hello" in frame) {
      link.state = { bridge: frame.hello, sent: 0, taken: this.#queue.taken(frame.hello) };
      // The newest hello is the newest link.
      this.#links.delete(link);
      this.#links.add(link);
      link.save();
      link.send({ taken: link.state.taken });
      this.#tries = 0;
      this.#ports.alarms.cancel("retry", "");
      this.#flush(link);
    } else if ("n" in frame) this.#take(link, frame.n, frame.stanza);
    else if ("sent" in frame) {
      this.#tries = 0;
      this.#queue.remove(frame.sent);
      if (this.#queue.size > 0 && !this.#ports.alarms.pending("retry", "")) this.#flush(link);
    } else this.#failed(link, frame.failed, frame.reason, frame.final);
  }

  #failed(link: Link, numbers: readonly number[], reason: string, final: boolean): void {
    this.#ports.log.warn("a server could not be reached", { domain: this.#ports.domain, reason });
    if (final) {
      for (const n of numbers) {
        const queued = this.#queue.get(n);
        if (queued) this.#bounce(queued.e, "remote-server-not-found");
      }
      this.#queue.remove(numbers);
    } else {
      // All of it again, in order, when the time has come.
      link.state.sent = Math.min(link.state.sent, ...numbers.map((n) => n - 1));
      link.save();
      this.#again();
    }
  }

  #again(): void {
    const { alarms } = this.#ports;
    if (!alarms.pending("retry", "")) {
      const seconds = Math.min(2 ** this.#tries++, MOST_SECONDS);
      alarms.wake("retry", "", Date.now() + seconds * 1000 * (0.75 + Math.random() / 2));
    }
    if (!alarms.pending("patience", "")) alarms.wake("patience", "", Date.now() + PATIENCE_MS);
  }

  /** A stanza of the remote server. */
  #take(link: Link, n: number, text: string): void {
    const { state } = link;
    if (n <= state.taken) return link.send({ taken: state.taken });
    this.#ports.atomically(() => {
      this.#queue.take(state.bridge, n, Date.now());
      this.#enter(text);
    });
    state.taken = n;
    link.save();
    link.send({ taken: n });
  }

  #enter(text: string): void {
    const { domain, settings, post, kernel, log } = this.#ports;
    const element = read(text, SERVER_LIMITS);
    const from = Jid.tryParse(String(element.attrs.from ?? ""));
    const to = Jid.tryParse(String(element.attrs.to ?? ""));
    // The bridge has checked the pair; an object for one domain takes nothing else whatever it says.
    if (from?.domain !== domain || !to || !this.#isOurs(to.domain)) return;
    try {
      const stanza = Stanza.read(element, from, to);
      if (to.domain === settings.domain && to.local === "") {
        if (stanza.asks) post.send(answerAtHost(kernel, settings, log, stanza));
        return;
      }
      post.send(stanza);
    } catch (error) {
      log.warn("a stanza of another server was refused", { domain, error: String(error) });
    }
  }

  alarm(): void {
    const { alarms } = this.#ports;
    for (const { name } of alarms.take(Date.now())) {
      if (name === "patience") this.#expire();
      else if (name === "retry" && this.#queue.size > 0) {
        const link = this.#link;
        if (link) this.#flush(link);
        else this.#reach();
      }
    }
  }

  #expire(): void {
    const now = Date.now();
    const late = this.#queue.before(now - PATIENCE_MS + 1, MOST);
    for (const { e } of late) this.#bounce(e, "remote-server-timeout");
    this.#queue.remove(late.map(({ n }) => n));
    this.#queue.forgetBridges(now - 7 * DAY_MS);
    const [oldest] = this.#queue.after(0, 1);
    if (oldest) this.#ports.alarms.wake("patience", "", oldest.at + PATIENCE_MS);
    else this.#ports.alarms.cancel("retry", "");
  }

  #bounce(e: Envelope, condition: StanzaCondition): void {
    const { domain, post } = this.#ports;
    // §4.3.2 of RFC 6121: nobody waits for an answer to presence.
    if (e.kind === "presence" && !e.type.includes("subscribe")) return;
    const error = Stanza.open(e).error(stanzaError(condition, `${domain} could not be reached.`));
    if (error) post.send(error);
  }
}

const domainOf = (address: string) => Jid.parse(address).domain;
