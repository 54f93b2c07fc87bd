/** XEP-0198 §5: streams that go from one gate to another with their clients — https://xmpp.org/extensions/xep-0198.html */
import type { Delivery } from "../kernel/post.ts";

/** How long a stream may be on its way to another client before a third one is told that it is not there. */
const ARRIVAL_MS = 5_000;
/** Streams that went elsewhere, remembered for what is still on its way to them. */
const MOST_GONE = 1000;

/** A stream that is on its way here. */
interface Expected {
  deliveries: Delivery[];
  /** It has come, or it does not. */
  settled: Promise<void>;
  settle(): void;
}

export class Crossings {
  readonly #expected = new Map<string, Expected>();
  /** Where a stream went on to; a cache, for deliveries that were already on their way. */
  readonly #gone = new Map<string, string>();

  /** @returns what to wait for if it is expected by another client of this gate already */
  expect(sid: string): Promise<void> | undefined {
    const earlier = this.#expected.get(sid);
    if (earlier) return earlier.settled;
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    this.#expected.set(sid, { deliveries: [], settled, settle });
    return undefined;
  }

  /** Keeps what is for a stream on its way here. @returns whether it is */
  hold(sid: string, delivery: Delivery): boolean {
    const expected = this.#expected.get(sid);
    expected?.deliveries.push({ ...delivery, to: [sid] });
    return expected !== undefined;
  }

  /** It has come, or it does not. @returns what was delivered meanwhile */
  settle(sid: string): Delivery[] {
    const expected = this.#expected.get(sid);
    this.#expected.delete(sid);
    expected?.settle();
    return expected?.deliveries ?? [];
  }

  /** Resolves when a stream on its way here has come, or has gone lost. */
  async arrival(sid: string): Promise<void> {
    const expected = this.#expected.get(sid);
    if (expected) await Promise.race([expected.settled, new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS))]);
  }

  went(sid: string, gate: string): void {
    this.#gone.set(sid, gate);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MOST_GONE && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** It is here again: once it has ended, two gates must not each say that the other one has it. */
  returned(sid: string): void {
    this.#gone.delete(sid);
  }

  /** The gate that it went on to. */
  whither(sid: string): string | undefined {
    return this.#gone.get(sid);
  }

  /** Whether it is on its way, or was here and is elsewhere. */
  knows(sid: string): boolean {
    return this.#expected.has(sid) || this.#gone.has(sid);
  }
}
