/** XEP-0077: In-Band Registration, of those who have an account — https://xmpp.org/extensions/xep-0077.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const NS = "jabber:iq:register";
const XEP = "XEP-0077";
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const query = (inner = "") => `<query xmlns="${NS}">${inner}</query>`;

spec(XEP, "3.1", "who is registered is told so", async () => {
  const romeo = await world.login("romeo");
  const registered = (await romeo.asks("get", query(), "capulet.example")).getChild("query", NS);
  expect(registered?.getChild("registered")).toBeDefined();
  expect(registered?.getChildText("username")).toBe("romeo");
});

spec(XEP, "3.3", "a password is changed; the old one no longer serves", async () => {
  const juliet = await world.login("juliet");
  const other = await world.login("juliet", { resource: "other" });
  const change = query("<username>juliet</username><password>a rose by any name</password>");
  expect((await juliet.asks("set", change, "capulet.example")).attrs.type).toBe("result");
  await other.fails("reset");
  const again = await world.connect("juliet");
  await again.login({ password: "a rose by any name", resource: "again", mechanism: "SCRAM-SHA-256" });
  await expect((await world.connect("juliet")).login({ password: "juliet's secret" })).rejects.toThrow();
});

spec(XEP, "3.3", "an empty password changes nothing, and no error repeats what was sent", async () => {
  const romeo = await world.login("romeo");
  const answer = await romeo.asks("set", query("<username>romeo</username><password/>"));
  expect(answer.getChild("error")?.getChild("bad-request")).toBeDefined();
  expect(answer.getChild("query")).toBeUndefined();
  await (await world.connect("romeo")).login({ resource: "still" });
});

spec(XEP, "3.2", "who unregisters is answered, then gone", async () => {
  const tybalt = await world.login("tybalt");
  const answer = await tybalt.asks("set", query("<remove/>"));
  expect(answer.attrs.type).toBe("result");
  await tybalt.fails("not-authorized");
  await expect((await world.connect("tybalt")).login()).rejects.toThrow();
});

spec(XEP, "3.2", "<remove/> stands alone", async () => {
  const romeo = await world.login("romeo");
  const answer = await romeo.asks("set", query("<remove/><username>romeo</username>"));
  expect(answer.getChild("error")?.getChild("bad-request")).toBeDefined();
});
