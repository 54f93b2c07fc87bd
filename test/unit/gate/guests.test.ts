/** Guests' tokens over time: when they are replaced, when they are forgotten, and how many there may be. */
import { createHmac } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GUEST, GUEST_STREAM, GUEST_TOKEN_MS, Guests } from "../../../src/gate/guests.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import type { Post } from "../../../src/kernel/post.ts";
import { migrate, type Sql, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";

const MECHANISM = "HT-SHA-256-NONE";
const HOUR = 3_600_000;
const jidOf = (n: number) => `local-0.${String(n).padStart(26, "a")}@guest.capulet.example`;
let sql: Sql;
let alarms: Alarms;
let guests: Guests;
let lost: string[];

beforeEach(() => {
  vi.useFakeTimers();
  const db = new DatabaseSync(":memory:");
  const storage: SqlStorage = {
    exec: (query, ...values) => {
      const rows = db.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(storage, [DUE, GUEST, GUEST_STREAM]);
  sql = sqlOver(storage);
  alarms = new Alarms(sql, () => {});
  lost = [];
  const missing = async (_: string, sids: string[]) => sids.filter((sid) => lost.includes(sid));
  const post = { drained: async () => {} } as unknown as Post;
  guests = new Guests({ gate: "local:0", sql, alarms, post, stream: () => undefined, missing });
});
afterEach(() => {
  vi.useRealTimers();
});

const count = (table: "guest" | "guest_stream") =>
  (table === "guest" ? sql`SELECT 1 FROM guest` : sql`SELECT 1 FROM guest_stream`).length;
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
const issue = async (n: number, address = "a") => (await guests.issue(jidOf(n), "client", MECHANISM, address)).secret;
function judge(n: number, secret: string) {
  const hash = createHmac("sha256", secret).update("Initiator").digest("base64");
  const fast = { count: undefined, invalidate: false };
  return guests.judge(jidOf(n), { client: "client", proof: { mechanism: MECHANISM, hash, binding: "" }, fast });
}

test("a token is replaced in the second half of its life, and the old one is good until the new one is used", async () => {
  const first = await issue(1);
  later(GUEST_TOKEN_MS / 2 - 1);
  expect(await judge(1, first)).toMatchObject({ ok: true, due: false });
  later(2);
  expect(await judge(1, first)).toMatchObject({ ok: true, due: true });
  const second = await issue(1);
  expect(await judge(1, first)).toMatchObject({ ok: true });
  expect(await judge(1, second)).toMatchObject({ ok: true, due: false });
  expect(await judge(1, first)).toMatchObject({ ok: false, condition: "credentials-expired" });
  later(GUEST_TOKEN_MS);
  expect(await judge(1, second)).toMatchObject({ ok: false, condition: "credentials-expired" });
});

test("who does not come back is forgotten by a sweep, and the last sweep is followed by none", async () => {
  await issue(1);
  later(HOUR);
  await issue(2);
  expect(alarms.take(Date.now()).map(({ name }) => name)).toEqual(["gate guests"]);
  await guests.sweep();
  expect([count("guest"), alarms.pending("gate guests", "")]).toEqual([2, true]);
  later(GUEST_TOKEN_MS - HOUR);
  alarms.take(Date.now());
  await guests.sweep();
  expect([count("guest"), alarms.pending("gate guests", "")]).toEqual([1, true]);
  later(HOUR);
  alarms.take(Date.now());
  await guests.sweep();
  expect([count("guest"), alarms.pending("gate guests", "")]).toEqual([0, false]);
});

test("one address keeps a hundred guests, the last that came, and takes no place from others", async () => {
  await issue(1000, "elsewhere");
  const tokens: string[] = [];
  for (let n = 0; n < 103; n++) {
    later(1);
    tokens.push(await issue(n));
  }
  await guests.sweep();
  expect(count("guest")).toBe(101);
  expect(await judge(2, tokens[2] ?? "")).toMatchObject({ ok: false });
  expect(await judge(3, tokens[3] ?? "")).toMatchObject({ ok: true });
});

test("a guest has ten streams at most, each with a resource of its own; those that a crash took do not count", async () => {
  const bind = (sid: string, resource = "tab") => guests.bind(jidOf(1), { gate: "local:1", sid, resource });
  expect(await bind("s0")).toEqual({ ok: true, resource: "tab" });
  const second = await bind("s1");
  expect(second).toMatchObject({ ok: true });
  expect(second).not.toEqual({ ok: true, resource: "tab" });
  for (let n = 2; n < 10; n++) await bind(`s${n}`);
  expect(await bind("s10")).toMatchObject({ ok: false, condition: "resource-constraint" });
  guests.ended(jidOf(1), "s1");
  lost.push("s0");
  expect(await bind("s10")).toEqual({ ok: true, resource: "tab" });
  lost.push("s2", "s3");
  await guests.sweep();
  expect(count("guest_stream")).toBe(7);
});

test("a stream that has gone to another gate is known to be there, and to be home again", async () => {
  await guests.bind(jidOf(1), { gate: "local:1", sid: "s1", resource: "tab" });
  expect(await guests.resume(jidOf(1), "s1", "local:2")).toBe("local:1");
  expect(await guests.resume(jidOf(1), "s1", "local:3")).toBe("local:2");
  expect(await guests.resume(jidOf(1), "s2", "local:3")).toBeUndefined();
  expect(await guests.resume(jidOf(2), "s1", "local:3")).toBeUndefined();
});
