/** XEP-0012: Last Activity — https://xmpp.org/extensions/xep-0012.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const QUERY = `<query xmlns="jabber:iq:last"/>`;
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

spec("XEP-0012", "4", "0 while somebody is there, afterwards the time since, and the last words", async () => {
  const [balcony, chamber] = [
    await world.login("juliet", { presence: true }),
    await world.login("juliet", { resource: "chamber" }),
  ];
  expect((await chamber.asks("get", QUERY)).getChild("query")?.attrs.seconds).toBe("0");
  await balcony.sends(`<presence type="unavailable"><status>Heading home</status></presence>`);
  await balcony.receives(
    `<presence type="unavailable" from="${balcony.jid}" to="*"><status>Heading home</status></presence>`,
  );
  const last = (await chamber.asks("get", QUERY)).getChild("query");
  expect(last?.attrs.seconds).toMatch(/^\d$/);
  expect(last?.getText()).toBe("Heading home");
});

spec("XEP-0012", "4", "strangers are told nothing, not even that there is somebody", async () => {
  const romeo = await world.login("romeo");
  await world.user("juliet");
  for (const name of ["juliet", "nobody"]) {
    const answer = await romeo.asks("get", QUERY, `${name}@capulet.example`);
    expect(answer.getChild("error")?.getChild("service-unavailable")).toBeDefined();
  }
});
