/** An account's tokens over time (XEP-0484 §3.5). */
import { createHmac } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TOKEN, Tokens } from "../../../src/account/tokens.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";

const MECHANISM = "HT-SHA-256-NONE";
const DAY = 86_400_000;
let tokens: Tokens;
let writes: number;

beforeEach(() => {
  vi.useFakeTimers();
  const db = new DatabaseSync(":memory:");
  const storage: SqlStorage = {
    exec: (query, ...values) => {
      if (query.startsWith("INSERT OR REPLACE INTO token")) writes++;
      const rows = db.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(storage, [TOKEN]);
  tokens = new Tokens(sqlOver(storage), 1);
  writes = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

function judge(secret: string, invalidate = false) {
  const hash = createHmac("sha256", secret).update("Initiator").digest("base64");
  return tokens.judge("phone", { mechanism: MECHANISM, hash, binding: "" }, { count: undefined, invalidate });
}

test("one that is used in the second half of its life is to be replaced, unless its client wants no more of it", () => {
  const { secret, expires } = tokens.issue("phone", MECHANISM);
  const half = (expires - Date.now()) / 2;
  vi.setSystemTime(Date.now() + half - DAY);
  expect(judge(secret)).toMatchObject({ ok: true, due: false });
  vi.setSystemTime(Date.now() + 2 * DAY);
  expect(judge(secret)).toMatchObject({ ok: true, due: true });
  expect(judge(secret, true)).toMatchObject({ ok: true, due: false });
  expect(judge(secret)).toMatchObject({ ok: false });
});

test("using one again and again writes no rows", () => {
  const { secret } = tokens.issue("phone", MECHANISM);
  judge(secret);
  const before = writes;
  for (let i = 0; i < 5; i++) judge(secret);
  expect(writes).toBe(before);
});
