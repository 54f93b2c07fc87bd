import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { configures, enters, error, founds, joining, MUC, OWNER, roomOf, USER } from "./coven.ts";

const XEP = "XEP-0045";
let world: World;
let crone: Actor;
let wicca: Actor;
let hag: Actor;

beforeAll(async () => {
  world = await World.start();
  crone = await world.login("crone");
  wicca = await world.login("wicca");
  hag = await world.login("hag");
});
afterAll(() => world?.dispose());

spec(XEP, "10.1.1", "who enters a room that does not exist makes it and is told so (201)", async () => {
  const room = roomOf(world, "new");
  await crone.sends(joining(room, "firstwitch"));
  await crone.receives(
    `<presence from="${room}/firstwitch" to="${crone.jid}"><x xmlns="${USER}">
      <item affiliation="owner" role="moderator" jid="${crone.jid}"/><status code="110"/><status code="201"/>
    </x><occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/></presence>`,
    { extra: true },
  );
  await crone.receives(`<message type="groupchat" from="${room}" to="${crone.jid}"><subject/></message>`);
});

spec(XEP, "7.2.10", "a room that is not set up lets nobody else in", async () => {
  const room = roomOf(world, "new");
  await hag.sends(joining(room, "thirdwitch"));
  await hag.receives(
    `<presence type="error" from="${room}/thirdwitch">${error("cancel", "item-not-found")}</presence>`,
    {
      extra: true,
    },
  );
});

spec(XEP, "10.1.2", "an instant room is open at once", async () => {
  const room = roomOf(world, "new");
  await configures(crone, room, {});
  await enters(hag, room, "thirdwitch");
  await crone.receives(`<presence from="${room}/thirdwitch"/>`, { extra: true });
});

spec(XEP, "7.2.2", "presences of others, own presence, history, subject, in this order", async () => {
  const room = roomOf(world, "order");
  await founds(crone, room, "firstwitch");
  await crone.sends(
    `<message type="groupchat" to="${room}" id="m1"><body>Thrice the brinded cat hath mew'd.</body></message>`,
  );
  await crone.receives(`<message type="groupchat" from="${room}/firstwitch" id="m1"/>`, { extra: true });
  await crone.sends(`<message type="groupchat" to="${room}" id="m2"><subject>Fire burn</subject></message>`);
  await crone.receives(`<message id="m2"><subject>Fire burn</subject></message>`, { extra: true });
  await enters(wicca, room, "secondwitch");
  await crone.receives(`<presence from="${room}/secondwitch" to="${crone.jid}"/>`, { extra: true });

  await hag.sends(joining(room, "thirdwitch"));
  await hag.receivesAll(
    [
      `<presence from="${room}/firstwitch" to="${hag.jid}"><x xmlns="${USER}"><item affiliation="owner" role="moderator"/></x></presence>`,
      `<presence from="${room}/secondwitch" to="${hag.jid}"><x xmlns="${USER}"><item affiliation="none" role="participant"/></x></presence>`,
    ],
    { extra: true },
  );
  await hag.receives(
    `<presence from="${room}/thirdwitch" to="${hag.jid}"><x xmlns="${USER}">
      <item affiliation="none" role="participant"/><status code="110"/></x></presence>`,
    { extra: true },
  );
  await hag.receives(
    `<message type="groupchat" from="${room}/firstwitch" to="${hag.jid}" id="m1"><body>*</body>
      <stanza-id xmlns="urn:xmpp:sid:0" by="${room}" id="*"/><delay xmlns="urn:xmpp:delay" from="${room}" stamp="*"/></message>`,
    { extra: true },
  );
  await hag.receives(
    `<message type="groupchat" from="${room}/firstwitch"><subject>Fire burn</subject><delay xmlns="urn:xmpp:delay" from="${room}" stamp="*"/></message>`,
    { extra: true },
  );
  await crone.receives(
    `<presence from="${room}/thirdwitch"><x xmlns="${USER}"><item jid="${hag.jid}"/></x></presence>`,
    { extra: true },
  );
  const seen = await wicca.receives(`<presence from="${room}/thirdwitch"/>`, { extra: true });
  if (seen.getChild("x", USER)?.getChild("item")?.attrs.jid)
    throw new Error("§7.2.4: no address for who is no moderator");
});

