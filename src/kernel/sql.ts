/** The port to an object's SQLite database, and its migrations. */
import type { Table } from "./feature.ts";

export type SqlValue = string | number | null | ArrayBuffer;
export type Row = Record<string, SqlValue>;

/** sql`SELECT … WHERE owner = ${id}`: every value is a bound parameter. */
export type Sql = <R extends object = Row>(query: TemplateStringsArray, ...values: SqlValue[]) => R[];

/** What `ctx.storage.sql` offers of it. */
export interface SqlStorage {
  exec(query: string, ...values: SqlValue[]): { toArray(): unknown[] };
}

/** A template's text is joined once: the same text also finds the runtime's prepared statement. */
const texts = new WeakMap<TemplateStringsArray, string>();

export function sqlOver(storage: SqlStorage): Sql {
  return <R>(query: TemplateStringsArray, ...values: SqlValue[]) => {
    let text = texts.get(query);
    if (text === undefined) {
      text = query.join("?");
      texts.set(query, text);
    }
    return storage.exec(text, ...values).toArray() as R[];
  };
}

/** Brings every table up to date. Steps are append-only; how many were done is a row per table. */
export function migrate(storage: SqlStorage, tables: readonly Table[]): void {
  const sql = sqlOver(storage);
  sql`CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, steps INTEGER NOT NULL) WITHOUT ROWID`;
  const done = new Map(
    sql<{ name: string; steps: number }>`SELECT name, steps FROM migration`.map((r) => [r.name, r.steps]),
  );
  for (const { name, steps } of tables) {
    const from = done.get(name) ?? 0;
    if (from >= steps.length) continue;
    for (const step of steps.slice(from)) storage.exec(step);
    sql`INSERT OR REPLACE INTO migration VALUES (${name}, ${steps.length})`;
  }
}
