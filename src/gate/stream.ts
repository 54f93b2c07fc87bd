/** One client's stream: RFC 7395 framing over the rules of RFC 6120 §4 — https://www.rfc-editor.org/rfc/rfc7395 */
import { StreamError, streamErrorElement } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { Trait } from "../protocol/message.ts";
import * as NS from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { PRE_AUTH_LIMITS, read, XmlError } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";
import type { Gate } from "./gate.ts";
import { Ledger } from "./management.ts";
import { negotiate, open } from "./negotiation.ts";
import { type Pace, paced } from "./pace.ts";
import { route } from "./routing.ts";
import type { Bound, StreamState } from "./state.ts";

/** The stream's socket: the port that the object class implements. */
export interface Socket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Keeps the state with the socket while the object is forgotten; throws when it has no room for it. */
  attach(state: StreamState): void;
  /** All that the client sent is judged, in custody or answered. */
  settled?(): void;
  /** Of a transport that knows what its client has received, and says so by `Stream.arrived`: it is to find out soon. */
  ask?(): void;
}

/** Bytes before authentication, over all frames (security.md §4). */
const PRE_AUTH_BYTES = 64 * 1024;
/** Frames that may wait while a login is judged. */
const INBOX = 64;
/** An inactive client's stanzas are held while there are at most so many characters of them (XEP-0352 §5). */
const HELD = { stanzas: 100, characters: 4096 };
/** Characters of unacknowledged stanzas that ride in the attachment (16 KiB in all). */
const ROOM = 4096;

/** What comes from a socket: text, or what a binding that reads for itself has read. */
type Frame = string | { element: Element; size: number };

export class Stream {
  readonly gate: Gate;
  state: StreamState;
  /** Absent while the stream waits for its client to come back. */
  socket: Socket | undefined;
  ledger: Ledger | undefined;
  /** The address it is bound to. */
  jid: Jid | undefined;
  /** What it may still send before it is told to slow down; a cache, since an idle stream has its full allowance. */
  pace: Pace | undefined;
  /** A token of an invitation, presented before registering (XEP-0445). */
  invitation: string | undefined;
  ended = false;
  /** Stanzas of the client that are on their way into custody. */
  open = 0;
  /** The highest mark that it was sent while nobody counts; unknown after the object was forgotten. */
  #newest: number | undefined = 0;
  #inbox: Frame[] = [];
  #busy = false;
  /** The client has closed its stream and is told what was handled before it is answered. */
  #closing = false;

  constructor(gate: Gate, state: StreamState, socket: Socket | undefined) {
    this.gate = gate;
    this.state = state;
    this.socket = socket;
    if (state.phase.at === "bound") this.#revive(state.phase);
  }

