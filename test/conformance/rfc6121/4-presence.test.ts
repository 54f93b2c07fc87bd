/** RFC 6121 §4: Exchanging Presence Information — https://www.rfc-editor.org/rfc/rfc6121#section-4 */
import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const RFC = "RFC 6121";
let world: World;
let count = 0;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

/** Two that see each other; neither has asked for its roster. */
async function friends(): Promise<[Actor, Actor]> {
  const n = ++count;
  const [romeo, juliet] = [
    await world.login(`romeo${n}`, { presence: true, resource: "orchard" }),
    await world.login(`juliet${n}`, { presence: true }),
  ];
  await approve(romeo, juliet);
  await approve(juliet, romeo);
  return [romeo, juliet];
}

/** `user` sees `contact` afterwards. */
async function approve(user: Actor, contact: Actor): Promise<void> {
  await user.sends(`<presence type="subscribe" to="${contact.bare}"/>`);
  await contact.receives(`<presence type="subscribe" from="${user.bare}" to="${contact.bare}"/>`);
  await contact.sends(`<presence type="subscribed" to="${user.bare}"/>`);
  await user.receives(`<presence from="${contact.jid}" to="${user.bare}"/>`);
}

spec(RFC, "4.2.2", "initial presence goes to contacts and to the account's own resources", async () => {
  const [romeo, juliet] = await friends();
  const chamber = await world.login(juliet.name, { resource: "chamber" });
  await chamber.sends("<presence><show>away</show><status>asleep</status></presence>");
  const body = "<show>away</show><status>asleep</status>";
  await romeo.receives(`<presence from="${chamber.jid}" to="${romeo.bare}">${body}</presence>`);
  await juliet.receives(`<presence from="${chamber.jid}" to="${juliet.bare}">${body}</presence>`);
  await chamber.receivesAll(
    [
      `<presence from="${chamber.jid}">${body}</presence>`,
      `<presence from="${juliet.jid}"/>`,
      `<presence from="${romeo.jid}"/>`, // §4.3: it was asked for
    ],
    { extra: true },
  );
});

spec(RFC, "4.4.2", "later presence goes the same ways", async () => {
  const [romeo, juliet] = await friends();
  await juliet.sends("<presence><show>xa</show></presence>");
  await juliet.receives(`<presence from="${juliet.jid}" to="*"><show>xa</show></presence>`);
  await romeo.receives(`<presence from="${juliet.jid}" to="${romeo.bare}"><show>xa</show></presence>`);
});

spec(RFC, "4.5.2", "unavailable presence is told in the client's words, to itself too", async () => {
  const [romeo, juliet] = await friends();
  await juliet.sends(`<presence type="unavailable"><status>good night</status></presence>`);
  const wanted = `<presence type="unavailable" from="${juliet.jid}" to="*"><status>good night</status></presence>`;
  await romeo.receives(wanted);
  await juliet.receives(wanted);
});

spec(RFC, "4.5.2", "a stream that ends without it becomes unavailable", async () => {
  const [romeo, juliet] = await friends();
  await juliet.closes();
  await romeo.receives(`<presence type="unavailable" from="${juliet.jid}" to="${romeo.bare}"/>`);
});

spec(RFC, "4.6.3", "who was sent directed presence is told when the resource leaves", async () => {
  const [romeo, stranger] = [await world.login(`romeo${++count}`), await world.login("stranger", { presence: true })];
  await romeo.sends(`<presence to="${stranger.jid}"><show>chat</show></presence>`);
  await stranger.receives(`<presence from="${romeo.jid}" to="${stranger.jid}"><show>chat</show></presence>`);
  await romeo.closes();
  await stranger.receives(`<presence type="unavailable" from="${romeo.jid}" to="${stranger.jid}"/>`);
});

spec(RFC, "4.6.3", "and not when it was taken back before", async () => {
  const [romeo, stranger] = [await world.login(`romeo${++count}`), await world.login("stranger", { presence: true })];
  await romeo.sends(`<presence to="${stranger.jid}"/>`);
  await stranger.receives(`<presence from="${romeo.jid}" to="${stranger.jid}"/>`);
  await romeo.sends(`<presence type="unavailable" to="${stranger.jid}"/>`);
  await stranger.receives(`<presence type="unavailable" from="${romeo.jid}" to="${stranger.jid}"/>`);
  const other = await world.login("other");
  await romeo.closes();
  await stranger.receivesNothing({ from: other });
});

spec(RFC, "8.5.3.1", "a request reaches only clients that have shown themselves to the sender", async () => {
  const [romeo, juliet] = await friends();
  const stranger = await world.login("stranger", { resource: "asker" });
  const version = `<query xmlns="jabber:iq:version"/>`;
  const answer = await stranger.asks("get", version, juliet.jid);
  if (!answer.getChild("error")?.getChild("service-unavailable")) throw new Error(`answered with ${answer}`);
  await romeo.sends(`<iq type="get" id="v" to="${juliet.jid}">${version}</iq>`);
  await juliet.receives(`<iq type="get" id="v" from="${romeo.jid}" to="${juliet.jid}">${version}</iq>`);
  await juliet.sends(`<iq type="result" id="v" to="${romeo.jid}"/>`);
  await romeo.receives(`<iq type="result" id="v" from="${juliet.jid}" to="${romeo.jid}"/>`);
});
