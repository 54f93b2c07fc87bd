import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import {
  code,
  enters,
  error,
  FORMS,
  founds,
  granted,
  item,
  joining,
  MUC,
  refused,
  roomOf,
  shows,
  USER,
  until,
} from "./coven.ts";

const XEP = "XEP-0045";
const extra = { extra: true };
const REGISTER = "jabber:iq:register";
let world: World;
let crone: Actor;
let wicca: Actor;
let hag: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  const login = (name: string) => world.login(name, { presence: true });
  [crone, wicca, hag] = [await login("crone"), await login("wicca"), await login("hag")];
  room = roomOf(world);
  await founds(crone, room, "firstwitch");
  await enters(wicca, room, "secondwitch");
  await crone.receives(shows(room, "secondwitch", `role="participant"`), extra);
});
afterAll(() => world?.dispose());

spec(XEP, "7.6", "a new nick: 303 for the old one, then the new one", async () => {
  await wicca.sends(`<presence to="${room}/oldhag"/>`);
  const gone = (codes: string) =>
    `<presence type="unavailable" from="${room}/secondwitch"><x xmlns="${USER}"><item nick="oldhag"/>${codes}</x></presence>`;
  await crone.receives(gone(code(303)), extra);
  await crone.receives(shows(room, "oldhag", `role="participant" jid="${wicca.jid}"`), extra);
  await wicca.receives(gone(code(110, 303)), extra);
  await wicca.receives(shows(room, "oldhag", `role="participant"`, code(110)), extra);
  await wicca.sends(`<presence to="${room}/FirstWitch" id="taken"/>`);
  await wicca.receives(
    `<presence type="error" id="taken" from="${room}/FirstWitch">${error("cancel", "conflict")}</presence>`,
    extra,
  );
});

spec(XEP, "7.7", "a change of presence is shown, what only the room may say is not", async () => {
  await wicca.sends(
    `<presence to="${room}/oldhag"><show>xa</show><x xmlns="${USER}"><item affiliation="owner" role="moderator"/></x><occupant-id xmlns="urn:xmpp:occupant-id:0" id="forged"/></presence>`,
  );
  const seen = await crone.receives(
    `<presence from="${room}/oldhag" to="*"><show>xa</show><x xmlns="${USER}"><item affiliation="none" role="participant" jid="${wicca.jid}"/></x><occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/></presence>`,
  );
  if (String(seen).includes("forged")) throw new Error("a forged occupant-id was passed on");
  await wicca.receives(
    shows(room, "oldhag", `role="participant"`, code(110)).replace("<x ", "<show>xa</show><x "),
    extra,
  );
});

spec(XEP, "7.2.8", "another's nick is refused, one's own is shared by one's clients", async () => {
  await hag.sends(joining(room, "oldhag"));
  await hag.receives(`<presence type="error" from="${room}/oldhag">${error("cancel", "conflict")}</presence>`, extra);
  const second = await world.login("wicca", { resource: "laptop", presence: true });
  await wicca.receives(`<presence from="${second.jid}"/>`, extra);
  await until(second, (got) => got.attrs.from === wicca.jid);
  await enters(second, room, "oldhag");
  await crone.receives(shows(room, "oldhag", `jid="${second.jid}"`), extra);
  await wicca.receives(shows(room, "oldhag", `role="participant"`, code(110)), extra);
  await crone.sends(`<message type="groupchat" to="${room}" id="both"><body>Hail</body></message>`);
  for (const client of [crone, wicca, second])
    await client.receives(`<message id="both" from="${room}/firstwitch"><body>Hail</body></message>`, extra);
  await second.sends(`<presence to="${room}/oldhag" type="unavailable"/>`);
  await second.receives(shows(room, "oldhag", `role="none"`, code(110), "unavailable"), extra);
  await crone.receives(shows(room, "oldhag", `role="participant" jid="${wicca.jid}"`), extra);
  await wicca.receives(shows(room, "oldhag", `role="participant"`, code(110)), extra);
  await second.closes();
  await wicca.receives(`<presence type="unavailable" from="${second.jid}"/>`, extra);
});

spec(XEP, "7.2.1", "entering again is a full synchronisation", async () => {
  await wicca.sends(
    `<presence to="${room}/oldhag"><show>xa</show><x xmlns="${MUC}"><history maxstanzas="0"/></x></presence>`,
  );
  await wicca.receives(shows(room, "firstwitch", `role="moderator"`), extra);
  await wicca.receives(
    shows(room, "oldhag", `role="participant"`, code(110)).replace("<x ", "<show>xa</show><x "),
    extra,
  );
  await wicca.receives(`<message type="groupchat" from="${room}"><subject/></message>`, extra);
});