  #revive(phase: Bound): void {
    this.jid = Jid.parse(phase.jid);
    this.#newest = undefined;
    if (phase.management) this.ledger = new Ledger(phase.management);
  }

  get sid(): string {
    return this.state.sid;
  }

  get bound(): Bound | undefined {
    return this.state.phase.at === "bound" ? this.state.phase : undefined;
  }

  /** Becomes bound, or takes the place of a stream that was. */
  become(phase: Bound, ledger?: Ledger): void {
    this.state.phase = phase;
    this.jid = Jid.parse(phase.jid);
    this.ledger = ledger ?? (this.socket?.ask && Ledger.tacit());
  }

  /** Its client counts stanzas (XEP-0198). */
  get managed(): boolean {
    return this.ledger !== undefined && !this.ledger.tacit;
  }

  /** Something of the client's is being judged, or on its way into custody. */
  get pending(): boolean {
    return this.#busy || this.open > 0;
  }

  /** How many stanzas were sent that a transport has to see arrive; and whether some have not, as far as is known. */
  get sent(): number {
    return this.ledger?.tacit ? this.ledger.state.sent : 0;
  }

  get owed(): boolean {
    return this.ledger?.tacit === true && this.ledger.queue.length > 0;
  }

  /** Its client has received the first so many of these. */
  arrived(sent: number): void {
    const { ledger } = this;
    if (!ledger?.tacit || sent <= ledger.state.acked) return;
    ledger.acknowledged(sent);
    this.gate.touch(this);
  }

  /** A frame. Frames that come while a login is judged wait their turn (RFC 6120 §10.1). */
  receive(text: string): void {
    this.#receive(text);
  }

  /** An element that was read already, under the limits of this stream; `size` is what it had of the text. */
  take(element: Element, size: number): void {
    this.#receive({ element, size });
  }

  #receive(frame: Frame): void {
    if (this.ended) return;
    if (!this.#busy) this.#step(frame);
    else if (this.#inbox.length < INBOX) this.#inbox.push(frame);
    else this.fail(new StreamError("policy-violation", "Too much at once."));
  }

  #step(frame: Frame): void {
    this.gate.touch(this);
    try {
      const element = this.#read(frame);
      const later = this.#handle(element);
      if (!later) return;
      this.#busy = true;
      later.catch((error) => this.fail(error)).finally(() => this.#resume());
    } catch (error) {
      this.fail(error);
    }
  }

  #resume(): void {
    this.#busy = false;
    while (!this.#busy && !this.ended) {
      const next = this.#inbox.shift();
      if (next === undefined) break;
      this.#step(next);
    }
    if (!this.pending) this.socket?.settled?.();
  }

  #read(frame: Frame): Element {
    const { phase } = this.state;
    const { settings } = this.gate;
    const size = typeof frame === "string" ? frame.length : frame.size;
    if (phase.at === "bound") {
      if (settings.limits && !paced(this, size))
        throw new StreamError("policy-violation", "This stream sends more than it may.");
      return typeof frame === "string" ? read(frame, this.gate.xmlLimits) : frame.element;
    }
    phase.bytes += size;
    if (phase.bytes > PRE_AUTH_BYTES) throw new StreamError("policy-violation", "Authenticate first.");
    return typeof frame === "string" ? read(frame, PRE_AUTH_LIMITS) : frame.element;
  }

  #handle(element: Element): Promise<void> | undefined {
    if (element.attrs.xmlns === NS.FRAMING) {
      if (element.name === "close") this.close();
      else if (element.name === "open") open(this, element);
      else throw new StreamError("unsupported-stanza-type");
      return undefined;
    }
    if (this.state.host === "")
      throw new StreamError("not-authorized", "A stream begins with <open/> (RFC 7395 §3.4).");
    if (this.state.phase.at === "negotiating") return negotiate(this, this.state.phase, element);
    return route(this, this.state.phase, element);
  }

  /** Says something that is no stanza: it is not counted and not sent again. */
  write(element: Element): void {
    this.socket?.send(serialise(element));
  }

  /** Delivers a stanza; one to "" is written to the stream's own address, bare or full. */
  deliver(stanza: Stanza, bare = false, mark = 0): void {
    const phase = this.bound;
    if (!phase || !this.jid) return;
    const text = stanza.to ? stanza.text() : stanza.text((bare ? this.jid.bare : this.jid).toString());
    // Without counters and nothing held back, a delivery changes nothing that would have to be kept.
    if (this.ledger || phase.csi || phase.held.length > 0) this.gate.touch(this);
    if (phase.csi && holdable(stanza)) this.#hold(phase, `${stanza.kind} ${stanza.from}`, text);
    else {
      this.release();
      this.#send(text, mark);
    }
  }

  #hold(phase: Bound, key: string, text: string): void {
    phase.held = phase.held.filter(([other]) => other !== key);
    phase.held.push([key, text]);
    const characters = phase.held.reduce((sum, [, held]) => sum + held.length, 0);
    if (phase.held.length > HELD.stanzas || characters > HELD.characters) this.release();
  }

  /**
   * Whether it was sent the message with that mark, or a later one. What was sent before the object was forgotten is known
   * only of a client that acknowledges: to any other one nothing is said twice.
   */
  had(mark: number): boolean {
    const newest = this.ledger ? Math.max(this.ledger.newest, this.#newest ?? 0) : this.#newest;
    return newest === undefined || mark <= newest;
  }

  /** Whether this waits to be acknowledged. */
  queues(stanza: Stanza): boolean {
    const text = stanza.text(String(this.jid));
    return this.ledger?.queue.some(([queued]) => queued === text) ?? false;
  }

  /** The account has another avatar. */
  picture(hash: string): void {
    const phase = this.bound;
    if (!phase) return;
    if (hash) phase.photo = hash;
    else delete phase.photo;
    this.gate.touch(this);
  }

  /** Sends what was held back, in its order. */
  release(): void {
    const phase = this.bound;
    if (!phase || phase.held.length === 0) return;
    const held = phase.held;
    phase.held = [];
    for (const [, text] of held) this.#send(text, 0);
  }

  #send(text: string, mark: number): void {
    const { ledger, socket } = this;
    if (!ledger && mark > 0) this.#newest = mark;
    const ask = ledger?.send(text, mark);
    if (this.owed) this.gate.touch(this);
    socket?.send(text);
    if (ask) this.#sayAsk();
    if (ledger?.overflows)
      this.fail(new StreamError("resource-constraint", "Too much is unacknowledged; the archive has it."));
  }

  /** Asks for an acknowledgement if something waits for one. */
  ask(): void {
    if (this.socket && this.ledger?.ask()) this.#sayAsk();
  }

  #sayAsk(): void {
    if (this.ledger?.tacit) this.socket?.ask?.();
    else this.socket?.send(ASK);
  }

  /** Sends again what the client says it has not had, after a resumption. */
  resend(): void {
    for (const [text] of this.ledger?.queue ?? []) this.socket?.send(text);
    this.ask();
  }

  /** Keeps the state with the socket. Returns false when it has no room: it must go into a row. */
  save(): boolean {
    this.snapshot(ROOM);
    try {
      this.socket?.attach(this.state);
      return true;
    } catch {
      return false;
    }
  }

  snapshot(room: number): StreamState {
    const phase = this.bound;
    if (phase && this.ledger) phase.management = this.ledger.save(room);
    return this.state;
  }

  /** The client closes its stream: its session ends at once (RFC 6120 §4.4). */
  close(): void {
    if (this.ended) return;
    this.#closing = true;
    const ledger = this.managed ? this.ledger : undefined;
    const answer = ledger?.asked();
    this.gate.finish(this);
    if (answer) this.acknowledge(answer);
    else if (!ledger) this.#sayClose();
  }

  #sayClose(): void {
    this.socket?.send(CLOSE);
    this.socket?.close(1000, "");
  }

  /** Tells the client what was handled (XEP-0198 §4). */
  acknowledge(answer: Element): void {
    this.write(answer);
    if (this.#closing) this.#sayClose();
  }

  /** Its client has come back on another socket; this one is of no more use. */
  replaced(): void {
    this.write(streamErrorElement(new StreamError("conflict", "This stream was resumed elsewhere.")));
    this.socket?.send(CLOSE);
    this.socket?.close(1000, "resumed");
    this.socket = undefined;
  }

  /** Ends the stream with an error; a resumption would only bring the same again, so the session ends too. */
  fail(error: unknown): void {
    if (this.ended) return;
    const reason = asStreamError(error, this.gate);
    // §4.9.1.2: an error before the header is answered with a header first.
    if (this.state.host === "") this.socket?.send(this.header());
    this.write(streamErrorElement(reason));
    this.socket?.send(CLOSE);
    this.socket?.close(1000, reason.condition);
    this.gate.finish(this);
  }

  header(): string {
    const { host, lang } = this.state;
    const from = host || this.gate.settings.domain;
    // The stream's id says nothing about the session: `sid` would be half of a resumption.
    return serialise(
      xml("open", { xmlns: NS.FRAMING, from, id: crypto.randomUUID(), version: "1.0", "xml:lang": lang || "en" }),
    );
  }
}

const ASK = `<r xmlns="${NS.SM}"/>`;
const CLOSE = `<close xmlns="${NS.FRAMING}"/>`;

/** XEP-0352 §5.1: presence and chat states may wait until somebody looks; all else may not. */
function holdable(stanza: Stanza): boolean {
  if (stanza.kind === "presence") {
    // A room's answer to a join (status 110) is what the client waits for.
    return (stanza.type === "" || stanza.type === "unavailable") && !stanza.inner.includes('code="110"');
  }
  return stanza.kind === "message" && (stanza.traits & Trait.STATE) !== 0;
}

function asStreamError(error: unknown, gate: Gate): StreamError {
  if (error instanceof StreamError) return error;
  if (error instanceof XmlError) return new StreamError(error.condition, error.message);
  gate.log.error("a stream failed", error);
  return new StreamError("internal-server-error");
}
