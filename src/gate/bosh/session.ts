/** XEP-0124 §8–§15: one session: requests in the order of their rid, responses kept for who did not get them — https://xmpp.org/extensions/xep-0124.html */
import { createHash } from "node:crypto";
import * as NS from "../../protocol/ns.ts";
import { type Element, xml } from "../../xml/element.ts";
import type { StreamState } from "../state.ts";
import type { Socket, Stream } from "../stream.ts";
import {
  adopt,
  body,
  HOLD,
  INACTIVITY,
  integer,
  MAX_PAUSE,
  POLLING,
  RECOVERABLE,
  type Terminal,
  terminate,
  version,
  WAIT,
  XBOSH,
  xbosh,
} from "./wire.ts";

/** A request that waits for its response. */
export interface Leg {
  answer(text: string): void;
}

/** Responses kept for a client that did not get them: as many as it may have requests open. */
const KEPT = 2;
/** Payloads that wait for a request of the client, in characters. */
const MOST_WAITING = 1024 * 1024;

/** What is kept in the session's row. */
export interface SessionState {
  version: 1;
  sid: string;
  wait: number;
  hold: number;
  inactivity: number;
  ver: string;
  content: string;
  /** The client acknowledges responses (§9). */
  ack: boolean;
  /** What hashes to the key of the last request (§15). */
  key: string;
  /** Every request up to this one was taken; every one up to `answered` has its response. */
  rid: number;
  answered: number;
  /** Hashes of requests without a response, and requests that came before their turn. */
  hashes: Record<number, string>;
  early: Record<number, string>;
  responses: [rid: number, hash: string, text: string][];
  waiting: string[];
  /** When it was last heard of, and until when its client said it would be silent. */
  at: number;
  paused: number;
  /** When an empty request came last, of a client that polls. */
  polled: number;
  /** The session is over; whoever asks next is told so. */
  ended?: string;
  stream: StreamState;
}

export interface SessionPorts {
  now(): number;
  save(state: SessionState, text: string): void;
  /** The stream's end was told, or can be told to nobody any more. */
  over(session: Session): void;
}

export const hashOf = (text: string) => createHash("sha256").update(text).digest("base64url").slice(0, 22);
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** A new session's state by its request (§7.1), or why there is none. */
export function newSession(sid: string, request: Element, stream: StreamState, now: number): SessionState | Terminal {
  const rid = integer(request, "rid");
  if (rid === undefined) return "bad-request";
  if (!request.attrs.to) return "improper-addressing";
  const wait = Math.min(integer(request, "wait") ?? WAIT, WAIT);
  const hold = wait === 0 ? 0 : Math.min(integer(request, "hold") ?? HOLD, HOLD);
  const content = String(request.attrs.content ?? "");
  return {
    version: 1,
    sid,
    wait,
    hold,
    inactivity: hold === 0 ? 2 * INACTIVITY : INACTIVITY,
    ver: version(request),
    // Only what no browser would run: the response has other people's words in it.
    content: /^(?:text|application)\/(?:xml|plain)(?:; ?charset=utf-8)?$/i.test(content)
      ? content
      : "text/xml; charset=utf-8",
    ack: request.attrs.ack === "1",
    key: "",
    rid: rid - 1,
    answered: rid - 1,
    hashes: {},
    early: {},
    responses: [],
    waiting: [],
    at: now,
    paused: 0,
    polled: 0,
    stream,
  };
}

export class Session implements Socket {
  readonly state: SessionState;
  stream!: Stream;
  readonly #ports: SessionPorts;
  /** Open requests by rid; rebuilt from the sockets they wait on. */
  readonly #legs = new Map<number, Leg>();
  #saved = "";
  #created = false;
  #flushing = false;

  constructor(state: SessionState, ports: SessionPorts) {
    this.state = state;
    this.#ports = ports;
  }

  get idle(): boolean {
    return this.#legs.size === 0;
  }

  /** At most so many requests may be open (§7.1). */
  get requests(): number {
    return this.state.hold + 1;
  }

  /** A request that outlived the object's memory is open still. */
  revive(rid: number, hash: string, leg: Leg): void {
    this.#legs.set(rid, leg);
    this.state.hashes[rid] = hash;
    if (!(rid in this.state.early) && rid > this.state.rid) this.state.rid = rid;
  }

