/** What an object takes, one event at a time: items in order, those its own entities send each other behind those that came. */
import type { Item } from "./post.ts";

export class Inbox {
  readonly #take: (item: Item) => void;
  readonly #settle: () => void;
  /** Never longer than one event. */
  readonly #queue: Item[] = [];
  #running = false;

  /** `settle` writes what was gathered, once an event's items are taken. */
  constructor(take: (item: Item) => void, settle: () => void = () => {}) {
    this.#take = take;
    this.#settle = settle;
  }

  /** Takes a batch; all its rows are one transaction. What is put within an event belongs to it. */
  put(...batch: readonly Item[]): void {
    this.#queue.push(...batch);
    this.run();
  }

  /** Runs what is not an item as an event of its own. */
  event<T>(run: () => T): T {
    try {
      return run();
    } finally {
      this.run();
    }
  }

  /** Takes what waits and what that brings, then settles. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      do {
        for (let item = this.#queue.shift(); item; item = this.#queue.shift()) this.#take(item);
        this.#settle();
      } while (this.#queue.length > 0);
    } finally {
      this.#running = false;
    }
  }
}
