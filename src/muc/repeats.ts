/** Messages that accounts passed on to a room: an account that was forgotten meanwhile passes its last ones on again. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Jid } from "../protocol/jid.ts";

/** One row per room: what is sent to one occupant, or to the room itself, is little beside what is said to all. */
export const REPEATS: Table = {
  name: "repeats",
  steps: ["CREATE TABLE repeats (owner INTEGER PRIMARY KEY, recent TEXT NOT NULL)"],
};

const MOST = 100;

export class Repeats {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #recent: string[];

  constructor(sql: Sql, owner: number) {
    this.#sql = sql;
    this.#owner = owner;
    const [row] = sql<{ recent: string }>`SELECT recent FROM repeats WHERE owner = ${owner}`;
    this.#recent = row ? JSON.parse(row.recent) : [];
  }

  /** Whether the message with that id in its sender's archive is new; it no longer is. */
  first(sender: Jid, origin: number): boolean {
    const key = `${sender.bare} ${origin}`;
    if (this.#recent.includes(key)) return false;
    this.#recent.push(key);
    if (this.#recent.length > MOST) this.#recent.shift();
    this.#sql`INSERT OR REPLACE INTO repeats VALUES (${this.#owner}, ${JSON.stringify(this.#recent)})`;
    return true;
  }

  clear(): void {
    this.#sql`DELETE FROM repeats WHERE owner = ${this.#owner}`;
  }
}
