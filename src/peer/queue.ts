/** RFC 6120 §10.4: stanzas for another server, in our custody until it has them. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Envelope } from "../protocol/stanza.ts";

export const QUEUE: Table = {
  name: "queue",
  steps: [
    "CREATE TABLE queue (n INTEGER PRIMARY KEY AUTOINCREMENT, e TEXT NOT NULL, at INTEGER NOT NULL)",
    "CREATE TABLE inbound (bridge TEXT PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE passed (pair TEXT NOT NULL, origin INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (pair, origin)) WITHOUT ROWID",
    // Numbers of an archive go by time: what comes at a time lies on one page, whoever it is from.
    "CREATE TABLE came (origin INTEGER NOT NULL, pair TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (origin, pair)) WITHOUT ROWID",
    "INSERT INTO came SELECT origin, pair, at FROM passed",
    "DROP TABLE passed",
  ],
};

export interface Queued {
  n: number;
  e: Envelope;
  at: number;
}

interface Row {
  n: number;
  e: string;
  at: number;
}

const opened = ({ n, e, at }: Row): Queued => ({ n, e: JSON.parse(e), at });

export class Queue {
  readonly #sql: Sql;
  #size: number | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get size(): number {
    this.#size ??= this.#sql<{ n: number }>`SELECT count(*) AS n FROM queue`[0]?.n ?? 0;
    return this.#size;
  }

  put(e: Envelope, at: number): Queued {
    const [row] = this.#sql<{ n: number }>`INSERT INTO queue (e, at) VALUES (${JSON.stringify(e)}, ${at}) RETURNING n`;
    if (this.#size !== undefined) this.#size++;
    return { n: row?.n ?? 0, e, at };
  }

  /** Whether a message with that number in its sender's archive was put before; from now on it was. */
  knows({ from, to }: Envelope, origin: number, at: number): boolean {
    const rows = this.#sql`INSERT OR IGNORE INTO came VALUES (${origin}, ${`${from} ${to}`}, ${at}) RETURNING 1`;
    return rows.length === 0;
  }

  /** Their senders pass them on again after a crash, and not much later. */
  forgetPassed(before: number): void {
    this.#sql`DELETE FROM came WHERE at < ${before}`;
  }

  after(n: number, limit: number): Queued[] {
    return this.#sql<Row>`SELECT * FROM queue WHERE n > ${n} ORDER BY n LIMIT ${limit}`.map(opened);
  }

  /** Those put before `at`, oldest first. */
  before(at: number, limit: number): Queued[] {
    return this.#sql<Row>`SELECT * FROM queue WHERE at < ${at} ORDER BY n LIMIT ${limit}`.map(opened);
  }

  get(n: number): Queued | undefined {
    const [row] = this.#sql<Row>`SELECT * FROM queue WHERE n = ${n}`;
    return row && opened(row);
  }

  remove(numbers: readonly number[]): void {
    this.#sql`DELETE FROM queue WHERE n IN (SELECT value FROM json_each(${JSON.stringify(numbers)}))`;
    this.#size = undefined;
  }

  /** Up to which number a link's stanzas were taken. */
  taken(bridge: string): number {
    return this.#sql<{ n: number }>`SELECT n FROM inbound WHERE bridge = ${bridge}`[0]?.n ?? 0;
  }

  take(bridge: string, n: number, at: number): void {
    this.#sql`INSERT OR REPLACE INTO inbound VALUES (${bridge}, ${n}, ${at})`;
  }

  /** A link that nothing came on for so long begins where it says itself. */
  forgetLinks(before: number): void {
    this.#sql`DELETE FROM inbound WHERE at < ${before}`;
  }
}