spec(XEP, "7.2.14", "history is what the least of the limits allows", async () => {
  for (const n of [1, 2, 3]) {
    await crone.sends(`<message type="groupchat" to="${room}" id="h${n}"><body>${n}</body></message>`);
    for (const witch of [crone, wicca])
      await witch.receives(`<message id="h${n}"/>`.replace("/>", `><body>${n}</body></message>`), extra);
  }
  const history = async (limits: string): Promise<number> => {
    await hag.sends(joining(room, "thirdwitch", `<history ${limits}/>`));
    let count = 0;
    await until(hag, (got) => {
      if (got.getChild("body")) count++;
      return got.name === "message" && got.getChild("subject") !== undefined && !got.getChild("body");
    });
    await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"/>`);
    await until(hag, (got) => got.attrs.type === "unavailable");
    for (const witch of [crone, wicca]) {
      await witch.receives(shows(room, "thirdwitch", `role="participant"`), extra);
      await witch.receives(shows(room, "thirdwitch", `role="none"`, "", "unavailable"), extra);
    }
    return count;
  };
  const cases: [string, number][] = [
    ['maxstanzas="2"', 2],
    ['maxchars="0"', 0],
    ['maxchars="700"', 1],
    ['maxstanzas="0"', 0],
    [`since="2999-01-01T00:00:00Z"`, 0],
    ['seconds="600"', 4],
  ];
  for (const [limits, expected] of cases) {
    const got = await history(limits);
    if (got !== expected) throw new Error(`${limits}: ${got} messages, not ${expected}`);
  }
});

spec(XEP, "7.8.2", "an invitation goes through the room, and so does the refusal", async () => {
  await crone.sends(
    `<message to="${room}"><x xmlns="${USER}"><invite to="${hag.bare}"><reason>Eye of newt</reason></invite></x></message>`,
  );
  await hag.receives(
    `<message from="${room}" to="*"><x xmlns="${USER}"><invite from="${crone.bare}"><reason>Eye of newt</reason></invite></x></message>`,
    extra,
  );
  await hag.sends(
    `<message to="${room}"><x xmlns="${USER}"><decline to="${crone.bare}"><reason>Busy</reason></decline></x></message>`,
  );
  await crone.receives(
    `<message from="${room}"><x xmlns="${USER}"><decline from="${hag.bare}"><reason>Busy</reason></decline></x></message>`,
    extra,
  );
  await hag.sends(`<message to="${room}" id="i"><x xmlns="${USER}"><invite to="${wicca.bare}"/></x></message>`);
  await hag.receives(`<message type="error" id="i">${error("modify", "not-acceptable")}</message>`, extra);
});

spec(XEP, "7.10", "registering makes a member and keeps the nick", async () => {
  const form = granted(await hag.asks("get", `<query xmlns="${REGISTER}"/>`, room));
  if (!form.getChild("query")?.getChild("x", FORMS)) throw new Error(String(form));
  const submit = (nick: string) =>
    `<query xmlns="${REGISTER}"><x xmlns="${FORMS}" type="submit"><field var="FORM_TYPE"><value>${MUC}#register</value></field>
      <field var="muc#register_roomnick"><value>${nick}</value></field></x></query>`;
  refused(await hag.asks("set", submit("firstwitch"), room), "conflict");
  granted(await hag.asks("set", submit("thirdwitch"), room));
  await crone.receives(
    `<message from="${room}"><x xmlns="${USER}"><item jid="${hag.bare}" affiliation="member"/></x></message>`,
    extra,
  );
  const again = granted(await hag.asks("get", `<query xmlns="${REGISTER}"/>`, room));
  if (again.getChild("query")?.getChildText("username") !== "thirdwitch") throw new Error(String(again));
  const nick = granted(
    await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info" node="x-roomuser-item"/>`, room),
  );
  if (nick.getChild("query")?.getChild("identity")?.attrs.name !== "thirdwitch") throw new Error(String(nick));
  await wicca.sends(`<presence to="${room}/thirdwitch" id="kept"/>`);
  await wicca.receives(`<presence type="error" id="kept">${error("cancel", "conflict")}</presence>`, extra);
  // 7.2.2: the registered nick is used whatever was asked for.
  await hag.sends(joining(room, "another"));
  await until(hag, (got) => got.attrs.from === `${room}/thirdwitch` && String(got).includes('code="210"'));
  await until(hag, (got) => got.name === "message" && got.getChild("body") === undefined);
});

