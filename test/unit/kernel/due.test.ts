import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { expect, test } from "vitest";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";

function database(): SqlStorage {
  const database = new DatabaseSync(":memory:");
  const storage: SqlStorage = {
    exec: (query, ...values) => {
      const rows = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(storage, [DUE]);
  return storage;
}

test("what is due at a fraction of a millisecond is due when the platform's alarm comes", () => {
  const set: number[] = [];
  const alarms = new Alarms(sqlOver(database()), (at) => set.push(at));
  alarms.wake("retry", "", 1000.4);
  expect(set).toEqual([1001]);
  expect(alarms.take(Math.trunc(set[0] ?? 0)).map(({ name }) => name)).toEqual(["retry"]);
});

test("who shares an object takes no alarms but its own, and the rest stay due", () => {
  const set: number[] = [];
  const alarms = new Alarms(sqlOver(database()), (at) => set.push(at));
  const names = (of?: string) => alarms.take(1000, of).map(({ name }) => name);
  alarms.wake("account archive", "romeo@capulet.example", 500);
  alarms.wake("expire", "k3v", 900);
  expect(names("account ")).toEqual(["account archive"]);
  expect(set.at(-1)).toBe(900);
  expect(names()).toEqual(["expire"]);
});
