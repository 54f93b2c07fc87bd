/** XEP-0198 §5: how many stanzas of other servers' streams are in custody, for the streams that resume them — https://xmpp.org/extensions/xep-0198.html#resumption */
import type { Table } from "../../kernel/feature.ts";
import type { Sql } from "../../kernel/sql.ts";

export const COUNTS: Table = {
  name: "counted",
  steps: [
    "CREATE TABLE counted (name TEXT PRIMARY KEY, domain TEXT NOT NULL, handled INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
  ],
};

/** No server keeps a stanza for longer before it gives it up. */
const KEPT_MS = 86_400_000;

export class Counts {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Of a stream of that domain's, and of no other's. */
  read(name: string, domain: string): number | undefined {
    const [row] = this.#sql<{
      handled: number;
    }>`SELECT handled FROM counted WHERE name = ${name} AND domain = ${domain}`;
    return row?.handled;
  }

  write(name: string, domain: string, handled: number, now: number): void {
    this.#sql`INSERT OR REPLACE INTO counted VALUES (${name}, ${domain}, ${handled}, ${now})`;
  }

  sweep(now: number): void {
    this.#sql`DELETE FROM counted WHERE at < ${now - KEPT_MS}`;
  }
}
