/** XEP-0060 at a host of its own, by section */
import { beforeEach, describe, expect, it } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { conditions, eventOf, form } from "./eventing.ts";
import { Host } from "./host.ts";

const NS = "http://jabber.org/protocol/pubsub";
const HAMLET = "hamlet@capulet.example/elsinore";
const FRANCISCO = "francisco@capulet.example/barracks";
const NODE = "princely_musings";
let host: Host;

const pubsub = (inner: string) => `<pubsub xmlns="${NS}">${inner}</pubsub>`;
const owner = (inner: string) => `<pubsub xmlns="${NS}#owner">${inner}</pubsub>`;
const create = (config = "", node = NODE) =>
  pubsub(`<create node="${node}"/>${config && `<configure>${form("node_config", config)}</configure>`}`);
const entry = (title: string) => `<entry xmlns="http://www.w3.org/2005/Atom"><title>${title}</title></entry>`;
const publish = (id: string, title = id, more = "") =>
  pubsub(`<publish node="${NODE}"><item${id && ` id="${id}"`}>${entry(title)}</item></publish>${more}`);
const subscribe = (jid: string, options = "") =>
  pubsub(
    `<subscribe node="${NODE}" jid="${jid}"/>${options && `<options>${form("subscribe_options", options)}</options>`}`,
  );
const bare = (jid: string) => jid.split("/", 1)[0] ?? "";

/** The first element of that name anywhere below. */
function find(el: Element, name: string): Element | undefined {
  for (const child of el.getChildElements()) {
    const found = child.name === name ? child : find(child, name);
    if (found) return found;
  }
  return undefined;
}
const ids = (answer: Element) =>
  find(answer, "items")
    ?.getChildElements()
    .map(({ attrs }) => attrs.id);
const events = (jid: string) => host.takes(jid).flatMap((el) => eventOf(el) ?? []);

async function ok(from: string, type: "get" | "set", payload: string): Promise<Element> {
  const answer = await host.asks(from, type, payload);
  expect(answer.attrs.type, String(answer)).toBe("result");
  return answer;
}
async function fails(from: string, type: "get" | "set", payload: string): Promise<string[]> {
  return conditions(await host.asks(from, type, payload));
}

