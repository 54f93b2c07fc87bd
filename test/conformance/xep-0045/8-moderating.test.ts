import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import {
  ADMIN,
  code,
  enters,
  error,
  FORMS,
  founds,
  granted,
  item,
  joining,
  refused,
  roomOf,
  shows,
  USER,
} from "./coven.ts";

const XEP = "XEP-0045";
const extra = { extra: true };
let world: World;
let crone: Actor;
let wicca: Actor;
let hag: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  [crone, wicca, hag] = [await world.login("crone"), await world.login("wicca"), await world.login("hag")];
  room = roomOf(world);
  await founds(crone, room, "firstwitch", { "muc#roomconfig_moderatedroom": "1" });
  await enters(wicca, room, "secondwitch");
  await crone.receives(shows(room, "secondwitch", `role="visitor"`), extra);
  await enters(hag, room, "thirdwitch");
  await crone.receives(shows(room, "thirdwitch", `role="visitor"`), extra);
  await wicca.receives(shows(room, "thirdwitch", `role="visitor"`), extra);
});
afterAll(() => world?.dispose());

spec(XEP, "7.4", "a visitor of a moderated room has no voice", async () => {
  await hag.sends(`<message type="groupchat" to="${room}" id="v"><body>Hail</body></message>`);
  await hag.receives(`<message type="error" id="v" from="${room}">${error("auth", "forbidden")}</message>`, extra);
});

spec(XEP, "7.13", "a visitor asks for voice, the moderators get a form and give it", async () => {
  const request = `<field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#request</value></field>`;
  await hag.sends(
    `<message to="${room}"><x xmlns="${FORMS}" type="submit">${request}<field var="muc#role"><value>participant</value></field></x></message>`,
  );
  const asked = await crone.receives(`<message from="${room}"><x xmlns="${FORMS}" type="form"/></message>`, extra);
  const nick = asked
    .getChild("x", FORMS)
    ?.getChildren("field")
    .find(({ attrs }) => attrs.var === "muc#roomnick");
  if (nick?.getChildText("value") !== "thirdwitch") throw new Error(String(asked));
  await crone.sends(
    `<message to="${room}"><x xmlns="${FORMS}" type="submit">${request}
      <field var="muc#role"><value>participant</value></field><field var="muc#roomnick"><value>thirdwitch</value></field>
      <field var="muc#request_allow"><value>true</value></field></x></message>`,
  );
  for (const witch of [crone, wicca]) await witch.receives(shows(room, "thirdwitch", `role="participant"`), extra);
  await hag.receives(shows(room, "thirdwitch", `role="participant"`, code(110)), extra);
});

spec(XEP, "8.4", "voice is taken, the moderator hears of it first", async () => {
  await crone.sends(
    `<iq type="set" id="v1" to="${room}">${item(`nick="thirdwitch" role="visitor"`, "<reason>Hush</reason>")}</iq>`,
  );
  await crone.receives(`<iq type="result" id="v1" from="${room}" to="${crone.jid}"/>`);
  for (const witch of [crone, wicca, hag])
    await witch.receives(
      `<presence from="${room}/thirdwitch"><x xmlns="${USER}"><item role="visitor"><actor nick="firstwitch"/><reason>Hush</reason></item></x></presence>`,
      extra,
    );
});

spec(XEP, "5.1", "who had no voice has none after coming back", async () => {
  await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"/>`);
  await hag.receives(shows(room, "thirdwitch", `role="none"`, "", "unavailable"), extra);
  for (const witch of [crone, wicca])
    await witch.receives(shows(room, "thirdwitch", `role="none"`, "", "unavailable"), extra);
  await enters(hag, room, "thirdwitch");
  for (const witch of [crone, wicca]) await witch.receives(shows(room, "thirdwitch", `role="visitor"`), extra);
});

