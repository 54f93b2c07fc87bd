/** The streams of one gate: which there are, what is delivered to them, and what becomes of those whose socket is lost. */
import { createHmac } from "node:crypto";
import type { Alarms } from "../kernel/due.ts";
import type { Log, Secrets } from "../kernel/entity.ts";
import { answerAtHost } from "../kernel/host.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { guestHome } from "../kernel/placement.ts";
import type { Delivered, Delivery, Item, Post } from "../kernel/post.ts";
import type { Sql } from "../kernel/sql.ts";
import { StreamError, stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Element } from "../xml/element.ts";
import { DEFAULT_LIMITS, type Limits, read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";
import { Attempts } from "./attempts.ts";
import type { AccountCalls, HandOver, LoginCalls, StreamCalls } from "./calls.ts";
import { Crossings } from "./crossings.ts";
import { Deliveries } from "./deliveries.ts";
import { Guests } from "./guests.ts";
import type { Ledger } from "./management.ts";
import { leaveRooms } from "./routing.ts";
import type { StreamState } from "./state.ts";
import { type Socket, Stream } from "./stream.ts";
import { Upkeep } from "./upkeep.ts";
import { Waiting } from "./waiting.ts";

/** How long a stream may take to authenticate and bind (security.md D3). */
const LOGIN_MS = 30_000;
/** Failed logins of one address in an hour, of those at one account, and new accounts (security.md C7, D11). */
const FAILURES = 20;
const GUESSES = 10;
const REGISTRATIONS = 10;
/** A client that does not answer an <r/> for so long is lost (R5: half-open sockets are found). */
const SILENT_MS = 60_000;

export interface GatePorts {
  name: string;
  settings: Settings;
  secrets: Secrets;
  kernel: Kernel;
  post: Post;
  sql: Sql;
  alarms: Alarms;
  log: Log;
  accounts(jid: string): AccountCalls;
  gates(name: string): StreamCalls;
  redeem(invitation: string): Promise<boolean>;
  /** An alarm that is not the streams' own. */
  due?(name: string, entity: string): void;
}

export class Gate {
  readonly name: string;
  readonly settings: Settings;
  readonly kernel: Kernel;
  readonly post: Post;
  readonly log: Log;
  readonly accounts: GatePorts["accounts"];
  readonly guests: Guests;
  readonly redeem: GatePorts["redeem"];
  readonly xmlLimits: Limits;
  readonly attempts: Attempts;
  readonly guesses: Attempts;
  readonly registrations: Attempts;
  readonly #ports: GatePorts;
  readonly #waiting: Waiting;
  readonly #streams = new Map<string, Stream>();
  readonly #crossings = new Crossings();
  /** Streams that have ended, and whose accounts are being told with what their clients had. */
  readonly #leaving = new Set<string>();
  readonly #upkeep: Upkeep;
  /** The text of stream features, which is the same for every stream of a kind. */
  readonly #features = new Map<string, string>();
  /** Whether the alarm for slow logins is set; its row is asked when the object was forgotten. */
  #expecting: boolean | undefined;
  readonly #deliveries: Deliveries;

  constructor(ports: GatePorts) {
    this.#ports = ports;
    this.name = ports.name;
    this.settings = ports.settings;
    this.kernel = ports.kernel;
    this.post = ports.post;
    this.log = ports.log;
    this.accounts = ports.accounts;
    this.redeem = ports.redeem;
    const { limits } = ports.settings;
    this.attempts = new Attempts(limits ? FAILURES : Number.MAX_SAFE_INTEGER);
    this.guesses = new Attempts(limits ? GUESSES : Number.MAX_SAFE_INTEGER);
    this.registrations = new Attempts(limits ? REGISTRATIONS : Number.MAX_SAFE_INTEGER);
    this.xmlLimits = { ...DEFAULT_LIMITS, bytes: ports.settings.maxStanzaBytes };
    this.#waiting = new Waiting(ports.sql);
    const { name: gate, sql, alarms, post } = ports;
    this.guests = new Guests({
      ...{ gate, sql, alarms, post },
      stream: (sid) => this.stream(sid),
      missing: async (other, sids) => (other === gate ? this.missing(sids) : ports.gates(other).missing(sids)),
    });
    this.#deliveries = new Deliveries({
      crossings: this.#crossings,
      stream: (sid) => this.stream(sid),
      keep: (stream) => this.#keep(stream),
    });
    this.#upkeep = new Upkeep({
      tell: (stream) => this.#tell(stream),
      keep: (stream) => this.#keep(stream),
      silent: (stream) => {
        const until = Date.now() + SILENT_MS;
        this.#waiting.put(stream, until);
        ports.alarms.wake("gate silent", stream.sid, until);
      },
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  /** A new socket, or one that has outlived the object's memory. */
  accept(state: StreamState, socket: Socket): Stream {
    const stream = new Stream(this, state, socket);
    this.#streams.set(state.sid, stream);
    if (state.phase.at === "negotiating" && state.phase.opens === 0) {
      this.touch(stream);
      this.#expectLogin();
    }
    if (stream.ledger) {
      const row = stream.ledger.complete ? undefined : this.#waiting.get(state.sid);
      if (row) stream.ledger.restore(row.queue.slice(stream.ledger.lacking));
      // A transport was asked before anybody was forgotten, and its client says more when it comes.
      if (stream.ledger.queue.length > 0 && !stream.ledger.tacit) this.#upkeep.watch(stream);
    }
    return stream;
  }

  #expectLogin(): void {
    const { alarms } = this.#ports;
    this.#expecting ??= alarms.pending("gate login", "");
    if (!this.#expecting) alarms.wake("gate login", "", Date.now() + LOGIN_MS);
    this.#expecting = true;
  }

  /** The stream of that id, here or waiting in a row. */
  stream(sid: string): Stream | undefined {
    const stream = this.#streams.get(sid);
    if (stream) return stream;
    const row = this.#waiting.get(sid);
    if (!row) return undefined;
    const { phase } = row.state;
    // What was on its way when the process died may not have arrived: its client sends it again.
    if (phase.at === "bound" && phase.management) phase.management.received = phase.management.handled;
    const revived = new Stream(this, row.state, undefined);
    revived.ledger?.restore(row.queue);
    this.#streams.set(sid, revived);
    return revived;
  }

  /** Its state has changed: it is saved soon. */
  touch(stream: Stream): void {
    this.#upkeep.touch(stream);
  }

  #tell(stream: Stream): void {
    const acked = stream.ledger?.news();
    if (acked !== undefined && stream.jid && !this.#isGuest(stream))
      this.post.notify({ of: stream.jid.bare.toString(), sid: stream.sid, acked });
  }

  #isGuest(stream: Stream): boolean {
    return stream.state.host === this.settings.guestDomain;
  }

  /** Who answers for somebody's logins: an account, or the gate where a guest began. */
  logins(jid: string): LoginCalls {
    const { domain, local } = Jid.parse(jid);
    if (domain !== this.settings.guestDomain) return this.accounts(jid);
    const home = guestHome(local);
    return home === undefined || home === this.name ? this.guests : this.#ports.gates(home);
  }

  /** Delivers a batch, and tells what became of it. */
  deliver(batch: readonly Delivery[]): Delivered {
    return this.#deliveries.deliver(batch);
  }

  /** Stanzas for guests that began here, and news of their streams. */
  receive(batch: readonly Item[]): void {
    for (const item of batch) {
      if ("ended" in item) this.guests.ended(item.of, item.sid);
      if (!("e" in item)) continue;
      const stanza = Stanza.open(item.e);
      if (!this.guests.deliver(stanza)) this.#refuse(stanza);
    }
  }

  #refuse(stanza: Stanza): void {
    const error = stanza.kind !== "presence" && stanza.error(stanzaError("service-unavailable"));
    if (error) this.post.send(error);
  }

  /** What became of stanzas for guests whose streams are at other gates. */
  delivered({ gone, moved }: Delivered, batch: readonly Delivery[]): void {
    for (const { e, to } of batch) {
      const stanza = e && Stanza.open(e);
      if (!stanza) continue;
      for (const [sid, gate] of moved) if (to.includes(sid)) this.post.deliver(gate, [sid], stanza);
      if (gone.some((sid) => to.includes(sid))) this.#refuse(stanza);
    }
  }

  answer(place: "host" | "stream", iq: Stanza): Stanza {
    return answerAtHost(this.kernel, this.settings, this.log, iq, place);
  }

  /** What only this deployment can put on a guest's resumption id. */
  seal(name: string): string {
    return createHmac("sha256", this.#ports.secrets.salt).update(`resume ${name}`).digest("base64url").slice(0, 22);
  }

  /** Stream features that features bring, for a stream before or after authentication. */
  offers(phase: "login" | "session", guest: boolean): Element[] {
    return this.kernel.features.flatMap((feature) => feature.offers?.(phase, guest, this.settings, this.kernel) ?? []);
  }

  /** The features of streams of a kind, which are written for the first of them. */
  features(kind: string, write: () => Element): string {
    const text = this.#features.get(kind) ?? serialise(write());
    this.#features.set(kind, text);
    return text;
  }

  /** A stream has become bound, or is back: what waited for it is sent, behind the answer that says so. */
  opened(stream: Stream): void {
    this.touch(stream);
    stream.resend();
    stream.release();
    // Answers to these are not awaited: what is gone by now is found by the next delivery.
    this.deliver(this.#crossings.settle(stream.sid));
  }

  /** @returns what to wait for if it is expected by another client of this gate already */
  expect(sid: string): Promise<void> | undefined {
    return this.#crossings.expect(sid);
  }

  /** The stream does not come; what was delivered to it meanwhile goes back as if it had never been there. */
  unexpect(sid: string): void {
    const expected = this.#crossings.settle(sid);
    const { gone } = this.deliver(expected);
    if (gone.length === 0) return;
    for (const { e } of expected) {
      const stanza = e && Stanza.open(e);
      if (stanza?.asks) this.post.send(stanza.error(stanzaError("service-unavailable")) as Stanza);
    }
  }

  missing(sids: readonly string[]): string[] {
    const somewhere = (sid: string) => this.#crossings.knows(sid) || this.#leaving.has(sid);
    return sids.filter((sid) => !somewhere(sid) && this.stream(sid) === undefined);
  }

  /** Fetches a stream that its client wants back, from the gate that has it. */
  async fetch(gate: string, sid: string, jid: string): Promise<HandOver | undefined> {
    if (gate === this.name) return this.handOver(sid, jid, gate);
    return this.#ports.gates(gate).handOver(sid, jid, this.name);
  }

  /** `jid`: the account or guest that the stream must be of. */
  async handOver(sid: string, jid: string, to: string): Promise<HandOver | undefined> {
    // Two clients may want the same stream: the one that asked first has it first.
    if (to !== this.name && !this.stream(sid)) await this.#crossings.arrival(sid);
    const stream = this.stream(sid);
    if (!stream?.ledger?.state.resume || stream.ended) return undefined;
    if (stream.jid?.bare.toString() !== jid) return undefined;
    stream.replaced();
    // What its client sent last is on its way into custody: only then it counts as handled.
    await stream.ledger.settled();
    if (stream.ended) return undefined;
    const state = structuredClone(stream.snapshot(0));
    const queue = [...stream.ledger.queue];
    stream.ended = true;
    this.#forget(stream);
    if (to !== this.name) this.#crossings.went(sid, to);
    return { state, queue };
  }

  /** A stream takes over the state of one that was: its id, its resource, its counters and its rooms. */
  adopt(stream: Stream, state: StreamState, ledger: Ledger): void {
    if (state.phase.at !== "bound") return;
    this.#streams.delete(stream.sid);
    this.#crossings.returned(state.sid);
    stream.state.sid = state.sid;
    stream.become(state.phase, ledger);
    // A client that comes back looks: it says again if it does not (XEP-0352 §5).
    state.phase.csi = false;
    this.#streams.set(state.sid, stream);
  }

  /** A socket is gone without a word: its stream waits for its client, if that can come back. */
  lost(stream: Stream): void {
    if (stream.ended || !stream.socket) return;
    stream.socket = undefined;
    if (!stream.ledger?.state.resume) return this.finish(stream);
    this.#keep(stream);
    this.#expire(stream);
    const { jid, ledger } = stream;
    if (jid && !this.#isGuest(stream) && ledger.queue.some(([, mark]) => mark > 0))
      this.post.notify({ of: jid.bare.toString(), sid: stream.sid, acked: ledger.state.mark, asleep: true });
  }

  /** Writes its row, for as long as its client has to come back. */
  #keep(stream: Stream): void {
    this.#waiting.put(stream, this.#expiry(stream));
  }

  /** Its client has so long to come back. */
  #expire(stream: Stream): void {
    const { alarms } = this.#ports;
    if (!alarms.pending("gate expire", stream.sid)) alarms.wake("gate expire", stream.sid, this.#expiry(stream));
  }

  #expiry({ ledger }: Stream): number {
    return Date.now() + (ledger?.state.max ?? this.settings.resumeSeconds) * 1000;
  }

  /** A stream has ended for good: its rooms and its account learn it, and what it leaves unread goes back. */
  finish(stream: Stream): void {
    if (stream.ended) return;
    stream.ended = true;
    const { jid, ledger, bound } = stream;
    if (jid && bound) {
      leaveRooms(stream, bound);
      const acked = ledger ? ledger.state.mark : Number.MAX_SAFE_INTEGER;
      const { sid } = stream;
      this.#leaving.add(sid);
      this.post.notify({ of: jid.bare.toString(), sid, acked, ended: true }, () => this.#leaving.delete(sid));
      for (const [text] of ledger?.queue ?? []) this.#unanswered(text);
    }
    this.#forget(stream);
  }

  /** An IQ that reached nobody is answered by an error (RFC 6120 §8.2.3); messages lie in their archives. */
  #unanswered(text: string): void {
    if (!text.startsWith("<iq")) return;
    const element = read(text);
    const from = Jid.tryParse(String(element.attrs.from ?? ""));
    const to = Jid.tryParse(String(element.attrs.to ?? ""));
    if (!from || !to || (from.domain === this.settings.domain && from.local === "")) return;
    const error = Stanza.read(element, from, to).error(stanzaError("recipient-unavailable"));
    if (error?.to && element.attrs.type !== "result") this.post.send(error);
  }

  #forget(stream: Stream): void {
    if (this.#streams.get(stream.sid) === stream) this.#streams.delete(stream.sid);
    this.#upkeep.forget(stream);
    if (this.#waiting.remove(stream.sid)) {
      this.#ports.alarms.cancel("gate expire", stream.sid);
      this.#ports.alarms.cancel("gate silent", stream.sid);
    }
  }

  /** What is due: logins that take too long, streams nobody came back for, clients that have fallen silent. */
  async alarm(): Promise<void> {
    let sweep = false;
    for (const { name, entity } of this.#ports.alarms.take(Date.now(), "gate ")) {
      if (name === "gate login") {
        this.#expecting = false;
        this.#endSlowLogins();
      } else if (name === "gate expire") {
        const stream = this.stream(entity);
        if (stream && !stream.socket) this.finish(stream);
      } else if (name === "gate silent") {
        const stream = this.stream(entity);
        // Whatever it said since has emptied its queue, or at least its row.
        if (stream && !stream.socket) this.#expire(stream);
        else if (stream?.socket && stream.ledger && stream.ledger.queue.length > 0 && !this.#upkeep.watches(stream)) {
          stream.socket.close(1001, "silent");
          this.lost(stream);
        }
      } else if (name === "gate guests") sweep = true;
      else this.#ports.due?.(name, entity);
    }
    if (sweep) await this.guests.sweep();
  }

  #endSlowLogins(): void {
    const now = Date.now();
    let more = false;
    for (const stream of this.#streams.values()) {
      if (stream.state.phase.at !== "negotiating") continue;
      if (stream.state.since + LOGIN_MS <= now)
        stream.fail(new StreamError("connection-timeout", "Logging in took too long."));
      else more = true;
    }
    if (more) this.#expectLogin();
  }
}
