/** XEP-0198: Stream Management, v1.6.3 — https://xmpp.org/extensions/xep-0198.html */
import { StreamError } from "../protocol/errors.ts";
import * as NS from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import type { Management, Unacked } from "./state.ts";

/** A client that lets more than this go unacknowledged is cut off; the rest waits in its archive (security.md 0.3). */
export const QUEUE = { slow: 200, stanzas: 1000, bytes: 4 * 1024 * 1024 };
/** An acknowledgement is asked for when so many stanzas wait for one, or when a second has passed. */
export const ASK_EVERY = 8;

/** A request, which is answered by an error if its client has gone. */
const ASKS = /^<iq\s(?:[^>]*\s)?type="[gs]et"/;

const wire = (count: number) => String(count % 2 ** 32);

/** Both directions' accounts of one stream. Its counters live in the stream's state, the queue beside them. */
export class Ledger {
  readonly state: Management;
  #queue: Unacked[];
  #bytes = 0;
  /** Stanzas from the client that are on their way into custody, by number. */
  readonly #open = new Set<number>();
  /** The client asked while something was on its way; it is answered when that has arrived. */
  #answer: number | undefined;
  /** Called when nothing is on its way any more. */
  readonly #idle: (() => void)[] = [];
  /** An `<r/>` is unanswered. */
  #asked = false;

