/** What an account has stored for its clients reaches their gate, whatever becomes of its object's memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "./fake.ts";

const CARBONS = `<enable xmlns="urn:xmpp:carbons:2"/>`;

let site: Site;
let juliet: Jid;
let balcony: Client;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  site = new Site({ LIMITS: "off" });
  juliet = site.user("juliet");
  balcony = await site.client(juliet, "balcony", true);
});
afterEach(() => {
  vi.useRealTimers();
});

const arrives = (body: string, to = String(juliet)) =>
  site.arrives(
    `<message from="romeo@montague.example/orchard" to="${to}" type="chat" id="${body}"><body>${body}</body></message>`,
  );

/** The object dies when it has stored what happens meanwhile, before anybody hears of it. */
async function dies(meanwhile: () => Promise<unknown>): Promise<void> {
  site.dying = true;
  await meanwhile();
  site.dying = false;
  site.evict();
}

async function alarm(): Promise<void> {
  vi.setSystemTime(Date.now() + 11_000);
  site.accounts.alarm();
  await site.settled();
}

const reads = (client: Client) =>
  client
    .takes()
    .map((el) => el.attrs.id ?? el.getChildElements()[0]?.getChild("forwarded")?.getChild("message")?.attrs.id);

test("what a gate has not heard of is delivered before what comes next", async () => {
  await arrives("1");
  await dies(() => arrives("2"));
  await arrives("3");
  expect(reads(balcony)).toEqual(["1", "2", "3"]);
});

test("so it is when nothing happens but the alarm, and then no more", async () => {
  await dies(() => arrives("1"));
  await alarm();
  expect(reads(balcony)).toEqual(["1"]);
  await alarm();
  site.evict();
  await arrives("2");
  expect(reads(balcony)).toEqual(["2"]);
});

test("a burst of more than a page is delivered whole", async () => {
  const all = Array.from({ length: 250 }, (_, i) => String(i));
  await dies(async () => {
    for (const body of all) await arrives(body);
  });
  await arrives("last");
  expect(reads(balcony)).toEqual([...all, "last"]);
});

test("it goes where it went: to the resource it names, a copy to those with carbons, nothing to who came later", async () => {
  const nurse = await site.client(juliet, "nurse", true);
  await nurse.asks("set", CARBONS);
  const chamber = await site.client(juliet, "chamber", true);
  for (const client of [balcony, nurse, chamber]) client.takes();
  await dies(async () => {
    await arrives("1", String(balcony.jid));
    await site.settled();
  });
  const late = await site.client(juliet, "tomb", true);
  await alarm();
  const messages = (client: Client) => client.takes().filter(({ name }) => name === "message");
  expect(messages(balcony).map(({ attrs }) => attrs.id)).toEqual(["1"]);
  expect(messages(nurse).map((el) => el.getChildElements()[0]?.name)).toEqual(["received"]);
  expect(messages(chamber)).toEqual([]);
  expect(messages(late)).toEqual([]);
});

test("offline mail that a client was to be handed is handed to it all the same", async () => {
  await site.leaves(balcony);
  for (const body of ["1", "2"]) await arrives(body);
  await alarm();
  const back = await site.client(juliet, "balcony");
  await dies(() => back.sends("<presence/>"));
  await arrives("3");
  expect(reads(back).filter(Boolean)).toEqual(["1", "2", "3"]);
});

test("so is the first page of a long mail, and the rest when it is acknowledged", async () => {
  await site.leaves(balcony);
  const all = Array.from({ length: 150 }, (_, i) => String(i));
  for (const body of all) await arrives(body);
  await alarm();
  const back = await site.client(juliet, "balcony");
  await dies(() => back.sends("<presence/>"));
  await arrives("last");
  expect(reads(back).filter(Boolean)).toEqual(all.slice(0, 100));
  const acked = site.account(juliet).resources.get("balcony")?.state.behind ?? 0;
  site.accounts.inbox.put({ of: String(juliet), sid: back.sid, acked });
  await site.settled();
  expect(reads(back)).toEqual([...all.slice(100), "last"]);
});
