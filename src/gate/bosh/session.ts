/** XEP-0124 §8–§15: one session, a socket of its stream: what its client sends is taken in order — https://xmpp.org/extensions/xep-0124.html */
import { isTrue } from "../../protocol/boolean.ts";
import { StreamError } from "../../protocol/errors.ts";
import * as NS from "../../protocol/ns.ts";
import { type Element, xml } from "../../xml/element.ts";
import type { StreamState } from "../state.ts";
import type { Socket, Stream } from "../stream.ts";
import { fits, type Keys } from "./keys.ts";
import type { Request } from "./request.ts";
import { type Leg, type Outgoing, Responses } from "./responses.ts";
import { newRids, place, received, sentBy } from "./rids.ts";
import { MAX_PAUSE, negotiate, POLLING, requestsOf } from "./terms.ts";
import { adopt, integer, type Terminal, terminate, xbosh } from "./wire.ts";

/** Characters of unacknowledged stanzas that ride in the row, of a client that counts them (XEP-0198). */
const ROOM = 4096;

/** What is kept in the session's row. */
export interface SessionState extends Outgoing, Keys {
  version: 2;
  /** Until when its client said it would be silent. */
  paused: number;
  stream: StreamState;
}

export interface SessionPorts {
  now(): number;
  save(state: SessionState, text: string): void;
  /** The stream's end was told, or can be told to nobody any more. */
  over(session: Session): void;
}

/** A new session's state by its request (§7.1), or why there is none. */
export function newSession(sid: string, request: Request, stream: StreamState, now: number): SessionState | Terminal {
  const terms = negotiate(request.body);
  if (typeof terms === "string") return terms;
  const rest = { key: "", waiting: [], at: now, paused: 0, polled: 0, asked: false, stream };
  return { version: 2, sid, ...terms, ...newRids(request.rid), ...rest };
}

export class Session implements Socket {
  readonly state: SessionState;
  stream!: Stream;
  readonly #ports: SessionPorts;
  readonly #responses: Responses;
  #saved = "";
  /** The event at hand ends with a flush, or a flush follows it. */
  #flushing = false;
  /** It has been heard of since its object was last forgotten. */
  #heard = false;
  /** How far it was when all that had come was in custody. */
  #settled: Pick<SessionState, "rid" | "key"> | undefined;

  constructor(state: SessionState, ports: SessionPorts) {
    this.state = state;
    this.#ports = ports;
    const { now } = ports;
    this.#responses = new Responses(state, { now, save: () => this.save(), host: () => this.stream.state.host });
  }

  get idle(): boolean {
    return this.#responses.idle;
  }

  /** A request that outlived the object's memory is open still. */
  revive(rid: number, hash: string, leg: Leg): void {
    const { state } = this;
    this.#heard = true;
    this.#responses.revive(rid, hash, leg);
    if (!(rid in state.early) && rid > state.rid) state.rid = rid;
  }

  /** The session's first request. */
  create(request: Request, leg: Leg): void {
    this.#heard = true;
    this.#responses.first = true;
    this.#responses.open(request.rid, request.hash, leg);
    this.take(request);
    this.flush();
  }

  /** A later request. */
  request(request: Request, leg: Leg): void {
    const { state } = this;
    const { rid, text, hash } = request;
    const found = place(state, rid, hash, requestsOf(state));
    // §14.3: the same request again: its response again, byte for byte.
    if (Array.isArray(found)) return leg.answer(found[2]);
    if (state.ended !== undefined) return leg.answer(state.ended);
    if (found === "unknown") return this.#refuse(leg, "item-not-found");
    if (found !== "open" && this.#responses.full) return this.#refuse(leg, "policy-violation");
    this.#heard = true;
    this.#responses.open(rid, hash, leg);
    if (found === "next") this.take(request);
    else if (found === "early") {
      state.early[rid] = text;
      this.save();
    }
  }

  /** The text of a request that came early, and whose turn it is now. */
  next(): string | undefined {
    const { early, rid, ended } = this.state;
    const text = ended === undefined ? early[rid + 1] : undefined;
    delete early[rid + 1];
    return text;
  }

  /** A request whose turn it is; a flush is to follow. */
  take({ rid, body, text }: Request): void {
    const { state, stream } = this;
    this.#flushing = true;
    if (!stream.pending) this.#settled = { rid: state.rid, key: state.key };
    state.rid = rid;
    state.paused = 0;
    if (!fits(state, body)) return this.#fail("item-not-found"); // §15.4
    const payloads = body.getChildElements();
    const pause = integer(body, "pause");
    const quits = body.attrs.type === "terminate";
    const extra = quits || pause !== undefined;
    const creates = body.attrs.sid === undefined;
    const restarts = isTrue(xbosh(body, "restart"));
    this.#receipt(rid, integer(body, "ack"), extra);
    if (!creates && !extra && this.#pollsTooSoon(payloads.length === 0)) return this.#fail("policy-violation"); // §12
    if (creates || restarts) this.#start(body);
    // XEP-0206 §5: what comes with a restart is ignored.
    if (!restarts) for (const payload of payloads) stream.take(adopt(payload), text.length / payloads.length);
    if (quits) stream.close();
    else if (pause !== undefined) this.#pause(pause);
  }

  /** The stream learns what its client has received. */
  #receipt(rid: number, ack: number | undefined, extra: boolean): void {
    const { state, stream } = this;
    const receipt = { rid, ack, acks: state.ack, requests: requestsOf(state), extra };
    const sent = sentBy(state, received(state, receipt));
    if (sent !== undefined) stream.arrived(sent);
    if (!stream.owed) state.asked = false;
  }

  /** Whether a client that polls comes again for nothing, after it got nothing. */
  #pollsTooSoon(empty: boolean): boolean {
    const { state } = this;
    if (state.hold > 0) return false;
    // A second is given, for requests may be late on their way.
    if (empty && state.at - state.polled < (POLLING - 1) * 1000) return true;
    state.polled = empty ? state.at : 0;
    return false;
  }