  /** The session's first request. */
  create(request: Element, text: string, leg: Leg): void {
    this.#created = true;
    const rid = this.state.rid + 1;
    this.#legs.set(rid, leg);
    this.state.hashes[rid] = hashOf(text);
    this.take(rid, request, text.length);
    this.flush();
  }

  /** A later request. */
  request(rid: number, request: Element, text: string, leg: Leg): void {
    const { state } = this;
    const hash = hashOf(text);
    if (rid <= state.rid || rid in state.early) return this.#again(rid, hash, leg);
    if (rid > state.rid + this.requests) return this.#refuse(leg, "item-not-found"); // §14.3: as for one too low
    // One more than allowed, for a connection that broke unheard is still among them.
    if (this.#legs.size > this.requests) return this.#refuse(leg, "policy-violation"); // §11
    state.at = this.#ports.now();
    if (state.ended !== undefined) return leg.answer(state.ended);
    state.hashes[rid] = hash;
    this.#legs.set(rid, leg);
    if (rid > state.rid + 1) {
      state.early[rid] = text;
      return this.save();
    }
    this.take(rid, request, text.length);
  }

  /** Texts of requests whose turn has come. */
  next(): [rid: number, text: string] | undefined {
    const rid = this.state.rid + 1;
    const text = this.state.ended === undefined ? this.state.early[rid] : undefined;
    delete this.state.early[rid];
    return text === undefined ? undefined : [rid, text];
  }

  /** §14.2: the same request again: its response again, byte for byte. */
  #again(rid: number, hash: string, leg: Leg): void {
    const { state } = this;
    const known = state.responses.find(([other]) => other === rid);
    if (known) {
      if (known[1] !== hash) return this.#refuse(leg, "item-not-found");
      return leg.answer(known[2]);
    }
    if (rid <= state.answered || (state.hashes[rid] ?? hash) !== hash) return this.#refuse(leg, "item-not-found");
    this.#legs.get(rid)?.answer(RECOVERABLE);
    this.#legs.set(rid, leg);
    state.at = this.#ports.now();
  }