  constructor(state: Management) {
    this.state = state;
    this.#queue = state.queue ?? [];
    for (const [text] of this.#queue) this.#bytes += text.length;
    // What was on its way when the object was forgotten has arrived: no object is forgotten with a call open.
    state.handled = state.received;
  }

  /** `max`: seconds that it waits for its client. */
  static enabled(resume: boolean, max?: number): Ledger {
    return new Ledger({
      resume,
      ...(max !== undefined && { max }),
      received: 0,
      handled: 0,
      sent: 0,
      acked: 0,
      mark: 0,
      told: 0,
    });
  }

  /** For a transport that knows by itself what its client has received (XEP-0124 §9). */
  static tacit(): Ledger {
    return new Ledger({ resume: false, tacit: true, received: 0, handled: 0, sent: 0, acked: 0, mark: 0, told: 0 });
  }

  get tacit(): boolean {
    return this.state.tacit === true;
  }

  get queue(): readonly Unacked[] {
    return this.#queue;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The highest mark that it was sent. */
  get newest(): number {
    return this.#queue.findLast(([, mark]) => mark > 0)?.[1] ?? this.state.mark;
  }

  /** The client does not keep up: it should read on from its archive when it has. */
  get slow(): boolean {
    return this.#queue.length >= QUEUE.slow;
  }

  get overflows(): boolean {
    return this.#queue.length > QUEUE.stanzas || this.#bytes > QUEUE.bytes;
  }

  /** A stanza has come; its number. */
  receive(): number {
    const number = ++this.state.received;
    this.#open.add(number);
    return number;
  }

  /** It is in custody or answered. Returns an `<a/>` if the client waits for one and all before it has arrived. */
  handle(number: number): Element | undefined {
    this.#open.delete(number);
    // A set keeps the order of arrival, so its first is the oldest.
    const oldest = this.#open.values().next().value;
    this.state.handled = oldest === undefined ? this.state.received : oldest - 1;
    if (oldest === undefined) for (const idle of this.#idle.splice(0)) idle();
    if (this.#answer === undefined || this.state.handled < this.#answer) return undefined;
    this.#answer = undefined;
    return this.answer();
  }

  /** Resolves when all that has come is in custody or answered. */
  async settled(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((idle) => this.#idle.push(idle));
  }

  answer(): Element {
    return xml("a", { xmlns: NS.SM, h: wire(this.state.handled) });
  }

  /** `<r/>`: an answer now, or as soon as what came before is in custody. */
  asked(): Element | undefined {
    if (this.#open.size === 0) return this.answer();
    this.#answer = this.state.received;
    return undefined;
  }

  /** A stanza goes out. Returns whether an `<r/>` should follow it. */
  send(text: string, mark: number): boolean {
    // What nobody keeps for its client, and nobody waits to have answered, may be lost with it.
    if (this.tacit && mark === 0 && !ASKS.test(text)) return false;
    this.state.sent++;
    this.#queue.push([text, mark]);
    this.#bytes += text.length;
    return !this.#asked && this.#queue.length % ASK_EVERY === 0 && this.ask();
  }

  /** Notes that the client is being asked, if it has something to acknowledge and is not asked already. */
  ask(): boolean {
    if (this.#asked || this.#queue.length === 0) return false;
    this.#asked = true;
    return true;
  }

  /** The client says how many it has handled. Returns the number it says too much, 0 when all is well (§4). */
  acknowledged(h: number): number {
    this.#asked = false;
    const news = (((h - this.state.acked) % 2 ** 32) + 2 ** 32) % 2 ** 32;
    // COMPAT xmpp.js over SASL 1 may count from 0 again, when <enabled/> and a stanza come together; it knows no less for that.
    if (news >= 2 ** 31) return 0;
    if (news > this.#queue.length) return news - this.#queue.length;
    for (const [text, mark] of this.#queue.splice(0, news)) {
      this.#bytes -= text.length;
      if (mark > this.state.mark) this.state.mark = mark;
    }
    this.state.acked += news;
    return 0;
  }

  /** The mark that the account has not been told of yet; it counts as told. */
  news(): number | undefined {
    if (this.state.mark <= this.state.told) return undefined;
    this.state.told = this.state.mark;
    return this.state.mark;
  }

  get hasNews(): boolean {
    return this.state.mark > this.state.told;
  }

  /** Its state for an attachment; the queue rides along while it has at most `room` characters. */
  save(room: number): Management {
    const { queue: _, ...state } = this.state;
    if (this.tacit) return { ...state, queue: this.#queue.map(([text, mark]) => [mark > 0 ? "" : text, mark]) };
    return this.#bytes <= room ? { ...state, queue: this.#queue } : state;
  }

  /** Whether the queue holds all that is unacknowledged; one too long for the attachment lies in a row. */
  get complete(): boolean {
    return this.#queue.length === this.state.sent - this.state.acked;
  }

  /** `slice` argument for the newest entries of a longer queue: those that are still unacknowledged. */
  get lacking(): number {
    return -(this.state.sent - this.state.acked);
  }

  /** Restores a queue that was kept in rows. */
  restore(queue: Unacked[]): void {
    this.#queue = queue;
    this.#bytes = queue.reduce((bytes, [text]) => bytes + text.length, 0);
  }
}

/** The value of an `h`: an unsigned 32-bit integer, or nothing sensible. */
export function readH(element: Element): number | undefined {
  const h: unknown = element.attrs.h;
  if (typeof h !== "string" || !/^\d{1,10}$/.test(h)) return undefined;
  const value = Number(h);
  return value < 2 ** 32 ? value : undefined;
}

/** §3: how long the client would like to be waited for, in seconds. */
export function readMax(element: Element): number {
  const max: unknown = element.attrs.max;
  return typeof max === "string" && /^\d{1,9}$/.test(max) ? Number(max) : Number.POSITIVE_INFINITY;
}

/** §3: the gate is named in the id, so that any gate finds the stream; the rest of it is 128 random bits. */
export const resumptionId = (gate: string, sid: string) => `${gate}/${sid}`;

export function readResumptionId(id: string): { gate: string; sid: string } | undefined {
  const slash = id.lastIndexOf("/");
  if (slash < 1 || id.length > 256) return undefined;
  return { gate: id.slice(0, slash), sid: id.slice(slash + 1) };
}

export function enabledElement(gate: string, sid: string, ledger: Ledger, seconds: number): Element {
  if (!ledger.state.resume) return xml("enabled", { xmlns: NS.SM });
  return xml("enabled", { xmlns: NS.SM, id: resumptionId(gate, sid), resume: "true", max: String(seconds) });
}

export function resumedElement(previd: string, ledger: Ledger): Element {
  return xml("resumed", { xmlns: NS.SM, previd, h: wire(ledger.state.handled) });
}

export function failedElement(condition: string, h?: number): Element {
  return xml(
    "failed",
    { xmlns: NS.SM, h: h === undefined ? undefined : wire(h) },
    xml(condition, { xmlns: NS.STANZA_ERRORS }),
  );
}

/** The client says how many stanzas it has handled: more than it was sent, and the stream ends (§4). */
export function acknowledge(ledger: Ledger, h: number): void {
  if (ledger.acknowledged(h) === 0) return;
  const counts = { h: wire(h), "send-count": wire(ledger.state.sent) };
  throw new StreamError(
    "undefined-condition",
    "More is acknowledged than was sent.",
    xml("handled-count-too-high", { xmlns: NS.SM, ...counts }),
  );
}
