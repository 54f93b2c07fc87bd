/** Every timeout of an object: rows, over its one platform alarm, which is set to the earliest. */
import type { Sql } from "./sql.ts";

export const DUE = {
  name: "due",
  steps: [
    `CREATE TABLE due (
       name TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,
       PRIMARY KEY (name, entity, key)) WITHOUT ROWID`,
    // Where a gate has accounts beside it, its alarms are told apart from theirs.
    "UPDATE due SET name = 'gate ' || name WHERE name IN ('login', 'expire', 'silent', 'guests', 'bosh')",
  ],
} as const;

export interface Due {
  name: string;
  entity: string;
  key: string;
  at: number;
  data: unknown;
}

export class Alarms {
  readonly #sql: Sql;
  readonly #set: (at: number) => void;
  /** When the platform alarm is set for; unknown (rebuilt by a query) after the object was forgotten. */
  #next: number | undefined;

  constructor(sql: Sql, set: (at: number) => void) {
    this.#sql = sql;
    this.#set = set;
  }

  /** Sets an entity's alarm of that name and key to a time in ms; there is one of each. */
  wake(name: string, entity: string, when: number, data: unknown = null, key = ""): void {
    // The platform drops fractions: its alarm would come just before the row is due, and not again for the same moment.
    const at = Math.ceil(when);
    this.#sql`INSERT OR REPLACE INTO due VALUES (${name}, ${entity}, ${key}, ${at}, ${JSON.stringify(data)})`;
    this.#next ??= this.#earliest();
    if (this.#next === undefined || at <= this.#next) this.#arm(at);
  }

  cancel(name: string, entity: string, key = ""): void {
    this.#sql`DELETE FROM due WHERE name = ${name} AND entity = ${entity} AND key = ${key}`;
  }

  pending(name: string, entity: string, key = ""): boolean {
    return this.#sql`SELECT 1 FROM due WHERE name = ${name} AND entity = ${entity} AND key = ${key}`.length > 0;
  }

  /** What was said with an alarm that is set; undefined when it is not. */
  data<T>(name: string, entity: string, key = ""): T | undefined {
    const [row] = this.#sql<{ data: string }>`SELECT data FROM due
      WHERE name = ${name} AND entity = ${entity} AND key = ${key}`;
    return row && JSON.parse(row.data);
  }

  /**
   * Takes what is due out of the table and sets the platform alarm to what comes next. `of`: only names that begin so, where
   * others share the object.
   */
  take(now: number, of = ""): Due[] {
    const rows = this.#sql<Omit<Due, "data"> & { data: string }>`SELECT * FROM due
      WHERE at <= ${now} AND substr(name, 1, ${of.length}) = ${of} ORDER BY at`;
    this.#sql`DELETE FROM due WHERE at <= ${now} AND substr(name, 1, ${of.length}) = ${of}`;
    this.rearm();
    return rows.map((row) => ({ ...row, data: JSON.parse(row.data) }));
  }

  rearm(): void {
    this.#next = undefined;
    const next = this.#earliest();
    if (next !== undefined) this.#arm(next);
  }

  #arm(at: number): void {
    this.#next = at;
    this.#set(at);
  }

  #earliest(): number | undefined {
    return this.#sql<{ at: number | null }>`SELECT min(at) AS at FROM due`[0]?.at ?? undefined;
  }
}
