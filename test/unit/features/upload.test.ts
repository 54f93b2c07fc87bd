import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { migrate, type SqlStorage } from "../../../src/kernel/sql.ts";
import { Abandoned, GIVEN } from "../../../src/upload/given.ts";
import { SLOT_MS } from "../../../src/upload/slot.ts";
import { type Client, condition, Site } from "./fake.ts";

const NS = "urn:xmpp:http:upload:0";
const DAY_MS = 86_400_000;
const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 20_000 * DAY_MS + 5 });
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

const site = () => new Site({ LIMITS: "on", UPLOAD_DAY_BYTES: String(100 * KIB), UPLOAD_DAYS: "3" });
const rows = ({ object: { sql } }: Site) => sql<{ owner: number; file: string }>`SELECT owner, file FROM given`;

async function ask(client: Client, size: number, before?: number) {
  const purpose =
    before === undefined
      ? ""
      : `<ephemeral xmlns="urn:xmpp:http:upload:purpose:0" expire-before="${new Date(before).toISOString()}"/>`;
  const answer = await client.asks(
    "get",
    `<request xmlns="${NS}" filename="a" size="${size}">${purpose}</request>`,
    "upload.capulet.example",
  );
  const error = answer.getChild("error");
  const slot = answer.getChild("slot", NS);
  return {
    file: slot?.getChild("get")?.attrs.url?.split("/").at(-2) ?? "",
    refused: condition(answer),
    retry: Date.parse(error?.getChild("retry", NS)?.attrs.stamp ?? ""),
  };
}

test("the bytes of the last 24 hours count, and who is refused is told when there are enough again", async () => {
  const here = site();
  const juliet = await here.client(here.user("juliet"), "balcony");
  const start = Date.now();
  for (const size of [50, 45]) {
    expect((await ask(juliet, size * KIB)).refused).toBeUndefined();
    later(1000);
  }
  expect(await ask(juliet, 40 * KIB)).toMatchObject({ refused: "resource-constraint", retry: start + DAY_MS });
  expect(await ask(juliet, 90 * KIB)).toMatchObject({ refused: "resource-constraint", retry: start + 1000 + DAY_MS });
  vi.setSystemTime(start + DAY_MS - 1);
  expect((await ask(juliet, 40 * KIB)).refused).toBe("resource-constraint");
  later(1);
  expect((await ask(juliet, 40 * KIB)).refused).toBeUndefined();
  later(2 * DAY_MS);
  expect(await ask(juliet, 101 * KIB)).toMatchObject({ refused: "resource-constraint", retry: Date.now() + DAY_MS });
});

test("a small file counts as what it takes on a disk", async () => {
  const here = site();
  const juliet = await here.client(here.user("juliet"), "balcony");
  const refused = [];
  for (let i = 0; i < 6; i++) refused.push((await ask(juliet, 1)).refused);
  expect(refused).toEqual([...Array(5).fill(undefined), "resource-constraint"]);
});

test("a slot is a row, until its file is gone and out of the day's count", async () => {
  const here = site();
  const juliet = await here.client(here.user("juliet"), "balcony");
  const first = await ask(juliet, 1, Date.now() + 1000);
  later(2 * DAY_MS);
  const second = await ask(juliet, 1);
  expect(rows(here).map(({ file }) => file)).toEqual([first.file, second.file]);
  later(DAY_MS);
  const third = await ask(juliet, 1);
  expect(rows(here).map(({ file }) => file)).toEqual([second.file, third.file]);
});

test("files that were promised for longer are known for longer than the setting says now", async () => {
  const here = site();
  const { owner, file } = { owner: here.account(here.user("romeo")).id, file: "kept" };
  here.object.sql`INSERT INTO given VALUES (${owner}, ${Date.now() - 5 * DAY_MS}, ${file}, 1, ${Date.now() + DAY_MS})`;
  await ask(await here.client("romeo@capulet.example", "orchard"), 1);
  expect(rows(here)).toHaveLength(2);
});

test("a table of before is replaced", () => {
  const done: string[] = [];
  const storage: SqlStorage = {
    exec: (query) => {
      done.push(query);
      return { toArray: () => (query.startsWith("SELECT name") ? [{ name: "uploaded", steps: 1 }] : []) };
    },
  };
  migrate(storage, [GIVEN]);
  expect(done.filter((query) => /^(?:CREATE|DROP) TABLE (?:uploaded|given)/.test(query))).toEqual(GIVEN.steps.slice(1));
});

