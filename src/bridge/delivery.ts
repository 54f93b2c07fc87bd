/**
 * XEP-0198: Stream Management, v1.6.3 — https://xmpp.org/extensions/xep-0198.html
 *
 * What one stream to another server has carried, until there is proof that it was read: an acknowledgement where the other
 * end offers that (without resumption: what is not proven goes over another stream), else the answer to a ping behind it.
 */
import * as NS from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";

/** What is written within this time is asked about together. */
const BATCH_MS = 20;
/** Until it is asked again, when it had no more than the last time. */
const BUSY_MS = 1_000;
/** RFC 1122 leaves a dead host undetected for many minutes; a server that lives answers within this. */
const PATIENCE_MS = 30_000;

export interface DeliveryPorts {
  send(element: Element): void;
  /** A stanza as text, for the stream. */
  write(stanza: string): void;
  /** A question that the other server answers on whatever stream it has to us. */
  ask(): { id: string; iq: Element };
  proven(numbers: number[]): void;
  /** No proof in time; `acknowledges`: the other end had said that it would give it. */
  silent(acknowledges: boolean): void;
}

export class Delivery {
  readonly #ports: DeliveryPorts;
  /** In the order they were written. */
  #unproven: number[] = [];
  /** The other end acknowledges: it said so, or has yet to. */
  #managed: boolean;
  /** Nothing is asked before it has answered `<enable/>`. */
  #ready: boolean;
  /** Acknowledged since then, modulo 2³² (§4). */
  #handled = 0;
  /** On its way: the question's id, "" for `<r/>`, and how many of the unproven it is about. */
  #question: { id: string; about: number } | undefined;
  #soon: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;

  /** `acknowledges`: the other end offers XEP-0198. */
  constructor(acknowledges: boolean, ports: DeliveryPorts) {
    this.#ports = ports;
    this.#managed = acknowledges;
    this.#ready = !acknowledges;
    if (acknowledges) ports.send(xml("enable", { xmlns: NS.SM }));
  }

  write(n: number, stanza: string): void {
    this.#ports.write(stanza);
    this.#unproven.push(n);
    this.#askSoon();
  }

  #askSoon(wait = BATCH_MS): void {
    if (this.#unproven.length === 0 || this.#question) return;
    if (this.#ready) this.#soon ??= setTimeout(() => this.#ask(), wait);
    else this.wait();
  }

  /** Gives it its time; more of it, when it was silent for a reason. */
  wait(): void {
    this.#late ??= setTimeout(() => this.#silent(), PATIENCE_MS);
  }

  #ask(): void {
    this.#soon = undefined;
    const about = this.#unproven.length;
    const { id, iq } = this.#managed ? { id: "", iq: xml("r", { xmlns: NS.SM }) } : this.#ports.ask();
    this.#question = { id, about };
    this.#ports.send(iq);
    this.wait();
  }

  #silent(): void {
    this.#late = undefined;
    this.#ports.silent(this.#managed);
  }

  /** What the other end says of stream management. */
  element({ name, attrs }: Element): void {
    if (attrs.xmlns !== NS.SM) return;
    if (name === "enabled" || name === "failed") {
      if (this.#ready) return;
      this.#ready = true;
      this.#managed = name === "enabled";
      this.#settle();
    } else if (name === "a" && this.#managed) {
      const h = Number(attrs.h);
      const count = (h - this.#handled) >>> 0;
      // §4: it cannot have had more than there was; and one that is behind says nothing new.
      if (!/^\d{1,10}$/.test(String(attrs.h)) || count > this.#unproven.length) return;
      this.#handled = h;
      this.#prove(count);
    }
  }

  /** The answer to a question of somebody's. @returns whether it was asked here */
  answered(id: string): boolean {
    if (this.#question?.id !== id) return false;
    this.#prove(this.#question.about);
    return true;
  }

  /** The other end will never answer: what it is silent about is taken for read. */
  presume(): void {
    this.#prove(this.#question?.about ?? 0);
  }

  #prove(count: number): void {
    const proven = this.#unproven.splice(0, count);
    this.#settle(count === 0 ? BUSY_MS : BATCH_MS);
    if (count > 0) this.#ports.proven(proven);
  }

  /** The last question is answered. */
  #settle(wait = BATCH_MS): void {
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#question = undefined;
    this.#askSoon(wait);
  }

  /** The stream has ended. @returns what nothing proves to have arrived */
  end(): number[] {
    clearTimeout(this.#soon);
    clearTimeout(this.#late);
    return this.#unproven.splice(0);
  }
}
