import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import {
  ADMIN,
  code,
  configures,
  enters,
  error,
  FORMS,
  founds,
  granted,
  item,
  joining,
  OWNER,
  refused,
  roomOf,
  shows,
  submission,
  USER,
  until,
} from "./coven.ts";

const XEP = "XEP-0045";
const extra = { extra: true };
let world: World;
let crone: Actor;
let wicca: Actor;
let hag: Actor;

beforeAll(async () => {
  world = await World.start();
  [crone, wicca, hag] = [await world.login("crone"), await world.login("wicca"), await world.login("hag")];
});
afterAll(() => world?.dispose());

/** Everybody's first stanza that is none of presence. */
const told = (actor: Actor, room: string, codes: string) =>
  actor.receives(`<message type="groupchat" from="${room}"><x xmlns="${USER}">${codes}</x></message>`, extra);

spec(XEP, "10.1.3", "the form shows every setting, and a cancelled first configuration is no room", async () => {
  const room = roomOf(world, "reserved");
  await enters(crone, room, "firstwitch");
  const form = granted(await crone.asks("get", `<query xmlns="${OWNER}"/>`, room));
  const fields = form.getChild("query")?.getChild("x", FORMS)?.getChildren("field") ?? [];
  const names = fields.map(({ attrs }) => attrs.var);
  for (const name of [
    "roomname",
    "roomdesc",
    "lang",
    "persistentroom",
    "publicroom",
    "membersonly",
    "moderatedroom",
    "passwordprotectedroom",
    "roomsecret",
    "maxusers",
    "whois",
    "changesubject",
    "allowinvites",
    "allowpm",
    "presencebroadcast",
    "getmemberlist",
    "enablelogging",
    "pubsub",
    "roomowners",
    "roomadmins",
    "slow_mode_duration",
  ])
    if (!names.includes(`muc#roomconfig_${name}`)) throw new Error(`${name} is missing`);
  const slow = fields.find(({ attrs }) => attrs.var?.includes("slow_mode"));
  if (!slow?.getChild("validate", "http://jabber.org/protocol/xdata-validate"))
    throw new Error("XEP-0500: no validation");
  await crone.sends(
    `<iq type="set" id="cancel" to="${room}"><query xmlns="${OWNER}"><x xmlns="${FORMS}" type="cancel"/></query></iq>`,
  );
  await crone.receives(
    `<presence type="unavailable" from="${room}/firstwitch"><x xmlns="${USER}"><destroy/></x></presence>`,
    extra,
  );
  await crone.receives(`<iq type="result" id="cancel" from="${room}" to="*"/>`);
  refused(await crone.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room), "item-not-found");
});

spec(XEP, "10.1.3", "who leaves before setting up leaves nothing", async () => {
  const room = roomOf(world, "reserved");
  await enters(crone, room, "firstwitch");
  await crone.sends(`<presence type="unavailable" to="${room}/firstwitch"/>`);
  await crone.receives(
    `<presence type="unavailable" from="${room}/firstwitch"/>`.replace(
      "/>",
      `><x xmlns="${USER}"><item affiliation="owner" role="none"/></x></presence>`,
    ),
    extra,
  );
  refused(await crone.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room), "item-not-found");
});

spec(XEP, "7.2.5", "a password is asked for", async () => {
  const room = roomOf(world, "secret");
  await enters(crone, room, "firstwitch");
  refused(await crone.asks("set", submission({ "muc#roomconfig_passwordprotectedroom": "1" }), room), "not-acceptable");
  await configures(crone, room, {
    "muc#roomconfig_passwordprotectedroom": "1",
    "muc#roomconfig_roomsecret": "cauldronburn",
  });
  await told(crone, room, code(104));
  await hag.sends(joining(room, "thirdwitch", "<password>wrong</password>"));
  await hag.receives(`<presence type="error">${error("auth", "not-authorized")}</presence>`, extra);
  await enters(hag, room, "thirdwitch", "<password>cauldronburn</password>");
  await crone.receives(shows(room, "thirdwitch", `role="participant"`), extra);
});

