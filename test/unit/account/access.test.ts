/** Who gets in, after what was asked before has changed. */
import { beforeEach, expect, test } from "vitest";
import { disable, revoke } from "../../../src/account/operator.ts";
import { Site } from "../features/fake.ts";

const ROMEO = "romeo@capulet.example";
let site: Site;

const opens = async (password: string) => (await site.logins.judge(ROMEO, { password })).ok;
const admits = async (issued: number) =>
  (await site.logins.judge(ROMEO, { login: { jid: ROMEO, name: "", issued, once: undefined, rooms: [] } })).ok;

beforeEach(async () => {
  site = new Site({ SCRAM_ITERATIONS: "4096" });
  site.logins.setPassword(ROMEO, "rose");
  expect(await opens("rose")).toBe(true);
});

test("a new password is the only one", async () => {
  site.logins.setPassword(ROMEO, "by any other name");
  expect(await opens("rose")).toBe(false);
  expect(await opens("by any other name")).toBe(true);
});

test("a disabled account is closed, to its own resources too, until it is enabled", async () => {
  site.accounts.operate(ROMEO, (account) => disable(account, true));
  expect(await opens("rose")).toBe(false);
  expect(await site.logins.bind(ROMEO, { gate: "weur:0", sid: "s1" })).toMatchObject({ ok: false });
  site.accounts.operate(ROMEO, (account) => disable(account, false));
  expect(await opens("rose")).toBe(true);
});

test("a token of before a revocation is not good", async () => {
  const before = Date.now() - 1000;
  expect(await admits(before)).toBe(true);
  site.accounts.operate(ROMEO, revoke);
  expect(await admits(before)).toBe(false);
});

test("an account that was made again is open by its new password only", async () => {
  site.accounts.operate(ROMEO, (account) => account.remove());
  expect(await opens("rose")).toBe(false);
  site.logins.setPassword(ROMEO, "thorn");
  expect(await opens("rose")).toBe(false);
  expect(await opens("thorn")).toBe(true);
});
