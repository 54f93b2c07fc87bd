/** XEP-0060 §4.5, §12.5: what the host's nodes make depend on rosters and presence. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { conditions, form } from "../../unit/pubsub/eventing.ts";
import { create, event, HOST, NS, ok, owner, pubsub, refused } from "./elsinore.ts";

const XEP = "XEP-0060";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const item = (id: string) => `<item id="${id}"><entry xmlns="test:entry">${id}</entry></item>`;
const publish = (node: string, id: string) => pubsub(`<publish node="${node}">${item(id)}</publish>`);
const subscribe = (node: string, jid: string, options = "") =>
  pubsub(
    `<subscribe node="${node}" jid="${jid}"/>${options && `<options>${form("subscribe_options", options)}</options>`}`,
  );
const ended = (node: string, jid: string, to = jid) =>
  event(to, `<subscription node="${node}" jid="${jid}" subid="*" subscription="none"/>`);

const rosterItem = (actor: Actor, jid: string, inner = "") =>
  actor.asks("set", `<query xmlns="jabber:iq:roster"><item jid="${jid}">${inner}</item></query>`);

/** An owner and a reader who do not know each other yet. */
async function people(name: string): Promise<[Actor, Actor]> {
  return [await world.login(`${name}-owner`), await world.login(`${name}-reader`, { presence: true })];
}

spec(
  XEP,
  "6.1.3.2",
  "where presence decides, who may not see an owner's presence neither subscribes nor reads",
  async () => {
    const [hamlet, francisco] = await people("presence");
    await ok(hamlet, "set", create("close", "access_model=presence"));
    const wants = ["not-authorized", "presence-subscription-required"];
    expect(await refused(francisco, "set", subscribe("close", francisco.bare))).toEqual(wants);
    expect(await refused(francisco, "get", pubsub(`<items node="close"/>`))).toEqual(wants);
    const info = await francisco.asks(
      "get",
      `<query xmlns="http://jabber.org/protocol/disco#info" node="close"/>`,
      HOST,
    );
    expect(conditions(info)).toEqual(["item-not-found"]);
  },
);

spec(XEP, "4.5", "who may see an owner's presence does both, for as long as that lasts", async () => {
  const [hamlet, francisco] = await people("sharing");
  await ok(hamlet, "set", create("friends", "access_model=presence"));
  // Pre-approved, so that a request is granted at once (RFC 6121 §3.4).
  await hamlet.sends(`<presence type="subscribed" to="${francisco.bare}"/>`);
  await francisco.asks("get", `<query xmlns="jabber:iq:roster"/>`);
  await francisco.sends(`<presence type="subscribe" to="${hamlet.bare}"/>`);
  for (let got = await francisco.next(); got.attrs.type !== "subscribed"; ) got = await francisco.next();
  await drain(francisco);
  await ok(francisco, "set", subscribe("friends", francisco.bare));
  await ok(hamlet, "set", publish("friends", "a"));
  await francisco.receives(event(francisco.bare, `<items node="friends">${item("a")}</items>`));
  // Whoever can no longer see the owner is told that its subscription has ended, and hears nothing more.
  await hamlet.sends(`<presence type="unsubscribed" to="${francisco.bare}"/>`);
  const frames = [await francisco.next()];
  while (!String(frames.at(-1)).includes("<subscription ")) frames.push(await francisco.next());
  expect(String(frames.at(-1))).toContain('subscription="none"');
  await drain(francisco);
  await ok(hamlet, "set", publish("friends", "b"));
  await francisco.receivesNothing();
  expect(await refused(francisco, "get", pubsub(`<items node="friends"/>`))).toEqual([
    "not-authorized",
    "presence-subscription-required",
  ]);
});

/** Takes what has come by the time a ping is answered. */
async function drain(actor: Actor): Promise<void> {
  const id = `drain-${crypto.randomUUID()}`;
  await actor.sends(`<iq type="get" id="${id}" to="${actor.bare}"><ping xmlns="urn:xmpp:ping"/></iq>`);
  while ((await actor.next()).attrs.id !== id);
}

