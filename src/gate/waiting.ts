/** XEP-0198 §5: streams that wait for their client, one row each; also those whose queue has outgrown its attachment. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { StreamState, Unacked } from "./state.ts";
import type { Stream } from "./stream.ts";

export const WAITING: Table = {
  name: "waiting",
  steps: [
    "CREATE TABLE waiting (sid TEXT PRIMARY KEY, state TEXT NOT NULL, queue TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID",
  ],
};

export class Waiting {
  readonly #sql: Sql;
  /** How many rows there are; counted again after the object was forgotten. Most of the time none, and then nobody asks. */
  #count: number | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  #any(): boolean {
    this.#count ??= this.#sql<{ n: number }>`SELECT count(*) AS n FROM waiting`[0]?.n ?? 0;
    return this.#count > 0;
  }

  put(stream: Stream, expires: number): void {
    const state = JSON.stringify(stream.snapshot(0));
    const queue = JSON.stringify(stream.ledger?.queue ?? []);
    this.#sql`INSERT OR REPLACE INTO waiting VALUES (${stream.sid}, ${state}, ${queue}, ${expires})`;
    this.#count = undefined;
  }

  get(sid: string): { state: StreamState; queue: Unacked[] } | undefined {
    if (!this.#any()) return undefined;
    const [row] = this.#sql<{ state: string; queue: string }>`SELECT state, queue FROM waiting WHERE sid = ${sid}`;
    return row && { state: JSON.parse(row.state), queue: JSON.parse(row.queue) };
  }

  remove(sid: string): boolean {
    if (!this.#any()) return false;
    this.#sql`DELETE FROM waiting WHERE sid = ${sid}`;
    this.#count = undefined;
    return true;
  }
}