spec(XEP, "8.3", "voice is given by the list, and the list is had", async () => {
  await crone.sends(`<iq type="set" id="v2" to="${room}">${item(`nick="thirdwitch" role="participant"`)}</iq>`);
  await crone.receives(`<iq type="result" id="v2" from="${room}" to="${crone.jid}"/>`);
  for (const witch of [crone, wicca, hag]) await witch.receives(shows(room, "thirdwitch", `role="participant"`), extra);
  const list = granted(await crone.asks("get", item(`role="participant"`), room));
  const [one] = list.getChild("query", ADMIN)?.getChildren("item") ?? [];
  if (one?.attrs.nick !== "thirdwitch" || one.attrs.jid !== hag.jid) throw new Error(String(list));
  refused(await hag.asks("get", item(`role="participant"`), room), "forbidden");
});

spec(XEP, "8.1", "only moderators change the subject", async () => {
  await hag.sends(`<message type="groupchat" to="${room}" id="s"><subject>Mine</subject></message>`);
  await hag.receives(`<message type="error" id="s">${error("auth", "forbidden")}</message>`, extra);
});

spec(XEP, "9.6", "an administrator makes a moderator, and unmakes one", async () => {
  await crone.sends(`<iq type="set" id="m" to="${room}">${item(`nick="secondwitch" role="moderator"`)}</iq>`);
  await crone.receives(`<iq type="result" id="m" from="${room}" to="${crone.jid}"/>`);
  for (const witch of [crone, wicca, hag]) await witch.receives(shows(room, "secondwitch", `role="moderator"`), extra);
  refused(await wicca.asks("set", item(`nick="thirdwitch" role="moderator"`), room), "forbidden");
});

spec(XEP, "8.2", "nobody sends out who stands above, nor oneself", async () => {
  refused(await wicca.asks("set", item(`nick="firstwitch" role="none"`), room), "not-allowed");
  refused(await wicca.asks("set", item(`nick="secondwitch" role="none"`), room), "conflict");
  refused(await wicca.asks("set", item(`nick="firstwitch" role="visitor"`), room), "not-allowed");
  refused(await wicca.asks("set", item(`nick="nobody" role="none"`), room), "item-not-found");
  refused(await hag.asks("set", item(`nick="secondwitch" role="none"`), room), "forbidden");
  refused(
    await crone.asks("set", item(`nick="thirdwitch" role="none" affiliation="none" jid="a@b"`), room),
    "bad-request",
  );
});

spec(XEP, "8.2", "a kick: the one it meets, the answer, then everybody else", async () => {
  await wicca.sends(
    `<iq type="set" id="k" to="${room}">${item(`nick="thirdwitch" role="none"`, "<reason>Avaunt</reason>")}</iq>`,
  );
  const kick = (codes: string) =>
    `<presence type="unavailable" from="${room}/thirdwitch"><x xmlns="${USER}">
      <item affiliation="none" role="none"><actor nick="secondwitch"/><reason>Avaunt</reason></item>${codes}</x></presence>`;
  await hag.receives(kick(code(110, 307)), extra);
  await wicca.receives(`<iq type="result" id="k" from="${room}" to="${wicca.jid}"/>`);
  for (const witch of [crone, wicca]) await witch.receives(kick(code(307)), extra);
  await hag.sends(`<message type="groupchat" to="${room}" id="x"><body>Boo</body></message>`);
  await hag.receives(`<message type="error" id="x">${error("modify", "not-acceptable")}</message>`, extra);
});

