/** XEP-0202: Entity Time — https://xmpp.org/extensions/xep-0202.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

spec("XEP-0202", "3", "the server's time in UTC and its zone", async () => {
  const romeo = await world.login("romeo");
  const time = (await romeo.asks("get", `<time xmlns="urn:xmpp:time"/>`, "capulet.example")).getChild("time");
  const utc = time?.getChildText("utc") ?? "";
  expect(utc).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  expect(Math.abs(Date.parse(utc) - Date.now())).toBeLessThan(60_000);
  expect(time?.getChildText("tzo")).toMatch(/^(Z|[+-]\d\d:\d\d)$/);
});
