/** XEP-0313 §5–6: a room's messages without gaps or repetitions, whatever happened to the connection. */
import { page } from "./archive.ts";
import type { Client } from "./client.ts";
import type { Element } from "./element.ts";
import { type Entry, type Item, Timeline } from "./timeline.ts";

/** How many pages a reconnecting client fills in before it starts afresh with the newest one. */
const CATCH_UP_PAGES = 4;

/** Makes an item of an archived message: which only the room can, because it knows who is who. */
export type Describe = (message: Element, ref: string | undefined, time: number) => Item;

export class History {
  readonly timeline = new Timeline();
  /** Older messages can be loaded. */
  more = false;
  #client: Client;
  #room: string;
  #describe: Describe;
  #arrived: (fresh: readonly Entry[], live: boolean) => void;
  #max: number;
  /** Oldest and newest archive id that are loaded. */
  #first = "";
  #last = "";
  /** Live messages, while what came before them is being loaded. */
  #held: { item: Item; live: boolean }[] | undefined;
  #loading: Promise<void> | undefined;

  constructor(
    client: Client,
    room: string,
    max: number,
    describe: Describe,
    arrived: (fresh: readonly Entry[], live: boolean) => void,
  ) {
    this.#client = client;
    this.#room = room;
    this.#max = max;
    this.#describe = describe;
    this.#arrived = arrived;
  }

  /** From now on live messages wait for `release`. */
  hold(): void {
    this.#held ??= [];
  }

  get held(): boolean {
    return !!this.#held;
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { item, live } of held) this.add(item, live);
  }

  /** A message that came by itself; `live` when it is of this moment, and not history the room sent along. */
  add(item: Item, live: boolean): void {
    if (this.#held) this.#held.push({ item, live });
    else this.#show([item], live);
  }

  /** Fills in what was missed since the last message we have; if that is too much, begins anew at the end. */
  async catchUp(): Promise<void> {
    for (let pages = 0; this.#last && pages < CATCH_UP_PAGES; pages++) {
      // An id that was pruned from the archive is an error.
      const { items, complete } = await this.#page({ after: this.#last }).catch(() => ({ items: [], complete: false }));
      this.#show(items, false);
      if (complete) return;
      if (!items.length) break;
    }
    const { items, complete } = await this.#page({ before: "" });
    this.timeline.clear();
    this.#show(items, false);
    this.#first = items[0]?.ref ?? "";
    this.more = !complete && items.length > 0;
  }

  /** Loads a page of older messages. */
  older(): Promise<void> {
    if (!this.more) return Promise.resolve();
    this.#loading ??= this.#page({ before: this.#first })
      .then(({ items, complete }) => {
        this.timeline.prepend(items);
        this.#first = items[0]?.ref ?? this.#first;
        this.more = !complete && items.length > 0;
      })
      .finally(() => {
        this.#loading = undefined;
        this.#arrived([], false);
      });
    return this.#loading;
  }

  async #page(range: { before?: string; after?: string }): Promise<{ items: Item[]; complete: boolean }> {
    const { items, complete } = await page(this.#client, this.#room, { ...range, max: this.#max });
    return { complete, items: items.map(({ id, time, message }) => this.#describe(message, id, time)) };
  }

  #show(items: readonly Item[], live: boolean): void {
    for (const { ref } of items) this.#last = ref ?? this.#last;
    this.#arrived(this.timeline.append(items), live);
  }
}