  #refuse(leg: Leg, condition: Terminal): void {
    leg.answer(terminate(condition));
    this.#end(terminate(condition));
    this.#ports.over(this);
  }

  /** A request whose turn it is; `size` is that of its text. */
  take(rid: number, request: Element, size: number): void {
    const { state, stream } = this;
    state.rid = rid;
    state.at = this.#ports.now();
    state.paused = 0;
    if (!this.#fits(request)) return this.#refuseAll("item-not-found"); // §15.5
    const payloads = request.getChildElements();
    const pause = integer(request, "pause");
    const quits = request.attrs.type === "terminate";
    if (state.hold === 0 && payloads.length === 0 && pause === undefined && !quits && !this.#created) {
      if (state.at - state.polled < (POLLING - 1) * 1000) return this.#refuseAll("policy-violation"); // §12
      state.polled = state.at;
    }
    if (request.attrs.sid === undefined || xbosh(request, "restart") === "true") this.#open(request);
    for (const payload of payloads) stream.take(adopt(payload), size / payloads.length);
    if (quits) return stream.close();
    if (pause !== undefined) this.#pause(pause);
  }

  /** XEP-0206 §3, §5: what `<open/>` is to a WebSocket. */
  #open(request: Element): void {
    const { to, "xml:lang": lang } = request.attrs;
    const host = to ?? this.state.stream.host;
    const said = xbosh(request, "version") ?? "1.0";
    this.stream.take(xml("open", { xmlns: NS.FRAMING, to: host, version: said, "xml:lang": lang }), 0);
  }

  /** §15: the key of each request hashes to that of the one before. */
  #fits(request: Element): boolean {
    const { key, newkey } = request.attrs;
    const { state } = this;
    if (state.key !== "" && (typeof key !== "string" || sha1(key) !== state.key)) return false;
    if (typeof newkey === "string") state.key = newkey.slice(0, 64);
    else if (typeof key === "string" && state.key !== "") state.key = key;
    return true;
  }

  #pause(seconds: number): void {
    if (seconds > MAX_PAUSE) return this.#refuseAll("policy-violation");
    this.state.paused = this.#ports.now() + seconds * 1000;
    this.#answerTo(this.state.rid);
  }

  #refuseAll(condition: Terminal): void {
    // §17.2: the others end because of the request at hand.
    while (this.state.answered < this.state.rid - 1) this.#reply(terminate("other-request"));
    this.#end(terminate(condition));
    this.#ports.over(this);
  }

  /** The longest that a client wants to wait has passed. */
  timeout(rid: number): void {
    if (this.#legs.has(rid) && rid <= this.state.rid) this.#answerTo(rid);
  }

  /** The connection of a request is gone; its response waits for the request to come again. */
  lost(rid: number, leg: Leg): void {
    if (this.#legs.get(rid) !== leg) return;
    this.#legs.delete(rid);
    this.state.at = this.#ports.now();
  }

  send(text: string): void {
    const { state } = this;
    // Framing of a WebSocket: here it is the wrapper that opens and closes.
    if (text.startsWith("<open ") || text.startsWith("<close ")) return;
    state.waiting.push(text);
    if (this.#flushing) return;
    this.#flushing = true;
    // All that one event has to say rides in one response.
    queueMicrotask(() => {
      this.#flushing = false;
      if (state.ended === undefined) this.flush();
    });
  }

  close(_code: number, reason: string): void {
    const { state } = this;
    const payloads = state.waiting;
    state.waiting = [];
    const condition = reason === "" ? "" : reason === "host-unknown" ? reason : "remote-stream-error";
    this.#end(terminate(condition, payloads));
  }

  attach(stream: StreamState): void {
    this.state.stream = stream;
    // A request is not "taken" before what it brought is in custody: until then it may come again.
    if (this.stream.open === 0) this.save();
  }

  settled(): void {
    this.flush();
  }

  /** Answers what there is something to say to, and what may not be held any longer. */
  flush(): void {
    const { state } = this;
    if (state.ended !== undefined || this.stream.open > 0) return;
    while (this.#open1() && (state.waiting.length > 0 || state.rid - state.answered > state.hold)) this.#respond();
    if (state.waiting.length > 8 && size(state.waiting) > MOST_WAITING) {
      state.waiting = [];
      this.stream.close();
    }
  }

  /** Responses go in the order of requests: one whose connection broke is waited for. */
  #open1(): boolean {
    return this.state.answered < this.state.rid && this.#legs.has(this.state.answered + 1);
  }

  #answerTo(rid: number): void {
    while (this.state.answered < rid && this.state.ended === undefined) this.#respond();
  }

  #respond(): void {
    const { state } = this;
    const payloads = state.waiting;
    state.waiting = [];
    const attrs: Record<string, string | number | undefined> = this.#created ? this.#creation() : {};
    this.#created = false;
    const rid = state.answered + 1;
    if (state.ack && state.rid > rid) attrs.ack = state.rid;
    this.#reply(body(attrs, payloads));
  }

  #creation(): Record<string, string | number | undefined> {
    const { sid, wait, hold, inactivity, ver, ack, rid, stream } = this.state;
    return {
      sid,
      wait,
      hold,
      requests: this.requests,
      inactivity,
      maxpause: MAX_PAUSE,
      polling: hold === 0 ? POLLING : undefined,
      ver,
      from: stream.host,
      ack: ack ? rid : undefined,
      "xmlns:xmpp": XBOSH,
      "xmpp:version": "1.0",
      "xmpp:restartlogic": "true",
    };
  }

  #reply(text: string): void {
    const { state } = this;
    const rid = ++state.answered;
    state.responses.push([rid, state.hashes[rid] ?? "", text]);
    if (state.responses.length > KEPT) state.responses.shift();
    delete state.hashes[rid];
    state.at = this.#ports.now();
    const leg = this.#legs.get(rid);
    this.#legs.delete(rid);
    // Written first: what the client has must not differ from what it would get again.
    this.save();
    leg?.answer(text);
  }

  #end(text: string): void {
    const { state } = this;
    if (state.ended !== undefined) return;
    state.ended = text;
    state.at = this.#ports.now();
    // The first to wait is told why; for the others the session has simply ended.
    for (let first = true; state.answered < state.rid; first = false) this.#reply(first ? text : terminate(""));
    for (const leg of this.#legs.values()) leg.answer(terminate(""));
    this.#legs.clear();
    this.save();
  }

  save(): void {
    const text = JSON.stringify(this.state);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#ports.save(this.state, text);
  }

  /** When the client counts as gone, unless a request comes or is open (§10). */
  get deadline(): number {
    return Math.max(this.state.paused, this.state.at + this.state.inactivity * 1000);
  }
}

const size = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0);
