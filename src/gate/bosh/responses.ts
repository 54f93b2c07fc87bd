/** XEP-0124 §8–§13: what a client is sent rides in the responses to its requests, in their order — https://xmpp.org/extensions/xep-0124.html#exchange */
import { type Rids, respond } from "./rids.ts";
import { creation, requestsOf, type Terms } from "./terms.ts";
import { body, RECOVERABLE, type Terminal, terminate } from "./wire.ts";

/** A request that waits for its response. */
export interface Leg {
  answer(text: string): void;
}

/** JSON, kept in the session's row. */
export interface Outgoing extends Rids, Terms {
  sid: string;
  /** Payloads that wait for a request, each with the count of what its client has been sent with it. */
  waiting: [text: string, sent: number][];
  /** When the client was last heard of, or spoken to. */
  at: number;
  /** When a client that polls came for nothing, and got nothing; 0 after anything else. */
  polled: number;
  /** The client is to come soon, and so to say what it has received. */
  asked: boolean;
  /** The session is over; whoever asks next is told so. */
  ended?: string;
}

export interface ResponsePorts {
  now(): number;
  /** Writes the session's row. */
  save(): void;
  /** The host that its stream is to. */
  host(): string;
}

/** Characters of payloads that one response takes, unless its first has more; and that may wait for a request. */
const MOST_SAID = 64 * 1024;
const MOST_WAITING = 200_000;

export class Responses {
  readonly #state: Outgoing;
  readonly #ports: ResponsePorts;
  /** Open requests by rid; rebuilt from the sockets they wait on. */
  readonly #legs = new Map<number, Leg>();
  /** Responses that are to be saved before they are given. */
  readonly #said: [leg: Leg, text: string][] = [];
  /** The next response is the session's first (§7.2). */
  first = false;
  /** Requests up to this one are answered now, whatever there is to say; the one that paused gets nothing to read. */
  #due = 0;
  #pausing = 0;

  constructor(state: Outgoing, ports: ResponsePorts) {
    this.#state = state;
    this.#ports = ports;
  }

  get idle(): boolean {
    return this.#legs.size === 0;
  }

  /** §11: one more than allowed, for a connection that broke unheard is still among them. */
  get full(): boolean {
    return this.#legs.size > requestsOf(this.#state);
  }

  /** More waits than a client may leave to wait. */
  get flooded(): boolean {
    const { waiting } = this.#state;
    return waiting.length > 8 && waiting.reduce((sum, [text]) => sum + text.length, 0) > MOST_WAITING;
  }

  /** A request is open; §17.3: where it was before, it has to ask no more. */
  open(rid: number, hash: string, leg: Leg): void {
    this.#legs.get(rid)?.answer(RECOVERABLE);
    this.revive(rid, hash, leg);
    this.#state.at = this.#ports.now();
  }

  revive(rid: number, hash: string, leg: Leg): void {
    this.#legs.set(rid, leg);
    this.#state.hashes[rid] = hash;
  }

  /** The connection of a request is gone; its response waits for the request to come again. */
  lost(rid: number, leg: Leg): void {
    if (this.#legs.get(rid) !== leg) return;
    this.#legs.delete(rid);
    this.#state.at = this.#ports.now();
  }

  /** The longest that a client wants to wait has passed. */
  timeout(rid: number): void {
    if (this.#legs.has(rid) && rid <= this.#state.rid) this.#due = Math.max(this.#due, rid);
  }

  /** §10: all are answered, and the newest has no payloads. */
  pause(): void {
    this.#pausing = this.#state.rid;
    this.#due = this.#state.rid;
  }

  /** Answers what there is something to say to, and what may not be held any longer. */
  flush(): void {
    const before = this.#state.answered;
    while (this.#wants) this.#respond();
    if (this.#state.answered > before) this.#say();
  }

  /** Whether the oldest request is to be answered now. */
  get #wants(): boolean {
    const { rid, answered, hold, waiting, asked, ended } = this.#state;
    if (answered >= rid || ended !== undefined) return false;
    if (answered < this.#due) return true;
    // §8: in the order of requests: one whose connection broke is waited for.
    return (waiting.length > 0 || rid - answered > hold || asked) && this.#legs.has(answered + 1);
  }

  #respond(): void {
    const state = this.#state;
    const rid = state.answered + 1;
    const ack = state.ack && state.rid > rid ? { ack: state.rid } : {}; // §9.1
    const attrs = this.first ? creation(state, rid, this.#ports.host()) : ack;
    this.first = false;
    const said = rid === this.#pausing ? [] : state.waiting.splice(0, portion(state.waiting));
    if (said.length > 0) state.polled = 0;
    else state.asked = false;
    const sent = said.at(-1)?.[1] ?? state.responses.at(-1)?.[3] ?? 0;
    this.#reply(body(attrs, textsOf(said)), sent);
  }

  #reply(text: string, sent = 0): void {
    const state = this.#state;
    const rid = respond(state, text, sent);
    state.at = this.#ports.now();
    const leg = this.#legs.get(rid);
    this.#legs.delete(rid);
    if (leg) this.#said.push([leg, text]);
  }

  /** Written first: what the client has must not differ from what it would get again. */
  #say(): void {
    this.#ports.save();
    for (const [leg, text] of this.#said.splice(0)) leg.answer(text);
  }

  /** §17.2: requests before the newest end because of it. */
  blame(): void {
    while (this.#state.answered < this.#state.rid - 1) this.#reply(terminate("other-request"));
    this.#say();
  }

  /** The session is over: by its client's wish, and then it reads no more; or by an error, which is the last of what waits. */
  end(condition: Terminal): void {
    const state = this.#state;
    const waiting = textsOf(state.waiting.splice(0));
    const texts = condition === "" ? [] : waiting;
    const told = state.answered < state.rid;
    // Who was not told is told when it comes; but stanzas are mail again by then.
    const errors = texts.filter((text) => text.startsWith("<stream:"));
    state.ended = told ? terminate("item-not-found") : terminate(condition, errors);
    state.at = this.#ports.now();
    // §13: the oldest is told; the others have just no more to wait for, or another to blame.
    const others = condition === "" ? body({}) : terminate("other-request");
    for (let first = true; state.answered < state.rid; first = false)
      this.#reply(first ? terminate(condition, texts) : others);
    for (const leg of this.#legs.values()) this.#said.push([leg, others]);
    this.#legs.clear();
    this.#say();
  }
}

const textsOf = (waiting: Outgoing["waiting"]) => waiting.map(([text]) => text);

/** How many of them one response takes. */
function portion(waiting: Outgoing["waiting"]): number {
  let characters = 0;
  const end = waiting.findIndex(([text], at) => {
    characters += text.length;
    return at > 0 && characters > MOST_SAID;
  });
  return end < 0 ? waiting.length : end;
}