spec("XEP-0410", "3", "a self-ping says whether one is here", async () => {
  const ping = `<ping xmlns="urn:xmpp:ping"/>`;
  granted(await hag.asks("get", ping, `${room}/thirdwitch`));
  await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"/>`);
  await until(hag, (got) => got.attrs.type === "unavailable");
  refused(await hag.asks("get", ping, `${room}/thirdwitch`), "not-acceptable");
});

spec(XEP, "17.4", "a request to an occupant reaches its client, and neither learns the other's address", async () => {
  await until(wicca, (got) => got.attrs.from === `${room}/thirdwitch` && got.attrs.type === "unavailable");
  await until(crone, (got) => got.attrs.from === `${room}/thirdwitch` && got.attrs.type === "unavailable");
  await crone.sends(`<iq type="get" id="who" to="${room}/oldhag"><query xmlns="jabber:iq:version"/></iq>`);
  const asked = await wicca.receives(
    `<iq type="get" id="*" from="${room}/firstwitch" to="${wicca.jid}"><query xmlns="jabber:iq:version"/></iq>`,
  );
  await wicca.sends(
    `<iq type="result" id="${asked.attrs.id}" to="${room}/firstwitch"><query xmlns="jabber:iq:version"><name>Cauldron</name></query></iq>`,
  );
  await crone.receives(
    `<iq type="result" id="who" from="${room}/oldhag" to="${crone.jid}"><query xmlns="jabber:iq:version"><name>Cauldron</name></query></iq>`,
  );
  refused(
    await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, `${room}/oldhag`),
    "bad-request",
  );
});

spec(XEP, "6.5", "who is here is no stranger's business", async () => {
  const list = async (actor: Actor) => {
    const items = granted(await actor.asks("get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`, room));
    return items.getChild("query")?.getChildren("item").length;
  };
  if ((await list(hag)) !== 0 || (await list(crone)) !== 2) throw new Error("the wrong people are listed");
});

spec(XEP, "7.4", "a message sent again after a lost stream comes back to its author alone", async () => {
  const message = `<message type="groupchat" to="${room}" id="once"><body>Once</body><origin-id xmlns="urn:xmpp:sid:0" id="once"/></message>`;
  await crone.sends(message);
  const first = await crone.receives(`<message id="once"><body>Once</body></message>`, extra);
  await wicca.receives(`<message id="once"><body>Once</body></message>`, extra);
  await crone.sends(message);
  const again = await crone.receives(`<message id="once"><body>Once</body></message>`, extra);
  const uid = (el: typeof first) => el.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs.id;
  if (uid(first) !== uid(again)) throw new Error("another id");
  await wicca.receivesNothing({ from: crone });
});

spec(XEP, "18.1.2", "who vanished without a word is gone", async () => {
  wicca.cut();
  await until(crone, (got) => got.attrs.from === `${room}/oldhag` && got.attrs.type === "unavailable");
  granted(await crone.asks("set", item(`jid="${hag.bare}" affiliation="none"`), room));
});

spec(XEP, "7.5", "a private message comes from the sender's nick, marked as one", async () => {
  const other = roomOf(world, "whispers");
  const [romeo, juliet] = [
    await world.login("romeo", { presence: true }),
    await world.login("juliet", { presence: true }),
  ];
  await founds(romeo, other, "firstwitch");
  await enters(juliet, other, "secondwitch");
  await romeo.receives(shows(other, "secondwitch", `role="participant"`), extra);
  await romeo.sends(`<message to="${other}/secondwitch" type="chat" id="pm"><body>Psst</body></message>`);
  await juliet.receives(
    `<message type="chat" id="pm" from="${other}/firstwitch" to="${juliet.jid}"><body>Psst</body><x xmlns="${USER}"/></message>`,
    extra,
  );
  await romeo.sends(`<message to="${other}/nobody" type="chat" id="pm2"><body>Psst</body></message>`);
  await romeo.receives(
    `<message type="error" id="pm2" from="${other}/nobody">${error("cancel", "item-not-found")}</message>`,
    extra,
  );
  await hag.sends(`<message to="${other}/secondwitch" type="chat" id="pm3"><body>Psst</body></message>`);
  await hag.receives(`<message type="error" id="pm3">${error("modify", "not-acceptable")}</message>`, extra);
  await romeo.sends(`<message to="${other}/secondwitch" type="groupchat" id="pm4"><body>Psst</body></message>`);
  await romeo.receives(`<message type="error" id="pm4">${error("modify", "bad-request")}</message>`, extra);
});
