/** What nodes of the pubsub service are told of accounts that they watch. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Sight, Watch } from "../../../src/kernel/post.ts";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "./fake.ts";

let site: Site;
let hamlet: Jid;
let client: Client;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  site = new Site();
  hamlet = site.user("hamlet");
  client = await site.client(hamlet, "elsinore", true);
  site.sights.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

async function watches(what: Watch["what"], ...of: string[]): Promise<Sight[]> {
  site.accounts.inbox.put({ watch: "news", of, what });
  await site.settled();
  return site.sights.splice(0);
}
const rosterItem = (groups = "") =>
  client.asks("set", `<query xmlns="jabber:iq:roster"><item jid="francisco@capulet.example">${groups}</item></query>`);
const rosters = () => site.sights.splice(0).map(({ roster }) => roster);

async function alarm(): Promise<void> {
  vi.setSystemTime(Date.now() + 31_000);
  site.accounts.alarm();
  await site.settled();
}

test("an owner's roster is told when it is asked for, and when it changes", async () => {
  await rosterItem("<group>Guards</group>");
  expect(await watches("roster", String(hamlet))).toEqual([
    { seen: "news", of: String(hamlet), roster: [["francisco@capulet.example", false, ["Guards"]]] },
  ]);
  await site.befriends(hamlet, site.user("horatio"));
  site.evict();
  await rosterItem();
  expect(rosters()).toEqual([[["horatio@capulet.example", true, []]]]);
  // What one request changes is told once; whom the owner blocks is nobody's contact.
  await client.asks("set", `<block xmlns="urn:xmpp:blocking"><item jid="horatio@capulet.example"/></block>`);
  expect(rosters()).toEqual([[]]);
  await alarm();
  expect(rosters()).toEqual([]);
});

test("one that does not matter any more is not told", async () => {
  await watches("roster", String(hamlet));
  await watches("nothing", String(hamlet));
  await rosterItem("<group>Guards</group>");
  expect(rosters()).toEqual([]);
});

test("a node that could not be reached is told again, as things are then", async () => {
  await watches("roster", String(hamlet));
  site.alone = true;
  await rosterItem("<group>Guards</group>");
  await rosterItem("<group>Servants</group>");
  site.evict();
  site.alone = false;
  await alarm();
  expect(rosters()).toEqual([[["francisco@capulet.example", false, ["Servants"]]]]);
  await alarm();
  expect(rosters()).toEqual([]);
});

test("who leaves is told of once: a resource, and the account with its last one", async () => {
  const phone = await site.client(hamlet, "phone", true);
  expect(await watches("leaving", String(hamlet), String(phone.jid))).toEqual([]);
  site.evict();
  await phone.sends(`<presence type="unavailable"/>`);
  expect(site.sights.splice(0)).toEqual([{ seen: "news", of: String(phone.jid) }]);
  site.alone = true;
  await site.leaves(client);
  site.alone = false;
  await alarm();
  expect(site.sights.splice(0)).toEqual([{ seen: "news", of: String(hamlet) }]);
  await alarm();
  expect(site.sights).toEqual([]);
});

test("who is not there is told of at once", async () => {
  expect(await watches("leaving", `${hamlet}/phone`, "nobody@capulet.example")).toEqual([
    { seen: "news", of: `${hamlet}/phone` },
    { seen: "news", of: "nobody@capulet.example" },
  ]);
  expect(await watches("roster", "nobody@capulet.example")).toEqual([
    { seen: "news", of: "nobody@capulet.example", roster: [] },
  ]);
});

test("an account that is deleted has no contacts", async () => {
  await site.befriends(hamlet, site.user("horatio"));
  await watches("roster", String(hamlet));
  site.accounts.operate(String(hamlet), (account) => account.remove());
  await site.settled();
  expect(rosters().at(-1)).toEqual([]);
});
