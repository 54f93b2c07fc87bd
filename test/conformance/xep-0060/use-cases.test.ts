/** XEP-0060 §5 to §8, §12: what entities, subscribers, publishers and owners can do; the main way is in service.test.ts. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { form } from "../../unit/pubsub/eventing.ts";
import { event, HOST, NS, ok, owner, pubsub } from "./elsinore.ts";

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

const item = (id: string) => `<item id="${id}"><entry xmlns="test:entry">${id}</entry></item>`;
const publish = (node: string, ...ids: string[]) =>
  pubsub(`<publish node="${node}">${ids.map(item).join("")}</publish>`);
const configure = (node: string, fields: string) =>
  owner(`<configure node="${node}">${form("node_config", fields)}</configure>`);

/** A node of Hamlet's; Francisco is subscribed to it. */
async function make(node: string, config = "title=x"): Promise<void> {
  await ok(hamlet, "set", pubsub(`<create node="${node}"/><configure>${form("node_config", config)}</configure>`));
  await ok(francisco, "set", pubsub(`<subscribe node="${node}" jid="${francisco.bare}"/>`));
}

/** Every element of that name, anywhere below. */
function all(el: Element, name: string): Element[] {
  return el.getChildElements().flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
}
const ids = (answer: Element) => all(answer, "item").map(({ attrs }) => attrs.id);
const fields = (answer: Element) =>
  Object.fromEntries(all(answer, "field").map((field) => [field.attrs.var, all(field, "value")[0]?.getText() ?? ""]));

spec(XEP, "5.4", "a node's metadata", async () => {
  await make("meta", "title=Musings type=test:entry");
  const info = await ok(francisco, "get", `<query xmlns="http://jabber.org/protocol/disco#info" node="meta"/>`);
  expect(fields(info)).toMatchObject({
    FORM_TYPE: `${NS}#meta-data`,
    "pubsub#title": "Musings",
    "pubsub#type": "test:entry",
    "pubsub#owner": hamlet.bare,
    "pubsub#creator": hamlet.bare,
    "pubsub#num_subscribers": "1",
    "pubsub#access_model": "open",
  });
});

spec(XEP, "5.5", "a node's items, by their ids", async () => {
  await make("listed");
  await ok(hamlet, "set", publish("listed", "a", "b"));
  await francisco.receives(event(francisco.bare, `<items node="listed">${item("a")}${item("b")}</items>`));
  const list = await ok(francisco, "get", `<query xmlns="http://jabber.org/protocol/disco#items" node="listed"/>`);
  expect(all(list, "item").map(({ attrs }) => [attrs.jid, attrs.name, attrs.node])).toEqual([
    [HOST, "a", undefined],
    [HOST, "b", undefined],
  ]);
});

spec(XEP, "6.2", "who has unsubscribed hears nothing more", async () => {
  await make("left");
  const answer = await ok(francisco, "set", pubsub(`<unsubscribe node="left" jid="${francisco.bare}"/>`));
  expect(all(answer, "subscription")[0]?.attrs.subscription).toBe("none");
  await ok(hamlet, "set", publish("left", "a"));
  await francisco.receivesNothing();
});

spec(XEP, "6.3", "a subscriber sees and changes its options", async () => {
  await make("chosen");
  const at = `node="chosen" jid="${francisco.bare}"`;
  expect(fields(await ok(francisco, "get", pubsub(`<options ${at}/>`)))["pubsub#deliver"]).toBe("1");
  await ok(francisco, "set", pubsub(`<options ${at}>${form("subscribe_options", "deliver=0")}</options>`));
  expect(fields(await ok(francisco, "get", pubsub(`<options ${at}/>`)))["pubsub#deliver"]).toBe("0");
  await ok(hamlet, "set", publish("chosen", "a"));
  await francisco.receivesNothing();
  expect(fields(await ok(francisco, "get", pubsub(`<default node="chosen"/>`)))["pubsub#deliver"]).toBe("1");
});

spec(XEP, "12.18", "a lease that has run out is no subscription", async () => {
  await make("leased");
  const options = form("subscribe_options", "expire=2006-02-28T23:59:59Z");
  await ok(francisco, "set", pubsub(`<options node="leased" jid="${francisco.bare}">${options}</options>`));
  await ok(hamlet, "set", publish("leased", "a"));
  await francisco.receivesNothing();
  expect(all(await ok(hamlet, "get", owner(`<subscriptions node="leased"/>`)), "subscription")).toEqual([]);
});

