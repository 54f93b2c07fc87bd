/** XEP-0060 at its host: what a client sees of it over the wire. Every error of §6 to §8 is in test/unit/pubsub. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { conditions, form } from "../../unit/pubsub/eventing.ts";
import { event, HOST, NS, ok, owner, pubsub, refused } from "./elsinore.ts";

const XEP = "XEP-0060";

let world: World;
let hamlet: Actor;
let francisco: Actor;

beforeAll(async () => {
  world = await World.start();
  hamlet = await world.login("hamlet", { resource: "elsinore", presence: true });
  francisco = await world.login("francisco", { resource: "barracks", presence: true });
});
afterAll(() => world.dispose());

const entry = (title: string) => `<entry xmlns="http://www.w3.org/2005/Atom"><title>${title}</title></entry>`;
const item = (id: string) => `<item id="${id}">${entry(id)}</item>`;

spec(XEP, "5.1", "the host lists the service, which says what it does", async () => {
  const items = await hamlet.asks("get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`, world.domain);
  expect(String(items)).toContain(HOST);
  const info = await ok(hamlet, "get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
  const features = info
    .getChild("query")
    ?.getChildren("feature")
    .map(({ attrs }) => attrs.var);
  expect(features).toContain(`${NS}#publish-options`);
  expect(features).not.toContain(`${NS}#collections`);
});

spec(XEP, "8.1", "an owner makes a node; its name is then taken", async () => {
  await ok(
    hamlet,
    "set",
    pubsub(`<create node="musings"/><configure>${form("node_config", "title=Musings")}</configure>`),
  );
  expect(await refused(francisco, "set", pubsub(`<create node="musings"/>`))).toEqual(["conflict"]);
});

spec(XEP, "5.2", "its node is discovered, with what it is", async () => {
  const list = await ok(francisco, "get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`);
  expect(list.getChild("query")?.getChild("item")?.attrs).toMatchObject({ node: "musings", name: "Musings" });
  const info = await ok(francisco, "get", `<query xmlns="http://jabber.org/protocol/disco#info" node="musings"/>`);
  expect(info.getChild("query")?.getChild("identity")?.attrs).toMatchObject({ category: "pubsub", type: "leaf" });
});

spec(XEP, "6.1", "a subscriber gets the last item, with its age, and each event afterwards", async () => {
  await ok(hamlet, "set", pubsub(`<publish node="musings">${item("a")}</publish>`));
  const answer = await ok(francisco, "set", pubsub(`<subscribe node="musings" jid="${francisco.bare}"/>`));
  expect(answer.getChild("pubsub", NS)?.getChild("subscription")?.attrs).toMatchObject({
    jid: francisco.bare,
    subscription: "subscribed",
  });
  const delay = `<delay xmlns="urn:xmpp:delay" stamp="*"/>`;
  await francisco.receives(event(francisco.bare, `<items node="musings">${item("a")}</items>`, delay));
  await ok(hamlet, "set", pubsub(`<publish node="musings">${item("b")}</publish>`));
  await francisco.receives(event(francisco.bare, `<items node="musings">${item("b")}</items>`));
});

spec(XEP, "5.6", "subscriptions and affiliations of all nodes are retrieved at the service", async () => {
  const own = await ok(francisco, "get", pubsub("<subscriptions/>"));
  const list = own.getChild("pubsub", NS)?.getChild("subscriptions");
  expect(list?.getChild("subscription")?.attrs).toMatchObject({ node: "musings", subscription: "subscribed" });
  const affiliations = await ok(hamlet, "get", pubsub("<affiliations/>"));
  expect(String(affiliations)).toContain('affiliation="owner"');
});

spec(XEP, "6.5", "items are retrieved in the order in which they were published", async () => {
  const answer = await ok(francisco, "get", pubsub(`<items node="musings"/>`));
  const items = answer.getChild("pubsub", NS)?.getChild("items");
  expect(items?.getChildElements().map(({ attrs }) => attrs.id)).toEqual(["a", "b"]);
});

spec(XEP, "7.1.3.1", "who is no publisher may not publish", async () => {
  expect(await refused(francisco, "set", pubsub(`<publish node="musings">${item("x")}</publish>`))).toEqual([
    "forbidden",
  ]);
});

spec(XEP, "7.2.2.1", "subscribers are told of a deleted item", async () => {
  await ok(hamlet, "set", pubsub(`<retract node="musings" notify="1"><item id="a"/></retract>`));
  await francisco.receives(event(francisco.bare, `<items node="musings"><retract id="a"/></items>`));
});

spec(XEP, "8.6", "an owner approves a subscription, as a message", async () => {
  await ok(
    hamlet,
    "set",
    pubsub(`<create node="letters"/><configure>${form("node_config", "access_model=authorize")}</configure>`),
  );
  const answer = await ok(francisco, "set", pubsub(`<subscribe node="letters" jid="${francisco.bare}"/>`));
  expect(answer.getChild("pubsub", NS)?.getChild("subscription")?.attrs.subscription).toBe("pending");
  const request = await hamlet.next();
  expect(String(request)).toContain("subscribe_authorization");
  const fields = `node=letters subscriber_jid=${francisco.bare} allow=1`;
  await hamlet.sends(
    `<message to="${HOST}" id="${request.attrs.id}">${form("subscribe_authorization", fields)}</message>`,
  );
  await francisco.receives(
    event(francisco.bare, `<subscription node="letters" jid="${francisco.bare}" subid="*" subscription="subscribed"/>`),
  );
});

spec(XEP, "8.4", "subscribers learn that a node is deleted, and newcomers where it has gone", async () => {
  const uri = "xmpp:hamlet@capulet.example?;node=blog";
  await ok(hamlet, "set", owner(`<delete node="musings"><redirect uri="${uri}"/></delete>`));
  await francisco.receives(event(francisco.bare, `<delete node="musings"><redirect uri="${uri}"/></delete>`));
  const error = await francisco.asks("set", pubsub(`<subscribe node="musings" jid="${francisco.bare}"/>`), HOST);
  expect(conditions(error)).toEqual(["gone"]);
  expect(error.getChild("error")?.getChildText("gone")).toBe(uri);
});

spec(XEP, "4.6.1", "the service has no users and no resources", async () => {
  const answer = await hamlet.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, `x@${HOST}`);
  expect(conditions(answer)).toEqual(["service-unavailable"]);
});