spec(
  XEP,
  "6.1.3.3",
  "where the roster decides, contacts in the groups that are named get in, and out with the group",
  async () => {
    const [hamlet, francisco] = await people("roster");
    await ok(hamlet, "set", create("guard", "access_model=roster roster_groups_allowed=Guards"));
    const wants = ["not-authorized", "not-in-roster-group"];
    expect(await refused(francisco, "set", subscribe("guard", francisco.bare))).toEqual(wants);
    await rosterItem(hamlet, francisco.bare, "<group>Servants</group>");
    expect(await refused(francisco, "set", subscribe("guard", francisco.bare))).toEqual(wants);
    await rosterItem(hamlet, francisco.bare, "<group>Guards</group>");
    // What the account says of its roster is on its way to the node as the request is.
    await eventually(() => francisco.asks("set", subscribe("guard", francisco.bare), HOST));
    await ok(hamlet, "set", publish("guard", "a"));
    await francisco.receives(event(francisco.bare, `<items node="guard">${item("a")}</items>`));
    await rosterItem(hamlet, francisco.bare);
    await francisco.receives(ended("guard", francisco.bare));
    expect(await refused(francisco, "get", pubsub(`<items node="guard"/>`))).toEqual(wants);
  },
);

/** Asks again for as long as the answer is an error: the test's own patience is the bound. */
async function eventually(ask: () => Promise<{ attrs: Record<string, unknown> }>): Promise<void> {
  while ((await ask()).attrs.type !== "result");
}

spec(XEP, "12.5", "a temporary subscription ends with its subscriber's presence", async () => {
  const [hamlet, francisco] = await people("temporary");
  await ok(hamlet, "set", create("watch", "notify_sub=true"));
  await hamlet.sends("<presence/>");
  await hamlet.receives(`<presence from="${hamlet.jid}"/>`, { extra: true });
  const answer = await ok(francisco, "set", subscribe("watch", francisco.jid, "expire=presence"));
  expect(String(answer.getChild("pubsub", NS)?.getChild("options"))).toContain(">presence</value>");
  await hamlet.receives(
    event(hamlet.bare, `<subscription node="watch" jid="${francisco.jid}" subid="*" subscription="subscribed"/>`),
  );
  await ok(hamlet, "set", publish("watch", "a"));
  await francisco.receives(event(francisco.jid, `<items node="watch">${item("a")}</items>`));
  await francisco.sends(`<presence type="unavailable"/>`);
  // Nobody else could say so in the owner's hearing: the account has told the node.
  await hamlet.receives(ended("watch", francisco.jid, hamlet.bare));
  const list = await ok(hamlet, "get", owner(`<subscriptions node="watch"/>`));
  expect(String(list)).not.toContain(francisco.jid);
});

spec(XEP, "12.5", "an owner makes all subscriptions temporary", async () => {
  const [hamlet, francisco] = await people("forced");
  await ok(hamlet, "set", create("brief", "tempsub=1 notify_sub=true"));
  await hamlet.sends("<presence/>");
  await hamlet.receives(`<presence from="${hamlet.jid}"/>`, { extra: true });
  await ok(francisco, "set", subscribe("brief", francisco.bare));
  await hamlet.receives(
    event(hamlet.bare, `<subscription node="brief" jid="${francisco.bare}" subid="*" subscription="subscribed"/>`),
  );
  francisco.cut();
  await hamlet.receives(ended("brief", francisco.bare, hamlet.bare));
  // One who is not there cannot be subscribed for as long as it is there.
  const bernardo = await world.login("forced-absent");
  await ok(bernardo, "set", subscribe("brief", bernardo.bare));
  await hamlet.receives(
    event(hamlet.bare, `<subscription node="brief" jid="${bernardo.bare}" subid="*" subscription="subscribed"/>`),
  );
  await hamlet.receives(ended("brief", bernardo.bare, hamlet.bare));
});

spec(XEP, "16.4.4", "purge_offline: a publisher's items go when it goes off line", async () => {
  const [hamlet, francisco] = await people("purge");
  await hamlet.sends("<presence/>");
  await hamlet.receives(`<presence from="${hamlet.jid}"/>`, { extra: true });
  await ok(hamlet, "set", create("posts", "purge_offline=1 publish_model=open"));
  await ok(hamlet, "set", subscribe("posts", hamlet.bare));
  await ok(hamlet, "set", publish("posts", "mine"));
  await hamlet.receives(event(hamlet.bare, `<items node="posts">${item("mine")}</items>`));
  await ok(francisco, "set", publish("posts", "his"));
  await hamlet.receives(event(hamlet.bare, `<items node="posts">${item("his")}</items>`));
  await francisco.closes();
  await hamlet.receives(event(hamlet.bare, `<items node="posts"><retract id="his"/></items>`));
  expect(String(await ok(hamlet, "get", pubsub(`<items node="posts"/>`)))).toContain('id="mine"');
});
