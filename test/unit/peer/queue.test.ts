import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { expect, test } from "vitest";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { QUEUE, Queue } from "../../../src/peer/queue.ts";
import type { Envelope } from "../../../src/protocol/stanza.ts";

function storage(): SqlStorage {
  const database = new DatabaseSync(":memory:");
  return {
    exec(query, ...values) {
      const rows = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
}

const stanza = (from: string) => ({ from, to: "juliet@montague.example" }) as Envelope;

test("what has come is known by its number and its pair, for as long as it is kept", () => {
  const store = storage();
  migrate(store, [QUEUE]);
  const queue = new Queue(sqlOver(store));
  expect(queue.knows(stanza("romeo"), 1, 100)).toBe(false);
  expect(queue.knows(stanza("nurse"), 1, 200)).toBe(false);
  expect(queue.knows(stanza("romeo"), 2, 300)).toBe(false);
  expect(queue.knows(stanza("romeo"), 1, 400)).toBe(true);
  queue.forgetPassed(200);
  expect(queue.knows(stanza("nurse"), 1, 500)).toBe(true);
  expect(queue.knows(stanza("romeo"), 1, 500)).toBe(false);
});

test("an older version's rows are of use", () => {
  const store = storage();
  migrate(store, [{ name: QUEUE.name, steps: QUEUE.steps.slice(0, 3) }]);
  store.exec("INSERT INTO passed VALUES ('romeo juliet@montague.example', 7, 100)");
  migrate(store, [QUEUE]);
  expect(new Queue(sqlOver(store)).knows(stanza("romeo"), 7, 200)).toBe(true);
});

test("of what waits, what has arrived is taken out", () => {
  const store = storage();
  migrate(store, [QUEUE]);
  const queue = new Queue(sqlOver(store));
  const numbers = [1, 2, 3, 4].map((at) => queue.put(stanza("romeo"), at).n);
  queue.remove([numbers[0]!, numbers[2]!, 99]);
  expect(queue.after(0, 10).map(({ n }) => n)).toEqual([numbers[1], numbers[3]]);
  expect(queue.size).toBe(2);
  queue.remove([]);
  expect(queue.size).toBe(2);
});
