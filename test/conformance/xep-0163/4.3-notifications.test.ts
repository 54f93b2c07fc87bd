/** XEP-0163 */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { capsOf, infoOf } from "../../unit/pubsub/eventing.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const TUNE = "http://jabber.org/protocol/tune";
const item = (id: string) => `<item id="${id}"><tune xmlns="${TUNE}"><title>Introduction</title></tune></item>`;
const publish = (id: string) =>
  `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="${TUNE}">${item(id)}</publish></pubsub>`;
const event = (from: string, to: string, id: string, more = "") =>
  `<message from="${from}" to="${to}" type="headline" id="*"><event xmlns="http://jabber.org/protocol/pubsub#event"><items node="${TUNE}">${item(
    id,
  )}</items></event>${more}</message>`;

/** Comes on line with capabilities that ask for tunes. */
async function listens(actor: Actor, asked: boolean): Promise<void> {
  await actor.sends(`<presence>${capsOf([TUNE])}</presence>`);
  await actor.receives(`<presence from="${actor.jid}"/>`, { extra: true });
  if (!asked) return;
  const question = await actor.receives(
    `<iq type="get" id="*" from="${actor.bare}" to="${actor.jid}"><query xmlns="http://jabber.org/protocol/disco#info" node="*"/></iq>`,
  );
  await actor.sends(`<iq type="result" id="${question.attrs.id}" to="${actor.bare}">${infoOf([TUNE])}</iq>`);
}

async function befriend(a: Actor, b: Actor): Promise<void> {
  await a.asks("set", `<query xmlns="jabber:iq:roster"><item jid="${b.bare}"/></query>`);
  await a.sends(`<presence type="subscribed" to="${b.bare}"/>`);
  await b.sends(`<presence type="subscribe" to="${a.bare}"/>`);
}

spec("XEP-0163", "4.3", "the owner's resources that ask for them get events, behind the answer", async () => {
  const juliet = await world.login("juliet");
  await listens(juliet, true);
  await juliet.sends(`<iq type="set" id="p1">${publish("a")}</iq>`);
  await juliet.receives(`<iq type="result" id="p1"/>`, { extra: true });
  await juliet.receives(event(juliet.bare, juliet.jid, "a"));
  await juliet.closes();
});

spec(
  "XEP-0163",
  "4.3.3",
  "a contact's client gets the last item when it comes on line, and each event afterwards",
  async () => {
    const juliet = await world.login("juliet2", { presence: true });
    await juliet.asks("set", publish("a"));
    const romeo = await world.login("romeo", { resource: "orchard" });
    await befriend(juliet, romeo);
    await romeo.sends(`<presence>${capsOf([TUNE])}</presence>`);
    // Presence comes back, that of the contact comes, and the question about capabilities, unless they are known here.
    let last = await romeo.next();
    for (; last.name !== "message"; last = await romeo.next())
      if (last.name === "iq" && last.attrs.type === "get")
        await romeo.sends(`<iq type="result" id="${last.attrs.id}" to="${romeo.bare}">${infoOf([TUNE])}</iq>`);
    expect(last.getChild("delay", "urn:xmpp:delay")?.attrs.stamp).toBeDefined();
    expect(String(last)).toContain('id="a"');
    await juliet.sends(`<iq type="set" id="p2">${publish("b")}</iq>`);
    await romeo.receives(event(juliet.bare, romeo.jid, "b"));
    await romeo.receivesNothing();
  },
);
