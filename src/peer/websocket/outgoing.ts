/** XEP-0220: Server Dialback, v1.1.1 — https://xmpp.org/extensions/xep-0220.html. Our stream to a remote domain over WebSocket, to the Peer a link like a bridge's. */
import { dialbackKey } from "../../protocol/dialback.ts";
import { StreamError } from "../../protocol/errors.ts";
import * as NS from "../../protocol/ns.ts";
import { outward } from "../../protocol/server-stanza.ts";
import { type Element, xml } from "../../xml/element.ts";
import type { Leaving, ToBridge, ToPeer } from "../frames.ts";
import type { Link, LinkState } from "../link.ts";
import type { Session } from "./session.ts";
import { Stream, type Way } from "./stream.ts";

/** Nothing to say for so long: the other side keeps nothing open for us, and this object may be forgotten. */
const IDLE_MS = 60_000;
/** An answer takes no longer than this, or nobody is there. */
const SILENCE_MS = 60_000;
/** All that is sent in so long a time is asked about at once: each answer is a commit there, and one here. */
const ASK_MS = 50;

export interface OutgoingPorts {
  /** Of dialback keys. */
  secret: string;
  session: Session;
  frame(link: Link, frame: ToPeer): void;
  ended(link: Link): void;
}

/** One stream for all our hosts: each is verified when it first has something to say. */
export class Outgoing implements Link {
  state: LinkState = { bridge: crypto.randomUUID(), sent: 0, taken: 0 };
  readonly #stream: Stream;
  readonly #ports: OutgoingPorts;
  /** Our hosts that the other side has verified; and since when it is being asked to verify others. */
  readonly #verified = new Set<string>();
  readonly #asked = new Map<string, number>();
  /** In order, from the first whose host is not verified yet. */
  #held: Leaving[] = [];
  /** Written and not acknowledged, in order (XEP-0198). */
  #unacked: number[] = [];
  #managed = false;
  /** What the other side has acknowledged on this stream and on those it resumes. */
  #acked = 0;
  /** The last that was sent here. */
  #last = 0;
  /** Since when an answer to `<r/>` is waited for; 0: none is. */
  #waitingSince = 0;
  #used = Date.now();

  private constructor(stream: Stream, ports: OutgoingPorts) {
    this.#stream = stream;
    this.#ports = ports;
  }

  /** A stream that is verified for `way.local` and takes stanzas. @throws when it is refused or lost */
  static async open(way: Way, ports: OutgoingPorts): Promise<Outgoing> {
    const { stream, features } = await Stream.open(way);
    const outgoing = new Outgoing(stream, ports);
    try {
      outgoing.#ask(way.local);
      const { attrs } = await stream.next((element) => isResult(element, way.local));
      if (attrs.type !== "valid") throw new Error(`${way.remote}: dialback ended with ${attrs.type}`);
      outgoing.#asked.delete(way.local);
      outgoing.#verified.add(way.local);
      if (features.getChild("sm", NS.SM)) await outgoing.#manage();
    } catch (error) {
      stream.close();
      throw error;
    }
    stream.onElement = (element) => outgoing.#element(element);
    stream.onEnd = (reason) => outgoing.#end(reason);
    return outgoing;
  }

