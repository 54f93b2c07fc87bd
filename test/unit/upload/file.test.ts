import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { migrate, sqlOver } from "../../../src/kernel/sql.ts";
import { FILE, fileHeaders, PIECE, readRange, StoredFile } from "../../../src/upload/file.ts";
import type { Slot } from "../../../src/upload/slot.ts";

function stored(database = new DatabaseSync(":memory:")): StoredFile {
  const storage = {
    exec: (query: string, ...values: unknown[]) => {
      const given = values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
      const rows = database.prepare(query).all(...(given as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  return new StoredFile(sqlOver(storage), () => migrate(storage, [FILE]));
}

const slot = (size: number): Slot => ({ id: "id", name: "a.bin", size, type: "", until: 0, expires: 7 });
const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);

async function* chunks(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < body.length; from += size) yield body.subarray(from, from + size);
}

const whole = (file: StoredFile, first: number, last: number) => Buffer.concat([...file.read({ first, last })]);

describe("a stored file", () => {
  test.each([1, 1000, PIECE - 1, PIECE, PIECE + 1])("comes back as it was put, in chunks of %i bytes", async (size) => {
    const file = stored();
    const body = bytes(2 * PIECE + 5);
    const short = size === 1 ? body.subarray(0, 5000) : body;
    expect(await file.put(slot(short.length), "a/b", chunks(short, size))).toBe(true);
    expect(file.facts).toEqual({ name: "a.bin", type: "a/b", size: short.length, expires: 7 });
    expect(Buffer.compare(whole(file, 0, short.length - 1), short)).toBe(0);
  });

  test("gives any part of itself", async () => {
    const file = stored();
    const body = bytes(2 * PIECE + 5);
    await file.put(slot(body.length), "", chunks(body, 65_536));
    for (const [first, last] of [
      [0, 0],
      [PIECE - 1, PIECE],
      [PIECE, 2 * PIECE + 4],
      [2 * PIECE + 4, 2 * PIECE + 4],
    ] as const)
      expect(Buffer.compare(whole(file, first, last), body.subarray(first, last + 1))).toBe(0);
  });

  test("makes no table before it is put", () => {
    const database = new DatabaseSync(":memory:");
    expect(stored(database).facts).toBeUndefined();
    expect(database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
  });

  test("keeps nothing of what is too long or too short", async () => {
    const file = stored();
    expect(await file.put(slot(10), "", chunks(bytes(11), 4))).toBe(false);
    expect(file.facts).toBeUndefined();
    expect(await file.put(slot(10), "", chunks(bytes(9), 4))).toBe(false);
    expect(file.facts).toBeUndefined();
    expect([...file.read({ first: 0, last: 9 })]).toEqual([]);
  });

  test("is gone when it was forgotten, and cannot be put", async () => {
    const file = stored();
    await file.put(slot(10), "", chunks(bytes(10), 4));
    file.forget(9);
    expect(file.facts).toEqual({ name: "", type: "", size: 0, expires: 9 });
    expect([...file.read({ first: 0, last: 9 })]).toEqual([]);
    expect(await file.put(slot(10), "", chunks(bytes(10), 4))).toBe(false);
    expect([...file.read({ first: 0, last: 9 })]).toEqual([]);
  });

  test("is not there when it was forgotten while it was being put", async () => {
    const file = stored();
    async function* interrupted() {
      yield bytes(PIECE);
      file.forget(9);
      yield bytes(PIECE);
    }
    expect(await file.put(slot(2 * PIECE), "", interrupted())).toBe(false);
    expect(file.facts).toMatchObject({ name: "", size: 0 });
    expect([...file.read({ first: 0, last: 2 * PIECE - 1 })]).toEqual([]);
  });
});

test.each([
  [null, undefined],
  ["bytes=0-9", { first: 0, last: 9 }],
  ["bytes=90-", { first: 90, last: 99 }],
  ["bytes=-10", { first: 90, last: 99 }],
  ["bytes=-1000", { first: 0, last: 99 }],
  ["bytes=50-1000", { first: 50, last: 99 }],
  ["bytes=100-", "none"],
  ["bytes=9-5", "none"],
  ["bytes=-0", "none"],
  ["bytes=-", undefined],
  ["bytes=0-1,5-6", undefined],
  ["lines=0-1", undefined],
])("the range %s of 100 bytes", (header, range) => {
  expect(readRange(header, 100)).toEqual(range);
});

test.each([
  ["image/png", "inline"],
  ["video/mp4", "inline"],
  ["text/plain; charset=utf-8", "inline"],
  ["image/svg+xml", "attachment"],
  ["text/html", "attachment"],
  ["application/pdf", "attachment"],
])("%s is for %s", (type, disposition) => {
  const headers = fileHeaders({ name: "it's é", type, size: 1, expires: 5000 }, "id", 0);
  expect(headers["content-disposition"]).toBe(`${disposition}; filename*=UTF-8''it%27s%20%C3%A9`);
  expect(headers["cache-control"]).toBe("public, max-age=5, immutable");
});