describe.each(["each", "shared:1"])("objects %s", (PLACEMENT) => {
  beforeEach(() => {
    host = new Host({ PLACEMENT });
  });

  describe("entities (§5)", () => {
    it("discover nodes, information and items", async () => {
      await ok(HAMLET, "set", create("title=Musings description=Blog"));
      await ok(HAMLET, "set", publish("a"));
      host.evict();
      const nodes = await ok(FRANCISCO, "get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`);
      expect(find(nodes, "item")?.attrs).toMatchObject({ node: NODE, name: "Musings", jid: "pubsub.capulet.example" });
      const info = await ok(FRANCISCO, "get", `<query xmlns="http://jabber.org/protocol/disco#info" node="${NODE}"/>`);
      expect(find(info, "identity")?.attrs).toMatchObject({ category: "pubsub", type: "leaf" });
      expect(String(info)).toContain("pubsub#creation_date");
      const items = await ok(
        FRANCISCO,
        "get",
        `<query xmlns="http://jabber.org/protocol/disco#items" node="${NODE}"/>`,
      );
      expect(find(items, "item")?.attrs).toMatchObject({ jid: "pubsub.capulet.example", name: "a" });
      expect(find(items, "item")?.attrs.node).toBeUndefined();
      expect(await fails(FRANCISCO, "get", `<query xmlns="http://jabber.org/protocol/disco#info" node="x"/>`)).toEqual([
        "item-not-found",
      ]);
    });

    it("retrieve their subscriptions and affiliations, of all nodes and of one", async () => {
      await ok(HAMLET, "set", create());
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      for (const node of ["", ` node="${NODE}"`]) {
        const own = await ok(FRANCISCO, "get", pubsub(`<subscriptions${node}/>`));
        expect(find(own, "subscription")?.attrs).toMatchObject({
          node: NODE,
          jid: bare(FRANCISCO),
          subscription: "subscribed",
        });
        expect(find(await ok(HAMLET, "get", pubsub(`<subscriptions${node}/>`)), "subscription")).toBeUndefined();
        const affiliations = await ok(HAMLET, "get", pubsub(`<affiliations${node}/>`));
        expect(find(affiliations, "affiliation")?.attrs).toMatchObject({ node: NODE, affiliation: "owner" });
      }
    });

    it("see the service as it is", async () => {
      const info = await ok(FRANCISCO, "get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
      expect(find(info, "identity")?.attrs).toMatchObject({ category: "pubsub", type: "service" });
      expect(String(info)).not.toContain("collections");
      expect(String(info)).not.toContain("access-presence");
    });
  });

  describe("subscribers (§6)", () => {
    beforeEach(async () => {
      await ok(HAMLET, "set", create());
    });

    it("subscribe, get the last item and what follows, and unsubscribe", async () => {
      await ok(HAMLET, "set", publish("a"));
      const answer = await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      const { subid, subscription } = find(answer, "subscription")?.attrs ?? {};
      expect(subscription).toBe("subscribed");
      const [last] = host.takes(bare(FRANCISCO));
      expect(last && eventOf(last)).toBe(`${NODE} a`);
      expect(last?.getChild("delay", "urn:xmpp:delay")).toBeDefined();
      host.evict();
      await ok(HAMLET, "set", publish("b"));
      expect(events(bare(FRANCISCO))).toEqual([`${NODE} b`]);
      // §6.1.6: again is as before
      expect(find(await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO))), "subscription")?.attrs.subid).toBe(subid);
      const gone = await ok(FRANCISCO, "set", pubsub(`<unsubscribe node="${NODE}" jid="${bare(FRANCISCO)}"/>`));
      expect(find(gone, "subscription")?.attrs.subscription).toBe("none");
      await ok(HAMLET, "set", publish("c"));
      expect(events(bare(FRANCISCO))).toEqual([]);
    });

    it.each([
      ["somebody else (§6.1.3.1)", "bernardo@capulet.example", ["bad-request", "invalid-jid"]],
      ["nobody", "", ["bad-request", "invalid-jid"]],
    ])("cannot subscribe %s", async (_who, jid, expected) => {
      expect(await fails(FRANCISCO, "set", subscribe(jid))).toEqual(expected);
    });

    it("hear why not (§6.1.3)", async () => {
      expect(await fails(FRANCISCO, "set", pubsub(`<subscribe node="x" jid="${bare(FRANCISCO)}"/>`))).toEqual([
        "item-not-found",
      ]);
      expect(await fails(FRANCISCO, "set", pubsub(`<subscribe jid="${bare(FRANCISCO)}"/>`))).toEqual([
        "bad-request",
        "nodeid-required",
      ]);
      await ok(
        HAMLET,
        "set",
        owner(
          `<affiliations node="${NODE}"><affiliation jid="${bare(FRANCISCO)}" affiliation="outcast"/></affiliations>`,
        ),
      );
      expect(await fails(FRANCISCO, "set", subscribe(bare(FRANCISCO)))).toEqual(["forbidden"]);
      await ok(HAMLET, "set", owner(`<configure node="${NODE}">${form("node_config", "subscribe=0")}</configure>`));
      expect(await fails("x@capulet.example/y", "set", subscribe("x@capulet.example"))).toEqual([
        "feature-not-implemented",
        "unsupported subscribe",
      ]);
      const guest = "weur-0.abc@guest.capulet.example";
      expect(await fails(`${guest}/x`, "set", subscribe(guest))).toEqual(["forbidden"]);
    });

    it("hear why they are not unsubscribed (§6.2.3)", async () => {
      const unsubscribe = (jid: string, subid = "") =>
        pubsub(`<unsubscribe node="${NODE}" jid="${jid}"${subid && ` subid="${subid}"`}/>`);
      expect(await fails(FRANCISCO, "set", unsubscribe(bare(FRANCISCO)))).toEqual([
        "unexpected-request",
        "not-subscribed",
      ]);
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      expect(await fails(HAMLET, "set", unsubscribe(bare(FRANCISCO)))).toEqual(["forbidden"]);
      expect(await fails(FRANCISCO, "set", unsubscribe(bare(FRANCISCO), "x"))).toEqual([
        "not-acceptable",
        "invalid-subid",
      ]);
    });

    it("choose options (§6.3): a filter, a lease, nothing for a while", async () => {
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO), "deliver=1"));
      const options = (inner = "") => pubsub(`<options node="${NODE}" jid="${bare(FRANCISCO)}">${inner}</options>`);
      const set = (field: string, value: string) =>
        options(
          `<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>${NS}#subscribe_options</value></field><field var="${field}"><value>${value}</value></field></x>`,
        );
      await ok(FRANCISCO, "set", set("x-pubsub#keyword", "peasant"));
      expect(String(await ok(FRANCISCO, "get", options()))).toContain("peasant");
      await ok(HAMLET, "set", publish("a", "Now I am alone"));
      await ok(HAMLET, "set", publish("b", "what a rogue and Peasant slave"));
      expect(events(bare(FRANCISCO))).toEqual([`${NODE} b`]);
      await ok(FRANCISCO, "set", set("pubsub#deliver", "false"));
      await ok(HAMLET, "set", publish("c", "peasant"));
      expect(events(bare(FRANCISCO))).toEqual([]);
      expect(await fails(FRANCISCO, "set", set("pubsub#expire", "tomorrow"))).toEqual([
        "bad-request",
        "invalid-options",
      ]);
      await ok(FRANCISCO, "set", set("pubsub#expire", "2006-02-28T11:59:59Z"));
      expect(
        find(await ok(FRANCISCO, "get", pubsub(`<subscriptions node="${NODE}"/>`)), "subscription"),
      ).toBeUndefined();
      expect(await fails(FRANCISCO, "get", options())).toEqual(["unexpected-request", "not-subscribed"]);
      expect(await fails(FRANCISCO, "get", pubsub(`<options node="${NODE}"/>`))).toEqual([
        "bad-request",
        "jid-required",
      ]);
    });

    it("see the default options (§6.4)", async () => {
      expect(String(await ok(FRANCISCO, "get", pubsub("<default/>")))).toContain("pubsub#deliver");
      expect(String(await ok(FRANCISCO, "get", pubsub(`<default node="${NODE}"/>`)))).toContain("pubsub#deliver");
    });

    it("retrieve items (§6.5): all, the newest, one, a page", async () => {
      for (const id of ["a", "b", "c", "d"]) await ok(HAMLET, "set", publish(id));
      await ok(HAMLET, "set", publish("a", "again"));
      const get = (attrs = "", inner = "", more = "") =>
        ok(FRANCISCO, "get", pubsub(`<items node="${NODE}"${attrs}>${inner}</items>${more}`));
      expect(ids(await get())).toEqual(["b", "c", "d", "a"]);
      expect(ids(await get(' max_items="2"'))).toEqual(["d", "a"]);
      expect(ids(await get("", '<item id="c"/><item id="b"/><item id="x"/>'))).toEqual(["c", "b"]);
      expect(ids(await get("", '<item id="x"/>'))).toEqual([]);
      const rsm = (inner: string) => `<set xmlns="http://jabber.org/protocol/rsm">${inner}</set>`;
      const page = await get("", "", rsm("<max>2</max>"));
      expect(ids(page)).toEqual(["b", "c"]);
      expect(find(page, "count")?.getText()).toBe("4");
      expect(ids(await get("", "", rsm("<max>2</max><after>c</after>")))).toEqual(["d", "a"]);
      expect(ids(await get("", "", rsm("<max>1</max><before/>")))).toEqual(["a"]);
      const missing = pubsub(`<items node="${NODE}"/>${rsm("<after>' or 1=1--</after>")}`);
      expect(await fails(FRANCISCO, "get", missing)).toEqual(["item-not-found"]);
    });

    it("have to be approved where the node says so (§6.1.4, §8.6)", async () => {
      await ok(
        HAMLET,
        "set",
        owner(`<configure node="${NODE}">${form("node_config", "access_model=authorize")}</configure>`),
      );
      await ok(HAMLET, "set", publish("a"));
      const items = pubsub(`<items node="${NODE}"/>`);
      const answer = await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      expect(find(answer, "subscription")?.attrs.subscription).toBe("pending");
      expect(await fails(FRANCISCO, "set", subscribe(bare(FRANCISCO)))).toEqual([
        "not-authorized",
        "pending-subscription",
      ]);
      expect(await fails(FRANCISCO, "get", items)).toEqual(["not-authorized", "not-subscribed"]);
      const [request] = host.takes(bare(HAMLET));
      expect(String(request)).toContain("subscribe_authorization");
      const allow = form("subscribe_authorization", `node=${NODE} subscriber_jid=${bare(FRANCISCO)} allow=true`);
      await host.sends(FRANCISCO, `<message id="${request?.attrs.id}">${allow}</message>`);
      expect(host.takes(FRANCISCO)[0]?.attrs.type).toBe("error");
      await host.sends(HAMLET, `<message id="${request?.attrs.id}">${allow}</message>`);
      expect(events(bare(FRANCISCO))).toEqual(
        [`undefined subscription`, `${NODE} a`].map((e) => e.replace("undefined", NODE)),
      );
      await ok(FRANCISCO, "get", items);
    });

    it("are turned away from a whitelist (§6.1.3.4)", async () => {
      await ok(
        HAMLET,
        "set",
        owner(`<configure node="${NODE}">${form("node_config", "access_model=whitelist")}</configure>`),
      );
      expect(await fails(FRANCISCO, "set", subscribe(bare(FRANCISCO)))).toEqual(["not-allowed", "closed-node"]);
      expect(await fails(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`))).toEqual(["not-allowed", "closed-node"]);
      await ok(
        HAMLET,
        "set",
        owner(
          `<affiliations node="${NODE}"><affiliation jid="${bare(FRANCISCO)}" affiliation="member"/></affiliations>`,
        ),
      );
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      await ok(
        HAMLET,
        "set",
        owner(`<affiliations node="${NODE}"><affiliation jid="${bare(FRANCISCO)}" affiliation="none"/></affiliations>`),
      );
      expect(events(bare(FRANCISCO))).toContain(`${NODE} subscription`);
      expect(find(await ok(FRANCISCO, "get", pubsub("<subscriptions/>")), "subscription")).toBeUndefined();
    });

    it("who are gone for good are not told any more (§12.4)", async () => {
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      await ok(HAMLET, "set", publish("a"));
      const [event] = host.takes(bare(FRANCISCO));
      await host.sends(
        bare(FRANCISCO),
        `<message type="error" id="${event?.attrs.id}"><error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
      );
      await ok(HAMLET, "set", publish("b"));
      expect(events(bare(FRANCISCO))).toEqual([]);
    });
  });

  describe("publishers (§7)", () => {
    it("get an id for what has none, and show only what the node says", async () => {
      await ok(HAMLET, "set", create("itemreply=publisher deliver_payloads=0"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      const id = find(await ok(HAMLET, "set", publish("")), "item")?.attrs.id;
      expect(id).toBeTruthy();
      const [event] = host.takes(FRANCISCO);
      const item = event && find(event, "item");
      expect(item?.attrs).toMatchObject({ id, publisher: bare(HAMLET) });
      expect(item?.getChildElements()).toEqual([]);
      expect(find(await ok(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`)), "entry")).toBeDefined();
    });

    it("hear why not (§7.1.3)", async () => {
      const items = (inner: string) => pubsub(`<publish node="${NODE}">${inner}</publish>`);
      expect(await fails(HAMLET, "set", publish("a"))).toEqual(["item-not-found"]);
      await ok(
        HAMLET,
        "set",
        create("type=http://www.w3.org/2005/Atom max_payload_size=200 max_items=2 publish_node_full=reject"),
      );
      expect(await fails(FRANCISCO, "set", publish("a"))).toEqual(["forbidden"]);
      expect(await fails(HAMLET, "set", items(""))).toEqual(["bad-request", "item-required"]);
      expect(await fails(HAMLET, "set", items("<item/>"))).toEqual(["bad-request", "payload-required"]);
      expect(await fails(HAMLET, "set", items(`<item>${entry("a")}${entry("b")}</item>`))).toEqual([
        "bad-request",
        "invalid-payload",
      ]);
      expect(await fails(HAMLET, "set", items(`<item><x xmlns="urn:x"/></item>`))).toEqual([
        "bad-request",
        "invalid-payload",
      ]);
      expect(await fails(HAMLET, "set", publish("a", "x".repeat(200)))).toEqual(["not-acceptable", "payload-too-big"]);
      expect(
        await fails(HAMLET, "set", items(["a", "b", "c"].map((id) => `<item id="${id}">${entry(id)}</item>`).join(""))),
      ).toEqual(["not-allowed", "max-items-exceeded"]);
      await ok(HAMLET, "set", items(["a", "b"].map((id) => `<item id="${id}">${entry(id)}</item>`).join("")));
      expect(await fails(HAMLET, "set", publish("c"))).toEqual(["conflict", "node-full"]);
      await ok(HAMLET, "set", publish("a", "again"));
      expect(await fails(HAMLET, "set", pubsub("<publish/>"))).toEqual(["bad-request", "nodeid-required"]);
    });

    it("notify without storing anything (§4.3)", async () => {
      await ok(HAMLET, "set", create("persist_items=0 deliver_payloads=0"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      expect(await fails(HAMLET, "set", publish("a"))).toEqual(["bad-request", "item-forbidden"]);
      await ok(HAMLET, "set", pubsub(`<publish node="${NODE}"/>`));
      expect(events(FRANCISCO)).toEqual([NODE]);
      expect(await fails(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`))).toEqual([
        "feature-not-implemented",
        "unsupported persistent-items",
      ]);
    });

    it("make conditions (§7.1.5)", async () => {
      await ok(HAMLET, "set", create("access_model=open"));
      const options = (fields: string) => `<publish-options>${form("publish-options", fields)}</publish-options>`;
      await ok(HAMLET, "set", publish("a", "a", options("access_model=open max_items=max")));
      for (const fields of ["access_model=whitelist", "unheard_of=1", "access_model=none"])
        expect(await fails(HAMLET, "set", publish("b", "b", options(fields)))).toEqual([
          "conflict",
          "precondition-not-met",
        ]);
    });

    it("may be subscribers, or anyone", async () => {
      await ok(HAMLET, "set", create("publish_model=subscribers"));
      expect(await fails(FRANCISCO, "set", publish("a"))).toEqual(["forbidden"]);
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      await ok(FRANCISCO, "set", publish("a"));
    });

    it("delete items (§7.2)", async () => {
      const retract = (inner: string, attrs = ` node="${NODE}"`) => pubsub(`<retract${attrs}>${inner}</retract>`);
      await ok(HAMLET, "set", create("notify_retract=0 publish_model=open"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      for (const id of ["a", "b"]) await ok(HAMLET, "set", publish(id));
      host.takes(FRANCISCO);
      expect(await fails(FRANCISCO, "set", retract('<item id="a"/>'))).toEqual(["forbidden"]);
      expect(await fails(HAMLET, "set", retract('<item id="x"/>'))).toEqual(["item-not-found"]);
      expect(await fails(HAMLET, "set", retract("<item/>"))).toEqual(["bad-request", "item-required"]);
      expect(await fails(HAMLET, "set", retract('<item id="a"/>', ""))).toEqual(["bad-request", "nodeid-required"]);
      await ok(HAMLET, "set", retract('<item id="a"/>'));
      expect(events(FRANCISCO)).toEqual([]);
      await ok(HAMLET, "set", retract('<item id="b"/>', ` node="${NODE}" notify="true"`));
      expect(events(FRANCISCO)).toEqual([`${NODE} -b`]);
      await ok(FRANCISCO, "set", publish("own"));
      await ok(FRANCISCO, "set", retract('<item id="own"/>'));
    });

    it("drop the oldest, with or without a word (§7.1.2.5)", async () => {
      await ok(HAMLET, "set", create("max_items=2"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      for (const id of ["a", "b", "c"]) await ok(HAMLET, "set", publish(id));
      expect(events(FRANCISCO)).toEqual([`${NODE} a`, `${NODE} b`, `${NODE} c`, `${NODE} -a`]);
      await ok(
        HAMLET,
        "set",
        owner(`<configure node="${NODE}">${form("node_config", "publish_node_full=discard-oldest")}</configure>`),
      );
      await ok(HAMLET, "set", publish("d"));
      expect(events(FRANCISCO)).toEqual([`${NODE} d`]);
      expect(ids(await ok(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`)))).toEqual(["c", "d"]);
    });
  });

  describe("owners (§8)", () => {
    it("create nodes: named, instant, configured (§8.1)", async () => {
      await ok(HAMLET, "set", create());
      expect(await fails(HAMLET, "set", create())).toEqual(["conflict"]);
      const instant = find(await ok(HAMLET, "set", pubsub("<create/>")), "create")?.attrs.node;
      expect(instant).toBeTruthy();
      await ok(HAMLET, "get", owner(`<configure node="${instant}"/>`));
      expect(await fails(HAMLET, "set", create("access_model=friends", "other"))).toEqual([
        "not-acceptable",
        "unsupported-access-model",
      ]);
      const named = pubsub(`<create node="n"/><configure node="n">${form("node_config", "title=x")}</configure>`);
      expect(await fails(HAMLET, "set", named)).toEqual(["bad-request"]);
      expect(await fails("x@elsewhere.example/y", "set", create("", "theirs"))).toEqual(["forbidden"]);
    });

    it("configure them (§8.2)", async () => {
      await ok(HAMLET, "set", create());
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      expect(await fails(FRANCISCO, "get", owner(`<configure node="${NODE}"/>`))).toEqual(["forbidden"]);
      expect(await fails(HAMLET, "get", owner("<configure/>"))).toEqual(["bad-request", "nodeid-required"]);
      expect(await fails(HAMLET, "get", owner('<configure node="x"/>'))).toEqual(["item-not-found"]);
      expect(String(await ok(HAMLET, "get", owner(`<configure node="${NODE}"/>`)))).toContain("pubsub#access_model");
      await ok(HAMLET, "set", owner(`<configure node="${NODE}"><x xmlns="jabber:x:data" type="cancel"/></configure>`));
      await ok(
        HAMLET,
        "set",
        owner(`<configure node="${NODE}">${form("node_config", "notify_config=1 title=Changed")}</configure>`),
      );
      const [event] = host.takes(FRANCISCO);
      expect(event && eventOf(event)).toBe(`${NODE} configuration`);
      expect(String(event)).toContain("Changed");
      host.evict();
      expect(String(await ok(HAMLET, "get", owner(`<configure node="${NODE}"/>`)))).toContain("Changed");
      const bad = owner(`<configure node="${NODE}">${form("node_config", "max_items=many")}</configure>`);
      expect(await fails(HAMLET, "set", bad)).toEqual(["not-acceptable"]);
      expect(String(await ok(HAMLET, "get", owner("<default/>")))).toContain("node_config");
    });

    it("cannot let a roster decide that is not here (§8.2)", async () => {
      const horatio = "horatio@elsinore.example/tower";
      await ok(HAMLET, "set", create());
      const affiliation = (jid: string, what: string) =>
        owner(`<affiliations node="${NODE}"><affiliation jid="${bare(jid)}" affiliation="${what}"/></affiliations>`);
      await ok(HAMLET, "set", affiliation(horatio, "owner"));
      await ok(HAMLET, "set", affiliation(HAMLET, "none"));
      const configure = owner(`<configure node="${NODE}">${form("node_config", "access_model=presence")}</configure>`);
      expect(await fails(horatio, "set", configure)).toEqual(["not-acceptable", "unsupported-access-model"]);
    });

    it("bring their rosters to their nodes: requests wait, in order, until these are here (§4.5)", async () => {
      const before = "not-authorized presence-subscription-required";
      await ok(HAMLET, "set", create("access_model=presence"));
      await host.sends(FRANCISCO, `<iq type="set" id="one">${subscribe(bare(FRANCISCO))}</iq>`);
      await host.sends(FRANCISCO, `<iq type="get" id="two">${pubsub(`<items node="${NODE}"/>`)}</iq>`);
      expect(host.takes(FRANCISCO)).toEqual([]);
      expect(host.watches).toEqual([{ watch: NODE, what: "roster", of: [bare(HAMLET)] }]);
      await host.sees({ seen: NODE, of: bare(HAMLET), roster: [] });
      const answers = host.takes(FRANCISCO);
      expect(answers.map(({ attrs }) => attrs.id)).toEqual(["one", "two"]);
      expect(answers.map((answer) => conditions(answer).join(" "))).toEqual([before, before]);
      // It is a cache: after all was forgotten it is asked for again, and never held against anybody by itself.
      await host.sees({ seen: NODE, of: bare(HAMLET), roster: [[bare(FRANCISCO), true, []]] });
      await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO)));
      host.evict();
      await host.sends(FRANCISCO, `<iq type="get" id="three">${pubsub(`<items node="${NODE}"/>`)}</iq>`);
      expect(host.takes(FRANCISCO)).toEqual([]);
      await host.sees({ seen: NODE, of: bare(HAMLET), roster: [[bare(FRANCISCO), true, []]] });
      expect(host.takes(FRANCISCO).map(({ attrs }) => attrs.type)).toEqual(["result"]);
      // An account is told when its roster is of no use any more.
      const open = owner(`<configure node="${NODE}">${form("node_config", "access_model=open")}</configure>`);
      await ok(HAMLET, "set", open);
      host.watches.length = 0;
      await host.sees({ seen: NODE, of: bare(HAMLET), roster: [] });
      expect(host.watches).toEqual([{ watch: NODE, what: "nothing", of: [bare(HAMLET)] }]);
      await ok(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`));
    });

    it("never ask the roster of somebody whom others made an owner", async () => {
      await ok(FRANCISCO, "set", create("access_model=roster roster_groups_allowed=Enemies"));
      const juliet = `<affiliation jid="juliet@capulet.example" affiliation="owner"/>`;
      await ok(FRANCISCO, "set", owner(`<affiliations node="${NODE}">${juliet}</affiliations>`));
      const himself = `<affiliation jid="${bare(FRANCISCO)}" affiliation="none"/>`;
      await ok(FRANCISCO, "set", owner(`<affiliations node="${NODE}">${himself}</affiliations>`));
      expect(await fails(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`))).toEqual([
        "not-authorized",
        "not-in-roster-group",
      ]);
      expect(host.watches).toEqual([]);
    });

    it("hear that a roster cannot be seen now", async () => {
      host.blind = true;
      await ok(HAMLET, "set", create("access_model=presence"));
      expect(await fails(FRANCISCO, "set", subscribe(bare(FRANCISCO)))).toEqual(["resource-constraint"]);
    });

    it("make what depends on presence depend on presence that is known (§12.5, purge_offline)", async () => {
      const horatio = "horatio@elsinore.example/tower";
      await ok(HAMLET, "set", create("publish_model=open"));
      expect(await fails(horatio, "set", subscribe(horatio, "expire=presence"))).toEqual([
        "bad-request",
        "invalid-options",
      ]);
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      await ok(FRANCISCO, "set", publish("before"));
      host.takes(FRANCISCO);
      const configure = form("node_config", "tempsub=1 purge_offline=1");
      await ok(HAMLET, "set", owner(`<configure node="${NODE}">${configure}</configure>`));
      // Nobody's presence is told of who has not agreed to that: what was there before does not depend on it.
      expect(find(host.takes(FRANCISCO)[0] as Element, "subscription")?.attrs.subscription).toBe("none");
      const others = owner(
        `<subscriptions node="${NODE}"><subscription jid="${FRANCISCO}" subscription="subscribed"/></subscriptions>`,
      );
      expect(await fails(HAMLET, "set", others)).toEqual(["not-acceptable"]);
      expect(host.watches).toEqual([]);
      const unknown = ["not-authorized", "presence-subscription-required"];
      expect(await fails(horatio, "set", subscribe(horatio))).toEqual(unknown);
      expect(await fails(horatio, "set", publish("theirs"))).toEqual(unknown);
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      const lasting = `<options node="${NODE}" jid="${FRANCISCO}">${form("subscribe_options", "expire=")}</options>`;
      await ok(FRANCISCO, "set", pubsub(lasting));
      await ok(FRANCISCO, "set", publish("after"));
      const watched = host.watches.map(({ what, of }) => [what, ...of].join(" "));
      expect(new Set(watched)).toEqual(new Set([`leaving ${FRANCISCO}`, `leaving ${bare(FRANCISCO)}`]));
      host.evict();
      await host.sees({ seen: NODE, of: FRANCISCO });
      await host.sees({ seen: NODE, of: bare(FRANCISCO) });
      expect(ids(await ok(HAMLET, "get", pubsub(`<items node="${NODE}"/>`)))).toEqual([]);
      expect(find(await ok(HAMLET, "get", owner(`<subscriptions node="${NODE}"/>`)), "subscription")).toBeUndefined();
    });

    it("delete them, and say where they went (§8.4)", async () => {
      await ok(HAMLET, "set", create());
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      const remove = owner(`<delete node="${NODE}"><redirect uri="xmpp:hamlet@capulet.example?;node=blog"/></delete>`);
      expect(await fails(FRANCISCO, "set", remove)).toEqual(["forbidden"]);
      await ok(HAMLET, "set", remove);
      const [event] = host.takes(FRANCISCO);
      expect(event && eventOf(event)).toBe(`${NODE} delete`);
      expect(event && find(event, "redirect")?.attrs.uri).toContain("node=blog");
      host.evict();
      expect(String(await host.asks(FRANCISCO, "set", subscribe(FRANCISCO)))).toContain(
        "xmpp:hamlet@capulet.example?;node=blog",
      );
      expect(
        find(await ok(FRANCISCO, "get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`), "item"),
      ).toBeUndefined();
      await ok(HAMLET, "set", create());
      expect(
        find(await ok(FRANCISCO, "get", pubsub(`<subscriptions node="${NODE}"/>`)), "subscription"),
      ).toBeUndefined();
    });

    it("purge them (§8.5)", async () => {
      await ok(HAMLET, "set", create());
      await ok(HAMLET, "set", publish("a"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      host.takes(FRANCISCO);
      expect(await fails(FRANCISCO, "set", owner(`<purge node="${NODE}"/>`))).toEqual(["forbidden"]);
      await ok(HAMLET, "set", owner(`<purge node="${NODE}"/>`));
      expect(events(FRANCISCO)).toEqual([`${NODE} purge`]);
      expect(ids(await ok(FRANCISCO, "get", pubsub(`<items node="${NODE}"/>`)))).toEqual([]);
    });

    it("manage subscriptions (§8.8)", async () => {
      await ok(HAMLET, "set", create());
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      const set = (inner: string) => owner(`<subscriptions node="${NODE}">${inner}</subscriptions>`);
      expect(await fails(FRANCISCO, "get", set(""))).toEqual(["forbidden"]);
      expect(find(await ok(HAMLET, "get", set("")), "subscription")?.attrs).toMatchObject({
        jid: FRANCISCO,
        subscription: "subscribed",
      });
      const answer = await host.asks(
        HAMLET,
        "set",
        set(
          `<subscription jid="bard@x.example" subscription="subscribed"/><subscription jid="${FRANCISCO}" subscription="sometimes"/>`,
        ),
      );
      expect(conditions(answer)).toEqual(["not-acceptable"]);
      expect(
        answer.getChild("pubsub", `${NS}#owner`)?.getChild("subscriptions")?.getChildElements()[0]?.attrs,
      ).toMatchObject({
        jid: FRANCISCO,
        subscription: "subscribed",
      });
      expect(events("bard@x.example")).toEqual([`${NODE} subscription`]);
      await ok(HAMLET, "set", set(`<subscription jid="${FRANCISCO}" subscription="none"/>`));
      expect(events(FRANCISCO)).toEqual([`${NODE} subscription`]);
      expect(find(await ok(HAMLET, "get", set("")), "subscription")?.attrs.jid).toBe("bard@x.example");
    });

    it("manage affiliations (§8.9)", async () => {
      await ok(HAMLET, "set", create());
      const set = (...entries: [string, string][]) =>
        owner(
          `<affiliations node="${NODE}">${entries.map(([jid, a]) => `<affiliation jid="${jid}" affiliation="${a}"/>`).join("")}</affiliations>`,
        );
      expect(await fails(FRANCISCO, "get", set())).toEqual(["forbidden"]);
      const answer = await host.asks(HAMLET, "set", set([bare(HAMLET), "none"], ["bard@x.example", "publisher"]));
      expect(conditions(answer)).toEqual(["not-acceptable"]);
      const failed = answer.getChild("pubsub", `${NS}#owner`)?.getChild("affiliations")?.getChildElements();
      expect(failed?.map(({ attrs: { jid, affiliation } }) => [jid, affiliation])).toEqual([[bare(HAMLET), "owner"]]);
      await ok("bard@x.example/y", "set", publish("a"));
      expect(conditions(await host.asks(HAMLET, "set", set(["a@b", "member"], ["a@b", "none"])))).toEqual([
        "bad-request",
      ]);
      await ok(HAMLET, "set", set([bare(FRANCISCO), "owner"]));
      await ok(FRANCISCO, "set", set([bare(HAMLET), "none"]));
      expect(await fails(HAMLET, "get", set())).toEqual(["forbidden"]);
    });

    it("are shown the requests that wait (§8.7)", async () => {
      await ok(HAMLET, "set", create("access_model=authorize"));
      await ok(FRANCISCO, "set", subscribe(FRANCISCO));
      host.takes(bare(HAMLET));
      const command = (inner = "") =>
        `<command xmlns="http://jabber.org/protocol/commands" node="${NS}#get-pending" action="execute">${inner}</command>`;
      const offer = await ok(HAMLET, "set", command());
      expect(find(offer, "option")?.getChildText("value")).toBe(NODE);
      const done = await ok(HAMLET, "set", command(form("subscribe_authorization", `node=${NODE}`)));
      expect(find(done, "command")?.attrs.status).toBe("completed");
      expect(String(host.takes(HAMLET)[0])).toContain(FRANCISCO);
      expect(await fails(FRANCISCO, "set", command())).toEqual(["forbidden"]);
    });
  });
});

describe("what the service did not hear", () => {
  it("is said again", async () => {
    host = new Host();
    await ok(HAMLET, "set", create());
    host.deaf = true;
    await host.asks(FRANCISCO, "set", subscribe(FRANCISCO));
    host.deaf = false;
    host.evict();
    const list = pubsub("<subscriptions/>");
    expect(find(await ok(FRANCISCO, "get", list), "subscription")).toBeUndefined();
    await host.later();
    expect(find(await ok(FRANCISCO, "get", list), "subscription")?.attrs.node).toBe(NODE);
  });
});

describe("events", () => {
  it("of type normal wait for those who are away, unless the node is for those who are there", async () => {
    host = new Host();
    await ok(HAMLET, "set", create("notification_type=normal"));
    await ok(FRANCISCO, "set", subscribe(FRANCISCO));
    await ok(HAMLET, "set", publish("a"));
    expect(host.sent[0]?.stanza).toMatchObject({ type: "", traits: 4 });
    host.takes(FRANCISCO);
    await ok(
      HAMLET,
      "set",
      owner(`<configure node="${NODE}">${form("node_config", "presence_based_delivery=1")}</configure>`),
    );
    await ok(HAMLET, "set", publish("b"));
    expect(host.sent[0]?.stanza).toMatchObject({ type: "headline" });
  });

  it("go to those who show what the subscriber has chosen; elsewhere nobody knows that", async () => {
    host = new Host();
    await ok(HAMLET, "set", create());
    await ok(FRANCISCO, "set", subscribe(bare(FRANCISCO), "show-values=chat"));
    await ok(HAMLET, "set", publish("a"));
    expect(host.shows).toEqual([["chat"]]);
    expect(await fails("x@y.example/z", "set", subscribe("x@y.example", "show-values=chat"))).toEqual([
      "bad-request",
      "invalid-options",
    ]);
  });
});

describe("many subscribers", () => {
  it("cost one call for all of an object's accounts", async () => {
    host = new Host({ PLACEMENT: "shared:1" });
    await ok(HAMLET, "set", create());
    for (let i = 0; i < 50; i++) await ok(`s${i}@capulet.example/x`, "set", subscribe(`s${i}@capulet.example`));
    host.items = 0;
    await ok(HAMLET, "set", publish("a"));
    expect(host.items).toBe(2); // the answer and the event
    expect(host.sent).toHaveLength(50);
  });
});