/** A site whose files do as they are told, those that are not deaf. */
async function family() {
  const here = site();
  const told: [file: string, until: number][] = [];
  const deaf = new Set<string>();
  const abandoned = () =>
    new Abandoned(here.object, async (file, until) => {
      told.push([file, until]);
      if (deaf.has(file)) throw new Error("deaf");
    });
  const juliet = await here.client(here.user("juliet"), "balcony");
  const romeo = await here.client(here.user("romeo"), "orchard");
  const files: string[] = [];
  for (let i = 0; i < 2; i++) files.push((await ask(juliet, 1)).file);
  const kept = (await ask(romeo, 1)).file;
  const remove = () => here.accounts.operate(String(juliet.jid.bare), (account) => account.remove());
  return { here, told, deaf, abandoned, juliet, files, kept, remove };
}

const failed = ({ failures }: Site) => failures.splice(0).map((error) => (error as Error).message);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the files of an account that is removed are told, once each and nobody else's", async () => {
  const { here, told, abandoned, files, kept, remove } = await family();
  const given = Date.now();
  abandoned().alarm();
  expect(told).toEqual([]);
  later(1000);
  remove();
  const host = abandoned();
  host.alarm();
  await turn();
  expect(new Map(told)).toEqual(new Map(files.map((file) => [file, given + 2 * SLOT_MS])));
  expect(rows(here).map(({ file }) => file)).toEqual([kept]);
  later(DAY_MS);
  host.alarm();
  await turn();
  expect(told).toHaveLength(2);
});

test("a file that does not hear it is told again, later each time, by an object that remembers nothing", async () => {
  const { here, told, deaf, abandoned, files, kept, remove } = await family();
  const [file = ""] = files;
  deaf.add(file);
  remove();
  abandoned().alarm();
  await turn();
  expect(failed(here)).toEqual(["deaf"]);
  for (const wait of [2_000, 4_000, 8_000]) {
    const before = told.length;
    later(wait - 1);
    abandoned().alarm();
    await turn();
    expect(told).toHaveLength(before);
    later(1);
    abandoned().alarm();
    await turn();
    expect(told.slice(before).map(([name]) => name)).toEqual([file]);
    expect(failed(here)).toEqual(["deaf"]);
  }
  expect(told.filter(([name]) => name !== file)).toHaveLength(1);
  deaf.clear();
  later(16_000);
  abandoned().alarm();
  await turn();
  expect(rows(here).map(({ file }) => file)).toEqual([kept]);
});

test("what was told in the air when the object died is told again", async () => {
  const { here, told, abandoned, remove } = await family();
  remove();
  new Abandoned(here.object, () => new Promise(() => {})).alarm();
  later(2_000);
  abandoned().alarm();
  await turn();
  expect(told).toHaveLength(2);
});

test("many files are told in turns, and a new account of the same address has none of them", async () => {
  const { here, told, abandoned, juliet, remove } = await family();
  const { sql } = here.object;
  const { id } = here.account(juliet.jid.bare);
  for (let i = 0; i < 120; i++)
    sql`INSERT INTO given VALUES (${id}, ${Date.now()}, ${`f${i}`}, 1, ${Date.now() + DAY_MS})`;
  remove();
  here.user("juliet");
  const file = (await ask(await here.client(juliet.jid.bare, "again"), 1)).file;
  const host = abandoned();
  const turns: number[] = [];
  for (let before = 0; turns.at(-1) !== 0; before = told.length) {
    host.alarm();
    await turn();
    turns.push(told.length - before);
  }
  expect(turns).toEqual([50, 50, 22, 0]);
  expect(rows(here).map(({ file }) => file)).toContain(file);
});

test("files that have gone by themselves are not looked for", async () => {
  const { here, told, abandoned, kept, remove } = await family();
  remove();
  later(3 * DAY_MS);
  abandoned().alarm();
  await turn();
  expect(told).toEqual([]);
  expect(rows(here).map(({ file }) => file)).toEqual([kept]);
});