spec(XEP, "10.2.1", "everybody is told what has changed", async () => {
  const room = roomOf(world, "secret");
  await configures(crone, room, { "muc#roomconfig_whois": "anyone" });
  for (const witch of [crone, hag]) await told(witch, room, code(172));
  await configures(crone, room, { "muc#roomconfig_whois": "moderators", "muc#roomconfig_enablelogging": "0" });
  for (const witch of [crone, hag]) await told(witch, room, code(171, 173));
});

spec(XEP, "10.2", "a room that becomes one for members sends the others out with 322", async () => {
  const room = roomOf(world, "secret");
  await crone.sends(`<iq type="set" id="mo" to="${room}">${submission({ "muc#roomconfig_membersonly": "1" })}</iq>`);
  await hag.receives(shows(room, "thirdwitch", `affiliation="none" role="none"`, code(110, 322), "unavailable"), extra);
  await crone.receives(`<iq type="result" id="mo" from="${room}" to="*"/>`);
  await told(crone, room, code(104));
  await crone.receives(shows(room, "thirdwitch", `affiliation="none" role="none"`, code(322), "unavailable"), extra);
  await hag.sends(joining(room, "thirdwitch", "<password>cauldronburn</password>"));
  await hag.receives(`<presence type="error">${error("auth", "registration-required")}</presence>`, extra);
});

spec(XEP, "9.5", "a new member of a room for members is invited, and out with 321 when no longer one", async () => {
  const room = roomOf(world, "secret");
  await hag.sends("<presence/>");
  await hag.receives(`<presence from="${hag.jid}"/>`, extra);
  await crone.sends(`<iq type="set" id="mem" to="${room}">${item(`jid="${hag.bare}" affiliation="member"`)}</iq>`);
  await hag.receives(
    `<message from="${room}" to="${hag.bare}"><x xmlns="${USER}"><invite from="${crone.bare}"/><password>cauldronburn</password></x></message>`,
    extra,
  );
  await until(crone, (got) => got.name === "message");
  await enters(hag, room, "thirdwitch", "<password>cauldronburn</password>");
  await crone.receives(shows(room, "thirdwitch", `affiliation="member"`), extra);
  granted(await crone.asks("set", item(`jid="${hag.bare}" affiliation="none"`), room));
  await until(hag, (got) => String(got).includes('code="321"') && got.attrs.type === "unavailable");
  await crone.receives(
    `<presence type="unavailable"><x xmlns="${USER}"><item affiliation="none" role="none"><actor nick="firstwitch"/></item>${code(321)}</x></presence>`,
    extra,
  );
});

spec(XEP, "7.2.9", "a full room still lets its owners in", async () => {
  const room = roomOf(world, "full");
  await founds(crone, room, "w0", { "muc#roomconfig_maxusers": "10" });
  for (let n = 1; n < 10; n++) {
    const witch = await world.login(`w${n}`);
    await enters(witch, room, `w${n}`);
  }
  await hag.sends(joining(room, "thirdwitch"));
  await hag.receives(`<presence type="error">${error("wait", "service-unavailable")}</presence>`, extra);
  await until(crone, (got) => got.attrs.from === `${room}/w9`);
  granted(await crone.asks("set", item(`jid="${hag.bare}" affiliation="owner"`), room));
  await enters(hag, room, "thirdwitch");
  await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"/>`);
  await until(hag, (got) => got.attrs.type === "unavailable");
});

spec(XEP, "7.2.3", "a non-anonymous room warns with 100 and shows addresses to all", async () => {
  const room = roomOf(world, "open");
  await founds(crone, room, "firstwitch", { "muc#roomconfig_whois": "anyone", "muc#roomconfig_persistentroom": "0" });
  await wicca.sends(joining(room, "secondwitch"));
  await wicca.receives(shows(room, "firstwitch", `jid="${crone.jid}"`), extra);
  await wicca.receives(shows(room, "secondwitch", `jid="${wicca.jid}"`, code(110, 100)), extra);
  await wicca.receives(`<message><subject/></message>`, extra);
  await until(crone, (got) => got.attrs.from === `${room}/secondwitch`);
  // 9.5: where addresses are no secret the member list is none, either.
  const list = granted(await wicca.asks("get", item(`affiliation="owner"`), room));
  if (list.getChild("query", ADMIN)?.getChild("item")?.attrs.jid !== crone.bare) throw new Error(String(list));
});