  /** XEP-0206 §3, §5: what `<open/>` is to a WebSocket. */
  #start(request: Element): void {
    const { to, "xml:lang": lang } = request.attrs;
    const host = to ?? this.state.stream.host;
    const said = xbosh(request, "version") ?? "1.0";
    this.stream.take(xml("open", { xmlns: NS.FRAMING, to: host, version: said, "xml:lang": lang }), 0);
  }

  #pause(seconds: number): void {
    if (seconds > MAX_PAUSE) return this.#fail("policy-violation");
    this.state.paused = this.#ports.now() + seconds * 1000;
    this.#responses.pause();
  }

  timeout(rid: number): void {
    this.#responses.timeout(rid);
    this.flush();
  }

  lost(rid: number, leg: Leg): void {
    this.#responses.lost(rid, leg);
  }

  send(text: string): void {
    // Framing of a WebSocket: here it is the wrapper that opens and closes.
    if (text.startsWith("<open ") || text.startsWith("<close ")) return;
    this.state.waiting.push([text, this.stream.sent]);
    this.#soon();
  }

  ask(): void {
    this.state.asked = true;
    this.#soon();
  }

  /** All that one event has to say rides in one response, and is in the row before anybody hears that it was delivered. */
  #soon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.settled();
    });
  }

  settled(): void {
    // Of a request that brings several stanzas, the first may be settled before the next is taken.
    if (this.state.ended !== undefined || this.#flushing) return;
    this.flush();
    this.save();
  }

  flush(): void {
    const { state, stream } = this;
    this.#flushing = false;
    // A response says that what its request brought is judged, and in custody.
    if (state.ended !== undefined || stream.pending) return;
    this.#responses.flush();
    // While a request is held its socket knows it; but not its key.
    if (state.key !== "") this.save();
    if (!this.#responses.flooded) return;
    // What of it is mail comes again, to whoever comes for it.
    state.waiting = [];
    stream.fail(new StreamError("resource-constraint", "Too much waits for a request."));
  }

  /** The stream has ended. */
  close(_code: number, reason: string): void {
    this.#end(reason === "" || reason === "host-unknown" ? reason : "remote-stream-error");
  }

  /** The request at hand ends the session, and its stream with it. */
  #fail(condition: Terminal): void {
    this.#responses.blame();
    this.drop(condition);
  }

  /** One that has no place among the others ends it, too. */
  #refuse(leg: Leg, condition: Terminal): void {
    leg.answer(terminate(condition));
    this.drop("other-request");
  }

  drop(condition: Terminal): void {
    this.#end(condition);
    this.#ports.over(this);
  }

  #end(condition: Terminal): void {
    if (this.state.ended === undefined) this.#responses.end(condition);
  }

  attach(): void {
    this.save();
  }

  /** Into its row. What is on its way into custody may have to come again, so it is not said to have come. */
  save(): void {
    const { state, stream } = this;
    const live = state.ended === undefined;
    if (live) state.stream = stream.snapshot(ROOM);
    const text = JSON.stringify(live && stream.pending ? { ...state, ...this.#settled } : state);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#ports.save(state, text);
  }

  /** When the client counts as gone, unless a request comes or is open (§10). */
  get deadline(): number {
    const { at, inactivity, paused, wait } = this.state;
    // A process that died may have held a request for as long as that.
    const held = this.#heard ? 0 : wait;
    return Math.max(paused, at + (held + inactivity) * 1000);
  }
}
