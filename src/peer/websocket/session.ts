/** XEP-0198 §5: the stream that the next one resumes, in rows — https://xmpp.org/extensions/xep-0198.html#resumption */
import type { Table } from "../../kernel/feature.ts";
import type { Sql } from "../../kernel/sql.ts";

export const SESSION: Table = {
  name: "session",
  steps: [
    // Stanza `k` of the stream `id` was the queue's `n`; its numbers are consecutive, so those after it are known, too.
    "CREATE TABLE session (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, n INTEGER NOT NULL, k INTEGER NOT NULL)",
  ],
};

/** More than the queue holds is never under way. */
const MOST = 10_000;

interface Row {
  id: string;
  n: number;
  k: number;
}

export class Session {
  readonly #sql: Sql;
  #row: Row | undefined;
  /** A stream that has begun and on which nothing was sent yet. */
  #fresh: string | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    [this.#row] = sql<Row>`SELECT id, n, k FROM session`;
  }

  get id(): string | undefined {
    return this.#row?.id;
  }

  /** How many stanzas of it were acknowledged. */
  get count(): number {
    return this.#row?.k ?? 0;
  }

  /** A new stream; without an id, it cannot be resumed. */
  begin(id: string | undefined): void {
    this.#fresh = id;
    this.#row = undefined;
    this.#sql`DELETE FROM session`;
  }

  /** The queue's `n` goes out: the first time it says where the count begins. */
  sent(n: number): void {
    if (this.#fresh === undefined) return;
    this.#write({ id: this.#fresh, n: n - 1, k: 0 });
    this.#fresh = undefined;
  }

  /** Up to the queue's `n`, which was the stream's stanza `k`, all was acknowledged. */
  acknowledged(n: number, k: number): void {
    if (this.#row) this.#write({ ...this.#row, n, k });
  }

  /** The other side says that it has handled `h` stanzas of the lost stream. @returns the queue's numbers of those it had not said before */
  handled(h: number): number[] {
    const row = this.#row;
    const news = row ? (h - row.k) >>> 0 : 0;
    if (!row || news === 0 || news > MOST) return [];
    const numbers = Array.from({ length: news }, (_, i) => row.n + 1 + i);
    this.#write({ ...row, n: row.n + news, k: row.k + news });
    return numbers;
  }

  #write(row: Row): void {
    this.#row = row;
    this.#sql`INSERT OR REPLACE INTO session VALUES (1, ${row.id}, ${row.n}, ${row.k})`;
  }
}
