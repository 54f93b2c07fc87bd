/** XEP-0198: Stream Management, v1.6.3 — https://xmpp.org/extensions/xep-0198.html#acking: stanzas that have come on a stream, of which some are not in custody yet. */
import { type Element, xml } from "../xml/element.ts";
import * as NS from "./ns.ts";
import { Watermark } from "./watermark.ts";

export class Received {
  #count: number;
  readonly #custody: Watermark;
  readonly #answer: (acknowledgement: Element) => void;
  /** It was asked for up to here. */
  #asked: number | undefined;

  /** `upTo`: what had come, and was in custody, on the streams that this one goes on with. */
  constructor(answer: (acknowledgement: Element) => void, upTo = 0) {
    this.#answer = answer;
    this.#count = upTo;
    this.#custody = new Watermark(upTo);
  }

  get count(): number {
    return this.#count;
  }

  get inCustody(): number {
    return this.#custody.upTo;
  }

  /** One more. @returns its number */
  next(): number {
    return ++this.#count;
  }

  /** That one is in custody. @returns whether with it more of them are, without a gap */
  done(n: number): boolean {
    const risen = this.#custody.done(n);
    if (risen) this.#acknowledge();
    return risen;
  }

  /** `<r/>`: answered when all that had come by now is in custody. */
  ask(): void {
    this.#asked = this.#count;
    this.#acknowledge();
  }

  #acknowledge(): void {
    if (this.#asked === undefined || this.inCustody < this.#asked) return;
    this.#asked = undefined;
    this.#answer(xml("a", { xmlns: NS.SM, h: wire(this.inCustody) }));
  }
}

/** §4: a count as it is written, modulo 2³². */
export const wire = (count: number): string => String(count % 2 ** 32);
