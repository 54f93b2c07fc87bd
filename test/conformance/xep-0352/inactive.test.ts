/** XEP-0352: Client State Indication — https://xmpp.org/extensions/xep-0352.html */
import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0352";
const ACTIVE = `<active xmlns="urn:xmpp:csi:0"/>`;
const INACTIVE = `<inactive xmlns="urn:xmpp:csi:0"/>`;
const composing = `<composing xmlns="http://jabber.org/protocol/chatstates"/>`;
let world: World;
let romeo: Actor;
let users = 0;
beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo", { resource: "orchard" });
});
afterAll(() => world.dispose());

/** A client that looks away. */
async function sleeper(managed = false): Promise<[Actor, string]> {
  const juliet = await world.login(`juliet${++users}`, { resource: "phone" });
  const id = managed ? await juliet.enables() : "";
  await juliet.sends("<presence/>");
  await juliet.next();
  await juliet.sends(INACTIVE);
  return [juliet, id];
}

/** Romeo's stanzas have arrived: what he asks behind them is answered by where they went. */
const arrived = () => romeo.receivesNothing();
const state = (to: Actor) => romeo.sends(`<message to="${to.jid}" type="chat">${composing}</message>`);
const show = (to: Actor, what: string) => romeo.sends(`<presence to="${to.jid}"><show>${what}</show></presence>`);

spec(XEP, "5.1", "presence and chat states wait for the client to look, and come in order", async () => {
  const [juliet] = await sleeper();
  await show(juliet, "away");
  await state(juliet);
  await arrived();
  await juliet.sends(ACTIVE);
  await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"><show>away</show></presence>`);
  await juliet.receives(`<message from="${romeo.jid}" to="${juliet.jid}" type="chat">${composing}</message>`);
  await juliet.receivesNothing();
});

spec(XEP, "5.1", "of several presences of one sender the last is enough", async () => {
  const [juliet] = await sleeper();
  for (const what of ["away", "dnd", "xa"]) await show(juliet, what);
  await arrived();
  await juliet.sends(ACTIVE);
  await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"><show>xa</show></presence>`);
  await juliet.receivesNothing();
});

spec(XEP, "5", "a message does not wait, and what was held comes before it", async () => {
  const [juliet] = await sleeper();
  await show(juliet, "away");
  await romeo.sends(`<message to="${juliet.jid}" type="chat" id="m"><body>Wake up!</body></message>`);
  await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"><show>away</show></presence>`);
  await juliet.receives(`<message from="${romeo.jid}" id="m"><body>Wake up!</body></message>`, { extra: true });
});

spec(XEP, "5", "requests and answers do not wait", async () => {
  const [juliet] = await sleeper();
  await juliet.sends(`<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await juliet.receives(`<iq type="result" id="1"/>`, { extra: true });
});

spec(XEP, "5", "a subscription request does not wait", async () => {
  const [juliet] = await sleeper();
  await romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
  await juliet.receives(`<presence type="subscribe" from="${romeo.bare}"/>`, { extra: true });
});

spec(XEP, "5.1", "too much is not held", async () => {
  const [juliet] = await sleeper();
  const long = "x".repeat(2100);
  await romeo.sends(`<presence to="${juliet.jid}"><status>${long}</status></presence>`);
  await romeo.sends(`<message to="${juliet.jid}" type="chat">${composing}<thread>${long}</thread></message>`);
  await juliet.receives(`<presence from="${romeo.jid}"><status>${long}</status></presence>`, { extra: true });
  await juliet.receives(`<message from="${romeo.jid}"><thread>${long}</thread></message>`, { extra: true });
});

spec(XEP, "5", "what was held for a stream that was lost is there when it is resumed", async () => {
  const [juliet, id] = await sleeper(true);
  await show(juliet, "away");
  await arrived();
  await juliet.handled();
  juliet.cut();
  const back = await world.connect(juliet.name);
  await back.authenticates();
  await back.resumes(id, 1);
  await back.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"><show>away</show></presence>`);
});
