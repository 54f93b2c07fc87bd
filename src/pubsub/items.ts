/** XEP-0060 §12.1: the items of a node, in the order they were published — https://xmpp.org/extensions/xep-0060.html#data-model */
import type { Sql } from "../kernel/sql.ts";

/** What is in memory of an item: payloads stay in their rows. */
export interface Entry {
  readonly id: string;
  /** Its place in the order. */
  readonly seq: number;
  /** When it was published, in ms. */
  readonly at: number;
}

export interface Item extends Entry {
  /** Bare JID. */
  readonly publisher: string;
  /** The payload's XML, "" for none. */
  readonly payload: string;
}

export class Items {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #node: string;
  /** Oldest first: a map keeps the order of insertion. */
  readonly #entries: Map<string, Entry>;
  #seq: number;

  constructor(sql: Sql, owner: number, node: string) {
    this.#sql = sql;
    this.#owner = owner;
    this.#node = node;
    const rows = sql<Entry>`SELECT id, seq, at FROM pubsub_item WHERE owner = ${owner} AND node = ${node}`;
    this.#entries = new Map(rows.sort((a, b) => a.seq - b.seq).map((entry) => [entry.id, entry]));
    this.#seq = rows.at(-1)?.seq ?? 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Oldest first. */
  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  get last(): Item | undefined {
    let last: Entry | undefined;
    for (const entry of this.#entries.values()) last = entry;
    return last && this.get(last.id);
  }

  get(id: string): Item | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    const [row] = this.#sql<{ publisher: string; payload: string }>`SELECT publisher, payload FROM pubsub_item
      WHERE owner = ${this.#owner} AND node = ${this.#node} AND id = ${id}`;
    return row && { ...entry, ...row };
  }

  /** The ids of what somebody has published, by bare JID. */
  by(publisher: string): string[] {
    return this.#sql<{ id: string }>`SELECT id FROM pubsub_item
      WHERE owner = ${this.#owner} AND node = ${this.#node} AND publisher = ${publisher} ORDER BY seq`.map(
      ({ id }) => id,
    );
  }

  /** Stores an item; one of the same id goes, and with it its place in the order. */
  put(id: string, publisher: string, payload: string, at: number): void {
    const entry: Entry = { id, seq: ++this.#seq, at };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#sql`INSERT OR REPLACE INTO pubsub_item VALUES (${this.#owner}, ${this.#node}, ${id}, ${entry.seq}, ${at},
      ${publisher}, ${payload})`;
  }

  remove(id: string): void {
    this.#entries.delete(id);
    this.#sql`DELETE FROM pubsub_item WHERE owner = ${this.#owner} AND node = ${this.#node} AND id = ${id}`;
  }

  /** Removes the oldest until there are no more than so many. @returns the ids of what went */
  trim(most: number): string[] {
    const gone: string[] = [];
    for (const id of this.#entries.keys()) {
      if (this.#entries.size - gone.length <= most) break;
      gone.push(id);
    }
    for (const id of gone) this.remove(id);
    return gone;
  }

  /** Removes what was published before a time in ms. */
  expire(before: number): void {
    for (const { id, at } of this.#entries.values()) if (at < before) this.remove(id);
  }

  clear(): void {
    this.#entries.clear();
    this.#sql`DELETE FROM pubsub_item WHERE owner = ${this.#owner} AND node = ${this.#node}`;
  }
}