  #says(frame: ToPeer): void {
    this.#ports.frame(this, frame);
  }

  #ask(local: string): void {
    const { id, remote } = this.#stream;
    this.#asked.set(local, Date.now());
    const key = dialbackKey(this.#ports.secret, remote, local, id);
    this.#stream.send(xml("db:result", { "xmlns:db": NS.DIALBACK, from: local, to: remote }, key));
  }

  /** Takes up the last stream where it was cut, so that what was sent on it is sent once; or begins to count. */
  async #manage(): Promise<void> {
    const { session } = this.#ports;
    const stream = this.#stream;
    const answer = ({ attrs }: Element) => attrs.xmlns === NS.SM;
    if (session.id !== undefined) {
      stream.send(xml("resume", { xmlns: NS.SM, previd: session.id, h: "0" }));
      const { name, attrs } = await stream.next(answer);
      if (attrs.h !== undefined) this.#says({ sent: session.handled(Number(attrs.h)) });
      if (name === "resumed") {
        this.#managed = true;
        this.#acked = session.count;
        return;
      }
    }
    stream.send(xml("enable", { xmlns: NS.SM, resume: "true" }));
    const { name, attrs } = await stream.next(answer);
    this.#managed = name === "enabled";
    session.begin(this.#managed && attrs.resume === "true" ? attrs.id : undefined);
  }

  save(): void {
    // Nothing of it outlives its socket but the session's row.
  }

  /** What the Peer says to a link. */
  send(frame: ToBridge): void {
    // What is sent twice, on suspicion that it was lost, is under way here.
    if (!("stanza" in frame) || frame.n <= this.#last) return;
    this.#last = frame.n;
    this.#used = Date.now();
    this.#held.push(frame);
    this.#drain();
  }

  #drain(): void {
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      if (!this.#verified.has(first.from)) {
        if (!this.#asked.has(first.from)) this.#ask(first.from);
        break;
      }
      this.#held.shift();
      this.#stream.write(outward(first.stanza, NS.SERVER));
      if (!this.#managed) {
        // Nothing proves more: this server does not count what it takes.
        this.#says({ sent: [first.n] });
        continue;
      }
      this.#unacked.push(first.n);
      this.#ports.session.sent(first.n);
    }
    this.#request();
  }

  #request(): void {
    if (this.#waitingSince !== 0 || this.#unacked.length === 0) return;
    this.#waitingSince = Date.now();
    // Bounded, and the socket keeps the object from being forgotten anyway.
    setTimeout(() => this.#stream.send(xml("r", { xmlns: NS.SM })), ASK_MS);
  }

  #element(element: Element): void {
    const { name, attrs } = element;
    if (attrs.xmlns === NS.SM && name === "a") this.#acknowledged(Number(attrs.h));
    else if (attrs.xmlns === NS.SM && name === "r") this.#stream.send(xml("a", { xmlns: NS.SM, h: "0" }));
    else if (attrs.xmlns === NS.DIALBACK) {
      // security.md F1: an answer is to a question that was asked here.
      if (!this.#asked.has(attrs.to ?? "") || !isResult(element, attrs.to ?? ""))
        return this.#stream.fail(new StreamError("not-authorized", "Nothing was asked."));
      this.#answered(attrs.to ?? "", attrs.type);
    }
    // Stanzas come on streams that the other side opens: nobody has proved here who it is but by its address.
  }

  #answered(local: string, type: string | undefined): void {
    this.#asked.delete(local);
    if (type === "valid") this.#verified.add(local);
    else {
      const numbers = this.#held.filter(({ from }) => from === local).map(({ n }) => n);
      this.#held = this.#held.filter(({ from }) => from !== local);
      // §2.1.1: what waits for this pair goes back, and the stream stays.
      this.#says({ failed: numbers, reason: `dialback for ${local} ended with ${type}`, final: true });
    }
    this.#drain();
  }

  #acknowledged(h: number): void {
    const news = (h - this.#acked) >>> 0;
    if (!(news <= this.#unacked.length)) {
      const text = "More is acknowledged than was sent.";
      return this.#stream.fail(new StreamError("undefined-condition", text));
    }
    this.#waitingSince = 0;
    this.#acked += news;
    const numbers = this.#unacked.splice(0, news);
    if (numbers.length > 0) {
      this.#ports.session.acknowledged(numbers.at(-1) as number, this.#acked);
      this.#says({ sent: numbers });
    }
    this.#request();
  }

  /** Looks after it now and then. */
  tend(now: number): void {
    const unanswered = Math.min(this.#waitingSince || now, ...this.#asked.values());
    if (now - unanswered > SILENCE_MS) this.#stream.close("it does not answer");
    else if (this.#unacked.length + this.#held.length === 0 && now - this.#used > IDLE_MS) this.#stream.close("idle");
  }

  close(): void {
    this.#stream.close();
  }

  #end(reason: string): void {
    const numbers = [...this.#unacked, ...this.#held.map(({ n }) => n)];
    if (numbers.length > 0) this.#says({ failed: numbers, reason, final: false });
    this.#ports.ended(this);
  }
}

const isResult = ({ name, attrs }: Element, local: string) =>
  name === "result" && attrs.xmlns === NS.DIALBACK && attrs.to === local && attrs.type !== undefined;
