/** XEP-0092: Software Version — https://xmpp.org/extensions/xep-0092.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

spec("XEP-0092", "3", "name and version, and nothing about what they run on", async () => {
  const romeo = await world.login("romeo");
  const query = (await romeo.asks("get", `<query xmlns="jabber:iq:version"/>`, "capulet.example")).getChild("query");
  expect(query?.getChildText("name")).toBe("Enjamb");
  expect(query?.getChildText("version")).not.toBe("");
  expect(query?.getChild("os")).toBeUndefined();
});