spec(XEP, "6.5.4", "items page by page, the newest few, and one by its id", async () => {
  await make("paged");
  await ok(hamlet, "set", publish("paged", "a", "b", "c"));
  await francisco.receives(event(francisco.bare, `<items node="paged">${item("a")}${item("b")}${item("c")}</items>`));
  const page = (inner: string) => `<set xmlns="http://jabber.org/protocol/rsm"><max>2</max>${inner}</set>`;
  const first = await ok(francisco, "get", pubsub(`<items node="paged"/>${page("")}`));
  expect([ids(first), all(first, "count")[0]?.getText()]).toEqual([["a", "b"], "3"]);
  const second = await ok(francisco, "get", pubsub(`<items node="paged"/>${page("<after>b</after>")}`));
  expect(ids(second)).toEqual(["c"]);
  expect(ids(await ok(francisco, "get", pubsub(`<items node="paged" max_items="2"/>`)))).toEqual(["b", "c"]);
  expect(ids(await ok(francisco, "get", pubsub(`<items node="paged"><item id="b"/></items>`)))).toEqual(["b"]);
});

spec(XEP, "7.1.2.2", "a node without payloads tells of items only", async () => {
  await make("bare", "deliver_payloads=0");
  await ok(hamlet, "set", publish("bare", "a"));
  await francisco.receives(event(francisco.bare, `<items node="bare"><item id="a"/></items>`));
  expect(String(await ok(francisco, "get", pubsub(`<items node="bare"/>`)))).toContain("test:entry");
});

spec(XEP, "7.1.2.3", "who published an item is what the service says", async () => {
  await make("signed", "itemreply=publisher publish_model=open");
  const forged = `<item id="a" publisher="${hamlet.bare}"><entry xmlns="test:entry"/></item>`;
  await francisco.sends(
    `<iq type="set" id="p" to="${HOST}">${pubsub(`<publish node="signed">${forged}</publish>`)}</iq>`,
  );
  await francisco.receives(`<iq type="result" id="p"/>`, { extra: true });
  const told = `<item id="a" publisher="${francisco.bare}"><entry xmlns="test:entry"/></item>`;
  await francisco.receives(event(francisco.bare, `<items node="signed">${told}</items>`));
});

spec(XEP, "7.1.2.5", "where a node is full the oldest item goes, and subscribers hear of it", async () => {
  await make("brimming", "max_items=2");
  await ok(hamlet, "set", publish("brimming", "a", "b"));
  await francisco.receives(event(francisco.bare, `<items node="brimming">${item("a")}${item("b")}</items>`));
  await ok(hamlet, "set", publish("brimming", "c"));
  await francisco.receives(event(francisco.bare, `<items node="brimming">${item("c")}</items>`));
  await francisco.receives(event(francisco.bare, `<items node="brimming"><retract id="a"/></items>`));
});

spec(
  XEP,
  "8.2.5.3",
  "a new configuration takes effect, and subscribers hear of it where the node says so",
  async () => {
    await make("tuned");
    expect(fields(await ok(hamlet, "get", owner(`<configure node="tuned"/>`)))["pubsub#title"]).toBe("x");
    await ok(hamlet, "set", configure("tuned", "title=Tuned notify_config=1"));
    const told = await francisco.next();
    expect(all(told, "configuration")[0]?.attrs.node).toBe("tuned");
    expect(fields(told)["pubsub#title"]).toBe("Tuned");
    const cancelled = owner(`<configure node="tuned"><x xmlns="jabber:x:data" type="cancel"/></configure>`);
    await ok(hamlet, "set", cancelled);
    await francisco.receivesNothing();
  },
);

spec(XEP, "8.3", "the configuration that a new node gets", async () => {
  const form = await ok(francisco, "get", owner("<default/>"));
  expect(fields(form)).toMatchObject({
    "pubsub#access_model": "open",
    "pubsub#max_items": "max",
    "pubsub#tempsub": "0",
  });
  const models = all(form, "field").find(({ attrs }) => attrs.var === "pubsub#access_model") as Element;
  const values = all(models, "option").map((option) => all(option, "value")[0]?.getText());
  expect(values.sort()).toEqual(["authorize", "open", "presence", "roster", "whitelist"]);
});

