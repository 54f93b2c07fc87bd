/** XEP-0060 §6 to §8: what a request that fails is answered with, section by section. What only LIMITS make fail is in test/unit/pubsub. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { conditions, form } from "../../unit/pubsub/eventing.ts";
import { create, HOST, NS, ok, owner, pubsub } from "./elsinore.ts";

const XEP = "XEP-0060";
const HAMLET = "hamlet@capulet.example";
const FRANCISCO = "francisco@capulet.example";

const subscribe = (node: string, jid = FRANCISCO) => pubsub(`<subscribe node="${node}" jid="${jid}"/>`);
const items = (node: string, attributes = "") => pubsub(`<items node="${node}"${attributes}/>`);
const publish = (node: string, item: string, more = "") => pubsub(`<publish node="${node}">${item}</publish>${more}`);
const entry = (text = "") => `<entry xmlns="http://www.w3.org/2005/Atom">${text}</entry>`;
const item = (id: string, content = entry()) => `<item id="${id}">${content}</item>`;
const retract = (inner: string, attributes = ' node="open"') => pubsub(`<retract${attributes}>${inner}</retract>`);
const affiliation = (node: string, jid: string, what: string) =>
  owner(`<affiliations node="${node}"><affiliation jid="${jid}" affiliation="${what}"/></affiliations>`);
const subscription = (node: string, jid: string, state: string) =>
  owner(`<subscriptions node="${node}"><subscription jid="${jid}" subscription="${state}"/></subscriptions>`);
const command = (inner = "", action = "execute") =>
  `<command xmlns="http://jabber.org/protocol/commands" node="${NS}#get-pending" action="${action}">${inner}</command>`;

let world: World;
let hamlet: Actor;
let francisco: Actor;

beforeAll(async () => {
  world = await World.start();
  hamlet = await world.login("hamlet", { resource: "elsinore" });
  francisco = await world.login("francisco", { resource: "barracks" });
  const nodes: [string, string][] = [
    ["open", "type=http://www.w3.org/2005/Atom"],
    ["closed", "access_model=whitelist"],
    ["asks", "access_model=authorize"],
    ["banned", ""],
    ["deaf", "subscribe=false"],
    ["transient", "persist_items=false"],
    ["signal", "persist_items=false deliver_payloads=false"],
    ["full", "max_items=1 publish_node_full=reject"],
    ["small", "max_payload_size=100"],
    ["moved", ""],
  ];
  for (const [node, config] of nodes) await ok(hamlet, "set", create(node, config || "title=x"));
  await ok(hamlet, "set", affiliation("banned", FRANCISCO, "outcast"));
  await ok(hamlet, "set", publish("open", item("a")));
  await ok(hamlet, "set", publish("full", item("a")));
  await ok(hamlet, "set", owner(`<delete node="moved"><redirect uri="xmpp:elsewhere.example?;node=moved"/></delete>`));
  await ok(francisco, "set", subscribe("open", `${FRANCISCO}/guard`));
  await ok(francisco, "set", subscribe("asks"));
});
afterAll(() => world.dispose());

async function _ok(actor: Actor, type: "get" | "set", payload: string): Promise<void> {
  const answer = await actor.asks(type, payload, HOST);
  expect(answer.attrs.type, String(answer)).toBe("result");
}

type Who = "hamlet" | "francisco";
const GUARD = `${FRANCISCO}/guard`;
const options = (attributes: string, inner = "") => pubsub(`<options ${attributes}>${inner}</options>`);
const asks = (jid: string) => form("subscribe_options", `deliver=${jid}`);

/** Section, what is wrong, who asks, the request, the error: its type, then its conditions. */
const REFUSED: readonly [string, string, Who, "get" | "set", string, string][] = [
  ["6.1.3.1", "somebody else's JID", "francisco", "set", subscribe("open", HAMLET), "modify bad-request invalid-jid"],
  ["6.1.3.1", "no JID", "francisco", "set", pubsub(`<subscribe node="open"/>`), "modify bad-request invalid-jid"],
  ["6.1.3.4", "not on the whitelist", "francisco", "set", subscribe("closed"), "cancel not-allowed closed-node"],
  ["6.1.3.7", "pending already", "francisco", "set", subscribe("asks"), "auth not-authorized pending-subscription"],
  ["6.1.3.8", "an outcast", "francisco", "set", subscribe("banned"), "auth forbidden"],
  [
    "6.1.3.10",
    "a node that takes no subscriptions",
    "francisco",
    "set",
    subscribe("deaf"),
    "cancel feature-not-implemented unsupported subscribe",
  ],
  ["6.1.3.11", "a node that has moved", "francisco", "set", subscribe("moved"), "modify gone"],
  ["6.1.3.12", "no such node", "francisco", "set", subscribe("none"), "cancel item-not-found"],
  [
    "6.2.3.2",
    "not subscribed",
    "francisco",
    "set",
    pubsub(`<unsubscribe node="open" jid="${FRANCISCO}"/>`),
    "cancel unexpected-request not-subscribed",
  ],
  [
    "6.2.3.3",
    "somebody else's subscription",
    "hamlet",
    "set",
    pubsub(`<unsubscribe node="open" jid="${GUARD}"/>`),
    "auth forbidden",
  ],
  [
    "6.2.3.4",
    "no such node",
    "francisco",
    "set",
    pubsub(`<unsubscribe node="none" jid="${FRANCISCO}"/>`),
    "cancel item-not-found",
  ],
  [
    "6.2.3.5",
    "another subscription id",
    "francisco",
    "set",
    pubsub(`<unsubscribe node="open" jid="${GUARD}" subid="x"/>`),
    "modify not-acceptable invalid-subid",
  ],
  ["6.3.4.1", "somebody else's options", "hamlet", "get", options(`node="open" jid="${GUARD}"`), "auth forbidden"],
  [
    "6.3.4.2",
    "not subscribed",
    "francisco",
    "get",
    options(`node="open" jid="${FRANCISCO}"`),
    "modify unexpected-request not-subscribed",
  ],
  ["6.3.4.3", "no JID", "francisco", "get", options(`node="open"`), "modify bad-request jid-required"],
  [
    "6.3.4.5",
    "another subscription id",
    "francisco",
    "get",
    options(`node="open" jid="${GUARD}" subid="x"`),
    "modify not-acceptable invalid-subid",
  ],
  ["6.3.4.7", "no such node", "francisco", "get", options(`node="none" jid="${GUARD}"`), "cancel item-not-found"],
  [
    "6.3.6.2",
    "an option that cannot be",
    "francisco",
    "set",
    options(`node="open" jid="${GUARD}"`, asks("perhaps")),
    "modify bad-request invalid-options",
  ],
  [
    "6.3.7",
    "options that name a node",
    "francisco",
    "set",
    pubsub(`<subscribe node="open" jid="${FRANCISCO}"/><options node="open">${asks("1")}</options>`),
    "modify bad-request",
  ],
  [
    "6.3.7",
    "options before the subscription",
    "francisco",
    "set",
    pubsub(`<options>${asks("1")}</options><subscribe node="open" jid="${FRANCISCO}"/>`),
    "modify bad-request",
  ],
  [
    "6.5.9.2",
    "another subscription id",
    "francisco",
    "get",
    items("open", ' subid="x"'),
    "modify not-acceptable invalid-subid",
  ],
  ["6.5.9.3", "not subscribed yet", "francisco", "get", items("asks"), "auth not-authorized not-subscribed"],
  [
    "6.5.9.4",
    "a node that keeps nothing",
    "francisco",
    "get",
    items("transient"),
    "cancel feature-not-implemented unsupported persistent-items",
  ],
  ["6.5.9.8", "not on the whitelist", "francisco", "get", items("closed"), "cancel not-allowed closed-node"],
  ["6.5.9.10", "an outcast", "francisco", "get", items("banned"), "auth forbidden"],
  ["6.5.9.11", "no such node", "francisco", "get", items("none"), "cancel item-not-found"],
  ["7.1.3.1", "no publisher", "francisco", "set", publish("open", item("x")), "auth forbidden"],
  ["7.1.3.3", "no such node", "hamlet", "set", publish("none", item("x")), "cancel item-not-found"],
  ["7.1.3.4", "a full node", "hamlet", "set", publish("full", item("b")), "cancel conflict node-full"],
  [
    "7.1.3.5",
    "too big a payload",
    "hamlet",
    "set",
    publish("small", item("a", entry("x".repeat(100)))),
    "modify not-acceptable payload-too-big",
  ],
  [
    "7.1.3.6",
    "a payload of another kind",
    "hamlet",
    "set",
    publish("open", item("a", `<tune xmlns="http://jabber.org/protocol/tune"/>`)),
    "modify bad-request invalid-payload",
  ],
  [
    "7.1.3.6",
    "two payloads",
    "hamlet",
    "set",
    publish("open", item("a", entry() + entry())),
    "modify bad-request invalid-payload",
  ],
  ["7.1.3.7", "no item", "hamlet", "set", publish("open", ""), "modify bad-request item-required"],
  ["7.1.3.7", "no payload", "hamlet", "set", publish("open", item("a", "")), "modify bad-request payload-required"],
  ["7.1.3.7", "an item", "hamlet", "set", publish("signal", item("a")), "modify bad-request item-forbidden"],
  [
    "7.1.5",
    "a condition that is not met",
    "hamlet",
    "set",
    publish(
      "open",
      item("b"),
      `<publish-options>${form("publish-options", "access_model=whitelist")}</publish-options>`,
    ),
    "cancel conflict precondition-not-met",
  ],
  [
    "7.1.5",
    "a condition that nobody knows",
    "hamlet",
    "set",
    publish("open", item("b"), `<publish-options>${form("publish-options", "weather=fair")}</publish-options>`),
    "cancel conflict precondition-not-met",
  ],
  ["7.2.3.1", "somebody else's item", "francisco", "set", retract(`<item id="a"/>`), "auth forbidden"],
  ["7.2.3.2", "no such item", "hamlet", "set", retract(`<item id="none"/>`), "cancel item-not-found"],
  ["7.2.3.2", "no such node", "hamlet", "set", retract(`<item id="a"/>`, ' node="none"'), "cancel item-not-found"],
  ["7.2.3.3", "no node", "hamlet", "set", retract(`<item id="a"/>`, ""), "modify bad-request nodeid-required"],
  ["7.2.3.4", "no item", "hamlet", "set", retract(""), "modify bad-request item-required"],
  ["7.2.3.4", "no id", "hamlet", "set", retract("<item/>"), "modify bad-request item-required"],
  [
    "7.2.3.5",
    "a node that keeps nothing",
    "hamlet",
    "set",
    retract(`<item id="a"/>`, ' node="transient"'),
    "cancel feature-not-implemented unsupported persistent-items",
  ],
  ["8.1.1", "a name that is taken", "francisco", "set", pubsub(`<create node="open"/>`), "cancel conflict"],
  [
    "8.1.2",
    "an access model that nobody knows",
    "hamlet",
    "set",
    create("new", "access_model=friends"),
    "modify not-acceptable unsupported-access-model",
  ],
  [
    "8.1.3",
    "a configuration that names a node",
    "hamlet",
    "set",
    pubsub(`<create node="new"/><configure node="new">${form("node_config", "title=x")}</configure>`),
    "modify bad-request",
  ],
  [
    "8.1.3",
    "a configuration before the node",
    "hamlet",
    "set",
    pubsub(`<configure>${form("node_config", "title=x")}</configure><create node="new"/>`),
    "modify bad-request",
  ],
  ["8.2.3.2", "no owner", "francisco", "get", owner(`<configure node="open"/>`), "auth forbidden"],
  ["8.2.3.3", "no node", "hamlet", "get", owner("<configure/>"), "modify bad-request nodeid-required"],
  ["8.2.3.5", "no such node", "hamlet", "get", owner(`<configure node="none"/>`), "cancel item-not-found"],
  [
    "8.2.5.2",
    "a configuration that cannot be",
    "hamlet",
    "set",
    owner(`<configure node="open">${form("node_config", "max_items=many")}</configure>`),
    "modify not-acceptable",
  ],
  ["8.4.3.1", "no owner", "francisco", "set", owner(`<delete node="open"/>`), "auth forbidden"],
  ["8.4.3.2", "no such node", "hamlet", "set", owner(`<delete node="none"/>`), "cancel item-not-found"],
  ["8.5.3.2", "no owner", "francisco", "set", owner(`<purge node="open"/>`), "auth forbidden"],
  [
    "8.5.3.3",
    "a node that keeps nothing",
    "hamlet",
    "set",
    owner(`<purge node="transient"/>`),
    "cancel feature-not-implemented unsupported persistent-items",
  ],
  ["8.5.3.4", "no such node", "hamlet", "set", owner(`<purge node="none"/>`), "cancel item-not-found"],
  ["8.7.3.3", "one who owns nothing", "francisco", "set", command(), "cancel forbidden"],
  [
    "8.7.3.4",
    "no such node",
    "hamlet",
    "set",
    command(form("subscribe_authorization", "node=none"), "complete"),
    "cancel item-not-found",
  ],
  ["8.8.1.3", "no owner", "francisco", "get", owner(`<subscriptions node="open"/>`), "auth forbidden"],
  ["8.8.1.3", "no such node", "hamlet", "get", owner(`<subscriptions node="none"/>`), "cancel item-not-found"],
  ["8.8.2.3", "no owner", "francisco", "set", subscription("open", GUARD, "none"), "auth forbidden"],
  ["8.8.2.3", "no such node", "hamlet", "set", subscription("none", GUARD, "none"), "cancel item-not-found"],
  ["8.8.2.4", "a state that is none", "hamlet", "set", subscription("open", GUARD, "bogus"), "modify not-acceptable"],
  ["8.9.1.3", "no owner", "francisco", "get", owner(`<affiliations node="open"/>`), "auth forbidden"],
  ["8.9.1.3", "no such node", "hamlet", "get", owner(`<affiliations node="none"/>`), "cancel item-not-found"],
  ["8.9.2.3", "no owner", "francisco", "set", affiliation("open", FRANCISCO, "owner"), "auth forbidden"],
  ["8.9.2.3", "no such node", "hamlet", "set", affiliation("none", FRANCISCO, "owner"), "cancel item-not-found"],
  ["8.9.2.4", "a node without an owner", "hamlet", "set", affiliation("open", HAMLET, "none"), "modify not-acceptable"],
];

for (const [section, what, who, type, payload, wanted] of REFUSED)
  spec(XEP, section, `${what}: ${wanted}`, async () => {
    const actor = who === "hamlet" ? hamlet : francisco;
    const answer = await actor.asks(type, payload, HOST);
    expect([answer.getChild("error")?.attrs.type, ...conditions(answer)].join(" "), String(answer)).toBe(wanted);
  });

spec(XEP, "6.5.9.12", "items that are not there are none, and no error", async () => {
  const answer = await francisco.asks("get", pubsub(`<items node="open"><item id="none"/></items>`), HOST);
  expect(answer.getChild("pubsub", NS)?.getChild("items")?.getChildElements()).toEqual([]);
});