spec(XEP, "7.2.2", "presence is shown of the roles that the room shows", async () => {
  const room = roomOf(world, "quiet");
  await founds(crone, room, "firstwitch", { "muc#roomconfig_presencebroadcast": "moderator" });
  await wicca.sends(joining(room, "secondwitch"));
  await wicca.receives(shows(room, "firstwitch", `role="moderator"`), extra);
  await wicca.receives(shows(room, "secondwitch", `role="participant"`, code(110)), extra);
  await wicca.receives(`<message><subject/></message>`, extra);
  granted(await crone.asks("set", item(`nick="secondwitch" role="moderator"`), room));
  await crone.receives(
    shows(room, "secondwitch", `role="moderator"`).replace(/(<item[^>]*)\/>/, '$1><actor nick="firstwitch"/></item>'),
    extra,
  );
  granted(await crone.asks("set", item(`nick="secondwitch" role="participant"`), room));
  await crone.receives(shows(room, "secondwitch", `role="none"`, "", "unavailable"), extra);
});

spec(XEP, "7.14", "a temporary room ends with its last occupant", async () => {
  const room = roomOf(world, "open");
  await wicca.sends(`<presence to="${room}/secondwitch" type="unavailable"/>`);
  await until(wicca, (got) => got.attrs.from === `${room}/secondwitch` && got.attrs.type === "unavailable");
  await until(crone, (got) => got.attrs.from === `${room}/secondwitch` && got.attrs.type === "unavailable");
  await crone.sends(`<presence to="${room}/firstwitch" type="unavailable"/>`);
  await until(crone, (got) => got.attrs.from === `${room}/firstwitch` && got.attrs.type === "unavailable");
  refused(await crone.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room), "item-not-found");
});

spec(XEP, "10.2", "the form's lists of people are whole lists, and one owner stays", async () => {
  const room = roomOf(world, "quiet");
  refused(await crone.asks("set", submission({ "muc#roomconfig_roomowners": "" }), room), "conflict");
  await crone.sends(
    `<iq type="set" id="own" to="${room}">${submission({ "muc#roomconfig_roomadmins": wicca.bare })}</iq>`,
  );
  await crone.receives(`<iq type="result" id="own" from="${room}" to="*"/>`);
  await crone.receives(shows(room, "secondwitch", `affiliation="admin" role="moderator"`), extra);
  await until(wicca, (got) => String(got).includes('affiliation="admin"'));
});

spec(XEP, "10.9", "only an owner ends a room; everybody learns where to go", async () => {
  const room = roomOf(world, "quiet");
  const destroy = `<query xmlns="${OWNER}"><destroy jid="${roomOf(world, "elsewhere")}"><reason>Macbeth doth come</reason></destroy></query>`;
  refused(await wicca.asks("set", destroy, room), "forbidden");
  await crone.sends(`<iq type="set" id="end" to="${room}">${destroy}</iq>`);
  for (const [witch, nick] of [
    [crone, "firstwitch"],
    [wicca, "secondwitch"],
  ] as const)
    await witch.receives(
      `<presence type="unavailable" from="${room}/${nick}"><x xmlns="${USER}"><item affiliation="none" role="none"/>
        <destroy jid="${roomOf(world, "elsewhere")}"><reason>Macbeth doth come</reason></destroy></x></presence>`,
      extra,
    );
  await crone.receives(`<iq type="result" id="end" from="${room}" to="*"/>`);
  refused(await crone.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room), "item-not-found");
});

spec(XEP, "10.1.1", "a room made again inherits nothing", async () => {
  const room = roomOf(world, "quiet");
  await enters(wicca, room, "secondwitch");
  await configures(wicca, room, {});
  const list = granted(await wicca.asks("get", item(`affiliation="owner"`), room));
  const jids = list
    .getChild("query", ADMIN)
    ?.getChildren("item")
    .map(({ attrs }) => attrs.jid);
  if (String(jids) !== wicca.bare) throw new Error(String(list));
});
