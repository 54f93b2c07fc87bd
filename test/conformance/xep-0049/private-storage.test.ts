/** XEP-0049: Private XML Storage — https://xmpp.org/extensions/xep-0049.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const NS = "jabber:iq:private";
let world: World;
let romeo: Actor;
beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo");
});
afterAll(() => world.dispose());

const query = (inner: string) => `<query xmlns="${NS}">${inner}</query>`;

spec("XEP-0049", "2.3", "what was stored comes back, what was not comes back empty", async () => {
  await romeo.asks("set", query(`<prefs xmlns="urn:x:prefs"><nick>R</nick></prefs>`));
  const stored = await romeo.asks("get", query(`<prefs xmlns="urn:x:prefs"/>`));
  expect(stored.getChild("query", NS)?.getChild("prefs", "urn:x:prefs")?.getChildText("nick")).toBe("R");
  const absent = await romeo.asks("get", query(`<prefs xmlns="urn:x:other"/>`));
  expect(absent.getChild("query", NS)?.getChild("prefs", "urn:x:other")?.getChildElements()).toEqual([]);
});

spec("XEP-0049", "2.3", "nothing to store is not acceptable, nothing to get is a bad request", async () => {
  expect((await romeo.asks("set", query(""))).getChild("error")?.getChild("not-acceptable")).toBeDefined();
  expect((await romeo.asks("get", query(""))).getChild("error")?.getChild("bad-request")).toBeDefined();
});

spec("XEP-0049", "2.3", "it is nobody else's", async () => {
  await world.user("juliet");
  const answer = await romeo.asks("get", query(`<prefs xmlns="urn:x:prefs"/>`), "juliet@capulet.example");
  expect(answer.attrs.type).toBe("error");
});
