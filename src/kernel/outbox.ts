/**
 * One outbox per target: one call in flight, and what comes meanwhile rides in the next, in order. That one rule gives
 * order (RFC 6120 §10.1), batching under load, back-pressure and a single place for retries.
 */

/** What the runtime tells of a call that failed. */
interface CallError {
  message: string;
  retryable?: boolean;
  overloaded?: boolean;
}

interface Waiting<Item> {
  item: Item;
  done: ((error?: Error) => void) | undefined;
}

/** Most items in one call: well under the 32 MiB a call may carry, since a stanza has at most 256 KiB. */
const MOST = 100;
const ATTEMPTS = 5;
/**
 * After so many calls on end a timer: workerd looks at sockets that wait for data only when it has nothing else to do, and
 * two objects that keep each other busy let them wait (a frame was seen to take 950 ms).
 */
const BREATH = 16;

export class Outbox<Item, Answer = void> {
  readonly #call: (batch: Item[], again: boolean) => Promise<Answer>;
  readonly #answered: ((answer: Answer | Error, batch: Item[]) => void) | undefined;
  readonly #known: (item: Item) => boolean;
  #waiting: Waiting<Item>[] = [];
  #flight: Promise<void> | undefined;

  /**
   * `call` makes one call with a fresh stub, `again` when the same one has failed before and may have arrived all the same;
   * `answered` sees what it returned or why it failed; `known`: whether the target knows an item that it has had before.
   */
  constructor(
    call: (batch: Item[], again: boolean) => Promise<Answer>,
    answered?: (answer: Answer | Error, batch: Item[]) => void,
    known: (item: Item) => boolean = () => false,
  ) {
    this.#call = call;
    this.#known = known;
    this.#answered = answered;
  }

  /** Queues an item. `done` runs once the target has taken it, or with the error when it never will. */
  put(item: Item, done?: (error?: Error) => void): void {
    this.#waiting.push({ item, done });
    // A microtask, so that all that one event has to say rides in one call.
    this.#flight ??= Promise.resolve().then(() => this.#fly());
  }

  /** The item queued last, while it still waits. */
  get tail(): Item | undefined {
    return this.#waiting.at(-1)?.item;
  }

  get idle(): boolean {
    return this.#flight === undefined;
  }

  /** Resolves when nothing is waiting or in flight. */
  async drained(): Promise<void> {
    while (this.#flight) await this.#flight;
  }

  async #fly(): Promise<void> {
    for (let calls = 1; this.#waiting.length > 0; calls++) {
      const batch = this.#waiting.splice(0, MOST);
      const items = batch.map((waiting) => waiting.item);
      const answer = await this.#attempt(items).catch((error: Error) => error);
      const error = answer instanceof Error ? answer : undefined;
      for (const { done } of batch) done?.(error);
      this.#answered?.(answer, items);
      if (calls % BREATH === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#flight = undefined;
  }

  async #attempt(items: Item[]): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#call(items, attempt > 1);
      } catch (error) {
        const { retryable, overloaded } = error as CallError;
        if (overloaded || attempt === ATTEMPTS) throw error;
        // An object that broke starts anew at once, and is told once more what it would know.
        if (!retryable && attempt === 1 && items.every(this.#known)) continue;
        if (!retryable) throw error;
        // Bounded: five attempts within some three seconds, while the items are in nobody else's custody.
        await new Promise((resolve) =>
          setTimeout(resolve, 2 ** attempt * 50 * (0.5 + crypto.getRandomValues(new Uint8Array(1))[0]! / 256)),
        );
      }
    }
  }
}
