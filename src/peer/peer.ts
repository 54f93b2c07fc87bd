/** Another server, or a component: what waits for it, the links it is reached by, and what comes from it (RFC 6120 §8, §10.4). */
import type { Alarms } from "../kernel/due.ts";
import type { Log } from "../kernel/entity.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Item, Post } from "../kernel/post.ts";
import type { Sql } from "../kernel/sql.ts";
import { type StanzaCondition, stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { proofIn } from "../protocol/proof.ts";
import { type Envelope, Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import { read, SERVER_LIMITS } from "../xml/reader.ts";
import { addressable, enter, hostsOf, type Passage } from "./enter.ts";
import type { Entering, ToPeer } from "./frames.ts";
import { Intake } from "./intake.ts";
import { type Link, Nowhere } from "./link.ts";
import { Queue, type Queued } from "./queue.ts";
import { mayHaveWebSocket } from "./websocket/discovery.ts";

/** Tries of a server that does not answer: after 1 s, 2 s, 4 s … and never later than this. */
const MOST_SECONDS = 300;
/** Stanzas that wait (security.md §4). */
const MOST = 10_000;
/** A bridge that was asked has so long to come. */
const REACH_MS = 5_000;
/** A bridge that has not said of a stanza what became of it may be lost with all it had: longer than it waits for proof. */
const WATCH_MS = 120_000;
/** Sent in one go; the rest when these are acknowledged. */
const WINDOW = 500;
const DAY_MS = 86_400_000;

export interface PeerPorts {
  /** The remote domain. */
  domain: string;
  settings: Settings;
  kernel: Kernel;
  post: Post;
  sql: Sql;
  alarms: Alarms;
  log: Log;
  /** Opens a stream, or asks some bridge to open a link here; false when none is on line. @throws {Nowhere} */
  reach(domain: string): Promise<boolean>;
  /** Looks after the stream that `reach` has opened. */
  tend?(): void;
}

export class Peer {
  readonly #ports: PeerPorts;
  readonly #queue: Queue;
  readonly #links = new Set<Link>();
  /** A cache over the links' states. */
  readonly #intakes = new WeakMap<Link, Intake>();
  /** Links whose bridges are about to be told what has been taken. */
  readonly #arriving = new Set<Link>();
  /** Tries since the last success; a cache: an object that was forgotten begins again with a short wait. */
  #tries = 0;

  constructor(ports: PeerPorts) {
    this.#ports = ports;
    this.#queue = new Queue(ports.sql);
  }

  #isOurs(domain: string): boolean {
    return hostsOf(this.#ports.settings).includes(domain);
  }

  /** Another server may write to ours and to their components; a component, which is one of us, to everybody. */
  #mayWriteTo(other: string): boolean {
    const { domain, settings } = this.#ports;
    const { components, guestDomain } = settings;
    if (Object.hasOwn(components, domain)) return other !== domain && other !== guestDomain;
    return addressable(settings).includes(other);
  }

  /** In ms: a stanza that could not be sent for so long goes back (R13). */
  get #patience(): number {
    return this.#ports.settings.s2sPatience * 1000;
  }

  /** Stanzas for this server: when this returns they are in rows. */
  receive(batch: readonly Item[]): void {
    const { domain, settings } = this.#ports;
    const reachable = settings.bridgeToken !== undefined || mayHaveWebSocket(domain, settings);
    const put: Queued[] = [];
    let came = false;
    for (const item of batch) {
      if (!("e" in item)) continue;
      const { e, origin } = item;
      if (!reachable || this.#isOurs(domain) || domain === settings.guestDomain)
        this.#bounce(e, "remote-server-not-found");
      else if (this.#queue.size >= MOST) this.#bounce(e, "resource-constraint");
      else {
        const now = Date.now();
        came = true;
        // Its sender was lost and does not know how far it had come.
        if (origin === undefined || !this.#queue.knows(e, origin, now)) put.push(this.#queue.put(e, now));
      }
    }
    if (came) this.#go(put);
  }

  #go(put: readonly Queued[]): void {
    const { alarms } = this.#ports;
    if (!alarms.pending("watch", "")) alarms.wake("watch", "", Date.now() + Math.min(WATCH_MS, this.#patience));
    if (alarms.pending("retry", "")) return;
    const link = this.#carrier;
    if (!link) return this.#reach();
    const { carries, sent } = link.state;
    // Nothing else waits: what was put need not be read again.
    if (carries && put[0]?.n === sent + 1) this.#send(link, put);
    else this.#flush(link);
  }

  /** The link that stanzas go out on; else the newest. */
  get #carrier(): Link | undefined {
    for (const link of this.#links) if (link.state.carries) return link;
    return this.#newest;
  }

  get #newest(): Link | undefined {
    let newest: Link | undefined;
    for (const link of this.#links) if (link.state.bridge) newest = link;
    return newest;
  }

  #reach(): void {
    this.#later(REACH_MS);
    this.#ports
      .reach(this.#ports.domain)
      .catch((error) =>
        error instanceof Nowhere
          ? this.#giveUp()
          : this.#ports.log.error("no bridge could be asked", error, { domain: this.#ports.domain }),
      );
  }

  /** There is no such server: all that waits goes back. */
  #giveUp(): void {
    const waiting = this.#queue.after(0, MOST);
    for (const { e } of waiting) this.#bounce(e, "remote-server-not-found");
    this.#queue.remove(waiting.map(({ n }) => n));
    this.#ports.alarms.cancel("retry", "");
  }

  /** Nothing goes out before another while: longer with each try. */
  #later(least = 0): void {
    const wait = Math.max(Math.min(2 ** this.#tries++, MOST_SECONDS) * 1000, least) * (0.75 + Math.random() / 2);
    this.#ports.alarms.wake("retry", "", Date.now() + wait);
  }

  #flush(link: Link): void {
    const { state } = link;
    if (!state.carries) state.sent = 0;
    this.#send(link, this.#queue.after(state.sent, WINDOW));
  }

  #send(link: Link, queued: readonly Queued[]): void {
    const { state } = link;
    for (const { n, e } of queued) {
      link.send({ n, after: state.sent, stanza: Stanza.open(e).text(), from: domainOf(e.from), to: domainOf(e.to) });
      state.sent = n;
    }
    if (queued.length === 0) return;
    state.carries = true;
    link.save();
  }

  /** A bridge's socket, new or from before the object was forgotten. */
  linked(link: Link): void {
    this.#links.add(link);
  }

  unlinked(link: Link): void {
    if (!this.#links.delete(link)) return;
    const carries = link.state.carries || this.#links.size === 0;
    // The bridge is given a moment to come back: it knows what it has in hand, and others do not.
    if (carries && this.#queue.size > 0 && !this.#ports.alarms.pending("retry", "")) this.#later();
  }

  /** What a bridge says. */
  frame(link: Link, frame: ToPeer): void {
    if ("hello" in frame) this.#greet(link, frame.hello, frame.next);
    else if (!link.state.bridge) this.#cut(link);
    else if ("n" in frame) this.#take(link, frame);
    else if ("sent" in frame) {
      this.#tries = 0;
      this.#queue.remove(frame.sent);
      if (link.state.carries && this.#queue.size > 0 && !this.#ports.alarms.pending("retry", "")) this.#flush(link);
    } else this.#failed(link, frame.failed, frame.reason, frame.final);
  }

  #greet(link: Link, bridge: string, next: number): void {
    // The newest hello is the newest link, and the only one of that name.
    for (const old of this.#links)
      if (old === link || old.state.bridge === bridge) {
        this.#links.delete(old);
        if (old !== link) old.close();
      }
    this.#links.add(link);
    this.#queue.forgetLinks(Date.now() - DAY_MS);
    link.state = { bridge, sent: 0, taken: Math.max(this.#queue.taken(bridge), next - 1) };
    this.#intakes.delete(link);
    link.save();
    link.send({ taken: link.state.taken });
    if (this.#carrier !== link) return;
    this.#tries = 0;
    this.#ports.alarms.cancel("retry", "");
    this.#flush(link);
  }

  /** Cuts a link: its bridge will come back, and begin with what is not in custody. */
  #cut(link: Link): void {
    link.close();
    this.unlinked(link);
  }

  #failed(link: Link, numbers: readonly number[], reason: string, final: boolean): void {
    const { log, domain, alarms } = this.#ports;
    log.warn("a server could not be reached", { domain, reason });
    if (final) {
      for (const n of numbers) {
        const queued = this.#queue.get(n);
        if (queued) this.#bounce(queued.e, "remote-server-not-found");
      }
      this.#queue.remove(numbers);
    } else if (link.state.carries) {
      // All of it again, in order, when the time has come.
      link.state.sent = Math.min(link.state.sent, ...numbers.map((n) => n - 1));
      this.#yield(link);
      link.save();
      if (!alarms.pending("retry", "")) this.#later();
    }
  }

  /** Another bridge, if there is one, may have better luck: it is the newest from now on. */
  #yield(link: Link): void {
    const links = [...this.#links];
    this.#links.clear();
    for (const each of [link, ...links]) this.#links.add(each);
    if (this.#newest !== link) link.state.carries = false;
  }

  /** A stanza of the remote server; the bridge keeps it until another object of ours answers for it. */
  #take(link: Link, frame: Entering): void {
    const { state } = link;
    const { n, again = false } = frame;
    let intake = this.#intakes.get(link);
    if (!intake) this.#intakes.set(link, (intake = new Intake(state.bridge, state.taken)));
    const verdict = intake.judge(frame);
    if (verdict === "known") return link.send({ taken: state.taken });
    if (verdict === "early") return this.#cut(link);
    this.heard();
    this.#enter(frame.stanza, { origin: intake.originOf(n), again }, (error) => {
      if (error) {
        this.#ports.log.error("a stanza of another server could not be handed on", error, {
          domain: this.#ports.domain,
        });
        // Once more, and that is all: what nobody can take must not keep the rest.
        if (!again) return this.#cut(link);
      }
      if (!intake.taken.done(n)) return;
      state.taken = intake.taken.upTo;
      this.#taken(link);
    });
  }

  /** Told once for all that arrives at a time. */
  #taken(link: Link): void {
    if (this.#arriving.has(link)) return;
    this.#arriving.add(link);
    queueMicrotask(() => {
      this.#arriving.delete(link);
      const { bridge, taken } = link.state;
      this.#queue.take(bridge, taken, Date.now());
      link.save();
      link.send({ taken });
    });
  }

  /** A server that speaks to us is up: the waits begin anew, with the shortest; one that only speaks is tried no more often. */
  heard(): void {
    if (this.#tries === 1 || this.#queue.size === 0 || !this.#ports.alarms.pending("retry", "")) return;
    this.#tries = 0;
    this.#later();
  }

  /** A verified stanza of this domain's. `done` is told as by `enter`. */
  #enter(text: string, passage: Passage, done: (error?: Error) => void): void {
    const { domain, log } = this.#ports;
    try {
      const element = read(text, SERVER_LIMITS);
      const from = Jid.tryParse(String(element.attrs.from ?? ""));
      const to = Jid.tryParse(String(element.attrs.to ?? ""));
      // The bridge has checked the pair; an object for one domain takes nothing else whatever it says.
      if (from?.domain !== domain || !to || !this.#mayWriteTo(to.domain)) return done();
      const proof = proofIn(element);
      if (proof !== undefined) {
        this.answered(proof);
        return done();
      }
      enter(Stanza.read(element, from, to), passage, this.#ports, done);
    } catch (error) {
      log.warn("a stanza of another server was refused", { domain, error: String(error) });
      done();
    }
  }

  /** The question of that id, which some bridge has asked, was answered: to one, perhaps, that did not. */
  answered(id: string): void {
    for (const link of this.#links) link.send({ answered: id });
  }

  alarm(): void {
    const { alarms } = this.#ports;
    for (const { name } of alarms.take(Date.now())) {
      if (name === "watch") this.#watch();
      else if (name === "stream") this.#tend();
      else if (name === "retry" && this.#queue.size > 0) {
        const link = this.#carrier;
        if (link) this.#flush(link);
        else this.#reach();
      }
    }
  }

  /** After a crash nothing else may be left of the stream than this alarm. */
  #tend(): void {
    this.#ports.tend?.();
    if (this.#queue.size > 0 && this.#links.size === 0 && !this.#ports.alarms.pending("retry", "")) this.#reach();
  }

  /** Looks after what waits: what is too late goes back, and what a bridge is silent about goes out again by the newest. */
  #watch(): void {
    const { alarms } = this.#ports;
    const now = Date.now();
    this.#expire(now);
    this.#queue.forgetPassed(now - DAY_MS);
    const [oldest] = this.#queue.after(0, 1);
    if (!oldest) return alarms.cancel("retry", "");
    const due = oldest.at + WATCH_MS;
    alarms.wake("watch", "", Math.min(due > now ? due : now + WATCH_MS, oldest.at + this.#patience));
    if (due > now || alarms.pending("retry", "")) return;
    const link = this.#newest;
    if (!link) return this.#reach();
    for (const other of this.#links) {
      other.state.carries = false;
      other.save();
    }
    this.#flush(link);
  }

  #expire(now: number): void {
    const late = this.#queue.before(now - this.#patience + 1, MOST);
    for (const { e } of late) this.#bounce(e, "remote-server-timeout");
    this.#queue.remove(late.map(({ n }) => n));
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