spec(XEP, "9.1", "a ban: out with 301, and no way back", async () => {
  await enters(hag, room, "thirdwitch");
  for (const witch of [crone, wicca]) await witch.receives(shows(room, "thirdwitch", `role="participant"`), extra);
  refused(await wicca.asks("set", item(`jid="${hag.bare}" affiliation="outcast"`), room), "forbidden");
  refused(await crone.asks("set", item(`jid="${crone.bare}" affiliation="outcast"`), room), "conflict");
  await crone.sends(
    `<iq type="set" id="b" to="${room}">${item(`jid="${hag.bare}" affiliation="outcast"`, "<reason>Treason</reason>")}</iq>`,
  );
  await hag.receives(
    `<presence type="unavailable"><x xmlns="${USER}"><item affiliation="outcast" role="none"><actor nick="firstwitch"/><reason>Treason</reason></item>${code(110, 301)}</x></presence>`,
    extra,
  );
  await crone.receives(`<iq type="result" id="b" from="${room}" to="${crone.jid}"/>`);
  for (const witch of [crone, wicca])
    await witch.receives(
      shows(room, "thirdwitch", `affiliation="outcast" role="none"`, code(301), "unavailable").replace(
        /<item[^>]*\/>/,
        '<item affiliation="outcast" role="none"><reason>Treason</reason></item>',
      ),
      extra,
    );
  await hag.sends(joining(room, "thirdwitch"));
  await hag.receives(`<presence type="error">${error("auth", "forbidden")}</presence>`, extra);
  const list = granted(await crone.asks("get", item(`affiliation="outcast"`), room));
  const [one] = list.getChild("query", ADMIN)?.getChildren("item") ?? [];
  if (one?.attrs.jid !== hag.bare || one.getChildText("reason") !== "Treason") throw new Error(String(list));
  granted(await crone.asks("set", item(`jid="${hag.bare}" affiliation="none"`), room));
  await crone.receives(
    `<message from="${room}"><x xmlns="${USER}"><item jid="${hag.bare}" affiliation="none"/></x></message>`,
    extra,
  );
  await wicca.receives(
    `<message from="${room}"><x xmlns="${USER}"><item jid="${hag.bare}" affiliation="none"/></x></message>`,
    extra,
  );
  await enters(hag, room, "thirdwitch");
  for (const witch of [crone, wicca]) await witch.receives(shows(room, "thirdwitch", `affiliation="none"`), extra);
});

spec(XEP, "9.3", "membership is given, brings voice, and is taken", async () => {
  for (const [affiliation, role] of [
    ["member", "participant"],
    ["none", "visitor"],
  ] as const) {
    await crone.sends(
      `<iq type="set" id="${affiliation}" to="${room}">${item(`jid="${hag.bare}" affiliation="${affiliation}"`)}</iq>`,
    );
    await crone.receives(`<iq type="result" id="${affiliation}" from="${room}" to="${crone.jid}"/>`);
    for (const witch of [crone, wicca, hag])
      await witch.receives(
        `<presence from="${room}/thirdwitch"><x xmlns="${USER}"><item affiliation="${affiliation}" role="${role}"><actor nick="firstwitch"/></item></x></presence>`,
        extra,
      );
  }
});

spec(XEP, "10.3", "owners appoint owners and administrators, nobody else does", async () => {
  granted(await crone.asks("set", item(`jid="${wicca.bare}" affiliation="admin"`), room));
  for (const witch of [crone, wicca, hag])
    await witch.receives(
      `<presence from="${room}/secondwitch"><x xmlns="${USER}"><item affiliation="admin" role="moderator"><actor nick="firstwitch"/></item></x></presence>`,
      extra,
    );
  refused(await wicca.asks("set", item(`jid="${hag.bare}" affiliation="admin"`), room), "forbidden");
  refused(await wicca.asks("set", item(`jid="${crone.bare}" affiliation="none"`), room), "not-allowed");
  refused(await wicca.asks("set", item(`jid="${crone.bare}" affiliation="outcast"`), room), "not-allowed");
});

spec(XEP, "10.4", "the last owner stays one", async () => {
  refused(await crone.asks("set", item(`jid="${crone.bare}" affiliation="admin"`), room), "conflict");
  const swap = `<query xmlns="${ADMIN}"><item jid="${wicca.bare}" affiliation="owner"/><item jid="${crone.bare}" affiliation="none"/></query>`;
  granted(await crone.asks("set", swap, room));
  for (const witch of [crone, wicca, hag]) {
    await witch.receives(
      `<presence from="${room}/secondwitch"><x xmlns="${USER}"><item affiliation="owner" role="moderator"><actor nick="firstwitch"/></item></x></presence>`,
      extra,
    );
    await witch.receives(
      `<presence from="${room}/firstwitch"><x xmlns="${USER}"><item affiliation="none" role="visitor"><actor nick="firstwitch"/></item></x></presence>`,
      extra,
    );
  }
});
