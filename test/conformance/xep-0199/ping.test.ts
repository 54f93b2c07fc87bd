/** XEP-0199: XMPP Ping — https://xmpp.org/extensions/xep-0199.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const PING = `<ping xmlns="urn:xmpp:ping"/>`;
let world: World;
let romeo: Actor;
beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo");
});
afterAll(() => world.dispose());

spec("XEP-0199", "4.2", "a client pings its server", async () => {
  const answer = await romeo.asks("get", PING, "capulet.example");
  expect(answer.attrs).toMatchObject({ type: "result", from: "capulet.example", to: romeo.jid });
  expect(answer.getChildElements()).toEqual([]);
});

spec("XEP-0199", "4.2", "also without an address, and by its own", async () => {
  for (const to of [undefined, romeo.bare]) expect((await romeo.asks("get", PING, to)).attrs.type).toBe("result");
});

spec("XEP-0199", "5", "a stranger's ping does not tell an account from nobody", async () => {
  await world.user("juliet");
  for (const name of ["juliet", "nobody"]) {
    const answer = await romeo.asks("get", PING, `${name}@capulet.example`);
    expect(answer.getChild("error")?.getChild("service-unavailable")).toBeDefined();
  }
});