spec(XEP, "8.5.2", "a purge is told of once, whatever there was", async () => {
  await make("purged");
  await ok(hamlet, "set", publish("purged", "a", "b"));
  await francisco.receives(event(francisco.bare, `<items node="purged">${item("a")}${item("b")}</items>`));
  await ok(hamlet, "set", owner(`<purge node="purged"/>`));
  await francisco.receives(event(francisco.bare, `<purge node="purged"/>`));
  expect(ids(await ok(francisco, "get", pubsub(`<items node="purged"/>`)))).toEqual([]);
});

spec(XEP, "8.7", "an owner asks for the requests that wait", async () => {
  await ok(
    hamlet,
    "set",
    pubsub(`<create node="asked"/><configure>${form("node_config", "access_model=authorize")}</configure>`),
  );
  await ok(francisco, "set", pubsub(`<subscribe node="asked" jid="${francisco.bare}"/>`));
  const request = String(await hamlet.next());
  expect(request).toContain(francisco.bare);
  const command = (inner = "") =>
    `<command xmlns="http://jabber.org/protocol/commands" node="${NS}#get-pending" action="execute">${inner}</command>`;
  const offered = await ok(hamlet, "set", command());
  expect(all(offered, "option").map((option) => all(option, "value")[0]?.getText())).toContain("asked");
  await ok(hamlet, "set", command(form("subscribe_authorization", "node=asked")));
  expect(String(await hamlet.next())).toContain(francisco.bare);
});

spec(XEP, "8.8.2", "an owner ends a subscription, and its holder hears of it", async () => {
  await make("ended");
  const list = await ok(hamlet, "get", owner(`<subscriptions node="ended"/>`));
  expect(all(list, "subscription")[0]?.attrs).toMatchObject({ jid: francisco.bare, subscription: "subscribed" });
  const none = `<subscription jid="${francisco.bare}" subscription="none"/>`;
  await ok(hamlet, "set", owner(`<subscriptions node="ended">${none}</subscriptions>`));
  await francisco.receives(
    event(francisco.bare, `<subscription node="ended" jid="${francisco.bare}" subid="*" subscription="none"/>`),
  );
});

spec(XEP, "8.9.2", "an owner makes somebody a publisher, who then publishes", async () => {
  await make("shared");
  const publisher = `<affiliation jid="${francisco.bare}" affiliation="publisher"/>`;
  await ok(hamlet, "set", owner(`<affiliations node="shared">${publisher}</affiliations>`));
  expect(String(await francisco.next())).toContain('affiliation="publisher"');
  const list = await ok(hamlet, "get", owner(`<affiliations node="shared"/>`));
  expect(
    all(list, "affiliation")
      .map(({ attrs }) => attrs.affiliation)
      .sort(),
  ).toEqual(["owner", "publisher"]);
  await francisco.sends(`<iq type="set" id="p" to="${HOST}">${publish("shared", "a")}</iq>`);
  await francisco.receives(`<iq type="result" id="p"/>`, { extra: true });
  await francisco.receives(event(francisco.bare, `<items node="shared">${item("a")}</items>`));
});

spec(XEP, "10", "every feature that is named works, and none is named that does not", async () => {
  const info = await ok(hamlet, "get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
  const named = all(info, "feature").flatMap(({ attrs: { var: name = "" } }) =>
    name.startsWith(`${NS}#`) ? [name.slice(NS.length + 1)] : [],
  );
  // Besides those of §10, two in common use. What is left out is of collections, of accounts, or more than one of a kind.
  expect(named.sort()).toEqual(
    `access-open config-node config-node-max create-and-configure create-nodes delete-items delete-nodes get-pending
     instant-nodes item-expire-max item-ids leased-subscription manage-subscriptions member-affiliation meta-data
     modify-affiliations multi-items outcast-affiliation persistent-items presence-notifications publish
     publish-node-full publish-only-affiliation publish-options publisher-affiliation purge-nodes retract-items
     retrieve-affiliations retrieve-default retrieve-default-sub retrieve-items retrieve-subscriptions rsm subscribe
     subscription-notifications subscription-options`
      .trim()
      .split(/\s+/)
      .sort(),
  );
});
