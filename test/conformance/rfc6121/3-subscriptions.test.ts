/** RFC 6121 §3: Managing Presence Subscriptions — https://www.rfc-editor.org/rfc/rfc6121#section-3 */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const RFC = "RFC 6121";
const ROSTER = `<query xmlns="jabber:iq:roster"/>`;
let world: World;
let count = 0;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

/** Two that have never met, both interested and available. */
async function pair(): Promise<[Actor, Actor]> {
  const n = ++count;
  const actors: [Actor, Actor] = [await world.login(`romeo${n}`), await world.login(`juliet${n}`)];
  for (const actor of actors) await arrive(actor);
  return actors;
}

async function arrive(actor: Actor): Promise<void> {
  await actor.asks("get", ROSTER);
  await actor.sends("<presence/>");
  await actor.receives(`<presence from="${actor.jid}" to="*"/>`);
}

const push = (to: Actor, item: string) =>
  `<iq type="set" id="*" from="${to.bare}" to="${to.jid}"><query xmlns="jabber:iq:roster" ver="*">${item}</query></iq>`;

/** `user` is subscribed to `contact` afterwards, and both have been told all about it. */
async function subscribe(user: Actor, contact: Actor, before: "none" | "from" = "none"): Promise<void> {
  const after = before === "none" ? "to" : "both";
  await user.sends(`<presence type="subscribe" to="${contact.bare}"/>`);
  await user.receives(push(user, `<item jid="${contact.bare}" subscription="${before}" ask="subscribe"/>`));
  await contact.receives(`<presence type="subscribe" from="${user.bare}" to="${contact.bare}"/>`);
  await contact.sends(`<presence type="subscribed" to="${user.bare}"/>`);
  await contact.receives(
    push(contact, `<item jid="${user.bare}" subscription="${before === "none" ? "from" : "both"}"/>`),
  );
  await user.receives(`<presence type="subscribed" from="${contact.bare}" to="${user.bare}"/>`);
  await user.receives(push(user, `<item jid="${contact.bare}" subscription="${after}"/>`));
  await user.receives(`<presence from="${contact.jid}" to="${user.bare}"/>`);
}

spec(RFC, "3.1", "a subscription is asked for, granted, and then shows presence, in that order", async () => {
  const [romeo, juliet] = await pair();
  await subscribe(romeo, juliet);
  await subscribe(juliet, romeo, "from");
});

spec(RFC, "3.1.2", "a request to a full address is one to the bare address", async () => {
  const [romeo, juliet] = await pair();
  await romeo.sends(`<presence type="subscribe" id="1" to="${juliet.jid}"/>`);
  await juliet.receives(`<presence type="subscribe" id="1" from="${romeo.bare}" to="${juliet.bare}"/>`);
});

spec(RFC, "3.1.3", "a request that is not answered comes at every login, once, and is in no roster", async () => {
  const n = ++count;
  const romeo = await world.login(`romeo${n}`);
  await world.user(`juliet${n}`);
  for (const id of ["1", "2"])
    await romeo.sends(
      `<presence type="subscribe" id="${id}" to="juliet${n}@capulet.example"><status>Ay me</status></presence>`,
    );
  for (const resource of ["balcony", "chamber"]) {
    const juliet = await world.login(`juliet${n}`, { resource });
    const roster = await juliet.asks("get", ROSTER);
    expect(roster.getChild("query")?.getChildElements()).toEqual([]);
    await juliet.sends("<presence/>");
    await juliet.receives(`<presence from="${juliet.jid}" to="*"/>`);
    await juliet.receives(
      `<presence type="subscribe" from="${romeo.bare}" to="${juliet.bare}"><status>Ay me</status></presence>`,
    );
    await juliet.receivesNothing({ from: romeo });
    await juliet.closes();
  }
});

spec(RFC, "3.1.3", "who is subscribed already is told so, and nobody is asked", async () => {
  const [romeo, juliet] = await pair();
  await subscribe(romeo, juliet);
  await romeo.sends(`<presence type="subscribe" to="${juliet.bare}"/>`);
  await juliet.receivesNothing({ from: romeo });
  await romeo.receivesNothing({ from: juliet });
});

spec(RFC, "3.2", "a cancelled subscription: unavailable, unsubscribed, push", async () => {
  const [romeo, juliet] = await pair();
  await subscribe(romeo, juliet);
  await juliet.sends(`<presence type="unsubscribed" to="${romeo.bare}"/>`);
  await juliet.receives(push(juliet, `<item jid="${romeo.bare}" subscription="none"/>`));
  await romeo.receives(`<presence type="unavailable" from="${juliet.jid}" to="${romeo.bare}"/>`);
  await romeo.receives(`<presence type="unsubscribed" from="${juliet.bare}" to="${romeo.bare}"/>`);
  await romeo.receives(push(romeo, `<item jid="${juliet.bare}" subscription="none"/>`));
  await juliet.sends("<presence><show>away</show></presence>");
  await romeo.receivesNothing({ from: juliet });
});

spec(RFC, "3.3", "a subscription given up: unsubscribe and push there, unavailable here", async () => {
  const [romeo, juliet] = await pair();
  await subscribe(romeo, juliet);
  await romeo.sends(`<presence type="unsubscribe" to="${juliet.bare}"/>`);
  await romeo.receives(push(romeo, `<item jid="${juliet.bare}" subscription="none"/>`));
  await juliet.receives(`<presence type="unsubscribe" from="${romeo.bare}" to="${juliet.bare}"/>`);
  await juliet.receives(push(juliet, `<item jid="${romeo.bare}" subscription="none"/>`));
  await romeo.receives(`<presence type="unavailable" from="${juliet.jid}" to="${romeo.bare}"/>`);
});

spec(RFC, "3.4", "a request that was approved before is granted at once", async () => {
  const [romeo, juliet] = await pair();
  expect(juliet.features?.getChild("sub", "urn:xmpp:features:pre-approval")).toBeDefined();
  await juliet.sends(`<presence type="subscribed" to="${romeo.bare}"/>`);
  await juliet.receives(push(juliet, `<item jid="${romeo.bare}" subscription="none" approved="true"/>`));
  await romeo.receivesNothing({ from: juliet });
  await romeo.sends(`<presence type="subscribe" to="${juliet.bare}"/>`);
  await juliet.receives(push(juliet, `<item jid="${romeo.bare}" subscription="from"/>`));
  await romeo.receives(push(romeo, `<item jid="${juliet.bare}" subscription="none" ask="subscribe"/>`));
  await romeo.receives(`<presence type="subscribed" from="${juliet.bare}" to="${romeo.bare}"/>`);
});