spec(XEP, "7.4", "a message goes to everybody, its id kept, from the sender's nick", async () => {
  const room = roomOf(world, "order");
  await hag.sends(`<message type="groupchat" to="${room}" id="hail"><body>Harpier cries</body></message>`);
  for (const witch of [hag, crone, wicca])
    await witch.receives(
      `<message type="groupchat" id="hail" from="${room}/thirdwitch" to="${witch.jid}"><body>Harpier cries</body>
        <occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/><stanza-id xmlns="urn:xmpp:sid:0" by="${room}" id="*"/></message>`,
    );
});

spec(XEP, "7.4", "who is not in the room is refused", async () => {
  const room = roomOf(world, "new");
  await wicca.sends(`<message type="groupchat" to="${room}" id="x"><body>Hail</body></message>`);
  await wicca.receives(`<message type="error" id="x" from="${room}">${error("modify", "not-acceptable")}</message>`, {
    extra: true,
  });
});

spec(XEP, "7.14", "leaving: 110 to oneself, and everybody else learns it with the last words", async () => {
  const room = roomOf(world, "order");
  await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"><status>gone</status></presence>`);
  await hag.receives(
    `<presence type="unavailable" from="${room}/thirdwitch" to="${hag.jid}"><status>gone</status>
      <x xmlns="${USER}"><item affiliation="none" role="none" jid="${hag.jid}"/><status code="110"/></x></presence>`,
    { extra: true },
  );
  for (const witch of [crone, wicca])
    await witch.receives(
      `<presence type="unavailable" from="${room}/thirdwitch"><status>gone</status><x xmlns="${USER}"><item affiliation="none" role="none"/></x></presence>`,
      { extra: true },
    );
});

spec(XEP, "10.2", "only an owner gets the form", async () => {
  const room = roomOf(world, "order");
  const answer = await wicca.asks("get", `<query xmlns="${OWNER}"/>`, room);
  if (answer.attrs.type !== "error" || !answer.getChild("error")?.getChild("forbidden"))
    throw new Error(String(answer));
  const form = await crone.asks("get", `<query xmlns="${OWNER}"/>`, room);
  if (form.attrs.type !== "result") throw new Error(String(form));
});

spec(
  XEP,
  "7.2.1",
  "a presence without <x/> from who is not here is answered by a kick for technical reasons",
  async () => {
    const room = roomOf(world, "order");
    await hag.sends(`<presence to="${room}/thirdwitch"/>`);
    await hag.receives(
      `<presence type="unavailable" from="${room}/thirdwitch" to="${hag.jid}"><x xmlns="${USER}">
      <item affiliation="none" role="none"/><status code="110"/><status code="307"/><status code="333"/></x></presence>`,
      { extra: true },
    );
  },
);

spec(XEP, "6.4", "disco#info of a room", async () => {
  const room = roomOf(world, "order");
  const info = await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room);
  const vars = info
    .getChild("query")
    ?.getChildren("feature")
    .map(({ attrs }) => attrs.var);
  for (const name of [MUC, "muc_open", "muc_semianonymous", "urn:xmpp:occupant-id:0", "muc_public"])
    if (!vars?.includes(name)) throw new Error(`${name} is missing: ${info}`);
});

spec(XEP, "6.3", "the service lists public rooms", async () => {
  const items = await hag.asks(
    "get",
    `<query xmlns="http://jabber.org/protocol/disco#items"/>`,
    world.settings.mucDomain,
  );
  const jids = items
    .getChild("query")
    ?.getChildren("item")
    .map(({ attrs }) => attrs.jid);
  if (!jids?.includes(roomOf(world, "order"))) throw new Error(String(items));
});
