/** Custody: what a sender's account has taken is passed on, whatever becomes of its object's memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "./fake.ts";

let site: Site;
let romeo: Jid;
let client: Client;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // Each account has an object of its own, so Juliet's is elsewhere.
  site = new Site({ PLACEMENT: "each" });
  romeo = site.user("romeo");
  client = await site.client(romeo, "orchard");
  site.sent();
});
afterEach(() => {
  vi.useRealTimers();
});

const writes = (body: string) =>
  client.sends(`<message to="juliet@capulet.example" type="chat" id="${body}"><body>${body}</body></message>`);
const passed = () => site.sent().map((text) => / id="([^"]*)"/.exec(text)?.[1]);

async function alarm(): Promise<void> {
  vi.setSystemTime(Date.now() + 11_000);
  site.accounts.alarm();
  await site.settled();
}

test("a message is passed on once", async () => {
  await writes("1");
  expect(passed()).toEqual(["1"]);
  await alarm();
  await alarm();
  expect(passed()).toEqual([]);
});

test("after the object was forgotten in the middle of a burst, what may not have arrived is passed on first", async () => {
  await writes("1");
  await writes("2");
  passed();
  site.evict();
  await writes("3");
  expect(passed()).toEqual(["1", "2", "3"]);
});

test("so it is when nothing happens but the alarm", async () => {
  await writes("1");
  passed();
  site.evict();
  await alarm();
  expect(passed()).toEqual(["1"]);
});

test("what has arrived is not passed on again after the burst", async () => {
  await writes("1");
  await alarm();
  passed();
  site.evict();
  await writes("2");
  expect(passed()).toEqual(["2"]);
});

test("a burst of more than a page is passed on whole", async () => {
  const all = Array.from({ length: 1100 }, (_, i) => String(i));
  for (const body of all) await writes(body);
  passed();
  site.evict();
  await writes("last");
  expect(passed()).toEqual([...all, "last"]);
});
