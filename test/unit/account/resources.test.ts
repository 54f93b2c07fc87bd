/** When a resource has its row: once on its client's way to the first presence, and soon in any case. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "../features/fake.ts";

const ROSTER = `<query xmlns="jabber:iq:roster"/>`;
const CARBONS = `<enable xmlns="urn:xmpp:carbons:2"/>`;
let site: Site;
let romeo: Jid;
let orchard: Client;

const rows = () => site.object.sql<{ state: string }>`SELECT state FROM resource`.map(({ state }) => JSON.parse(state));

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  site = new Site();
  romeo = site.user("romeo");
  orchard = await site.client(romeo, "orchard");
});
afterEach(() => {
  vi.useRealTimers();
});

test("all that leads to the first presence is one row", async () => {
  await orchard.asks("get", ROSTER);
  await orchard.asks("set", CARBONS);
  expect(rows()).toEqual([]);
  await orchard.sends("<presence/>");
  expect(rows()).toMatchObject([{ roster: true, carbons: true, presence: { kind: "presence" } }]);
});

test("who shows himself to one only has to be in a row, too (RFC 6121 §4.6)", async () => {
  await orchard.sends(`<presence to="juliet@verona.example"/>`);
  expect(rows()).toMatchObject([{ directed: ["juliet@verona.example"] }]);
});

test("a client that stays silent has its row soon, and then at every change", async () => {
  vi.runAllTimers();
  expect(rows()).toHaveLength(1);
  await orchard.asks("set", CARBONS);
  expect(rows()).toMatchObject([{ carbons: true }]);
});

test("one that leaves before it has a row leaves none", async () => {
  await site.leaves(orchard);
  vi.runAllTimers();
  expect(rows()).toEqual([]);
});

test("the second of an account waits as the first did", async () => {
  await orchard.sends("<presence/>");
  await site.client(romeo, "balcony");
  expect(rows()).toHaveLength(1);
  vi.runAllTimers();
  expect(rows()).toHaveLength(2);
});

test("who was bound just before the object died is told to start over", async () => {
  site.dies();
  await orchard.sends(`<message to="juliet@capulet.example"><body>Art thou not Romeo?</body></message>`);
  expect(orchard.end).toBe("reset");
});

test("its account is not forgotten for others before it has its row", async () => {
  for (let n = 0; n < 20_001; n++) site.accounts.inbox.event(() => site.account(`user${n}@capulet.example`));
  await orchard.asks("set", CARBONS);
  expect(orchard.end).toBeUndefined();
});
