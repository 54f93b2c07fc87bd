/** XEPs 0317, 0424, 0425, 0433, 0463, 0486 and 0500 in rooms. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import {
  configures,
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
  until,
} from "./coven.ts";

const extra = { extra: true };
const RETRACT = "urn:xmpp:message-retract:1";
const MODERATE = "urn:xmpp:message-moderate:1";
let world: World;
let crone: Actor;
let hag: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  [crone, hag] = [await world.login("crone"), await world.login("hag")];
  room = roomOf(world);
  await founds(crone, room, "firstwitch", {
    "muc#roomconfig_roomname": "The coven",
    "muc#roomconfig_roomdesc": "A dark cave",
  });
  await enters(hag, room, "thirdwitch");
  await crone.receives(shows(room, "thirdwitch", `role="participant"`), extra);
});
afterAll(() => world?.dispose());

async function says(actor: Actor, body: string): Promise<string> {
  await actor.sends(`<message type="groupchat" to="${room}" id="${body}"><body>${body}</body></message>`);
  let uid = "";
  for (const witch of [crone, hag]) {
    const got = await witch.receives(`<message id="${body}"><body>${body}</body></message>`, extra);
    uid = got.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs.id ?? "";
  }
  return uid;
}

async function archived(actor: Actor, uid: string): Promise<string> {
  const form = `<field var="FORM_TYPE"><value>urn:xmpp:mam:2</value></field><field var="ids"><value>${uid}</value></field>`;
  await actor.sends(
    `<iq type="set" id="mam" to="${room}"><query xmlns="urn:xmpp:mam:2"><x xmlns="${FORMS}" type="submit">${form}</x></query></iq>`,
  );
  const found = await actor.next();
  await until(actor, (got) => got.name === "iq");
  return String(found);
}

spec("XEP-0425", "3.1", "a moderator takes back a message, everybody hears it, a tombstone stays", async () => {
  const uid = await says(hag, "spam");
  const request = `<moderate xmlns="${MODERATE}" id="${uid}"><retract xmlns="${RETRACT}"/><reason>Off topic</reason></moderate>`;
  refused(await hag.asks("set", request, room), "forbidden");
  await crone.sends(`<iq type="set" id="mod" to="${room}">${request}</iq>`);
  const retraction = `<message type="groupchat" from="${room}"><retract xmlns="${RETRACT}" id="${uid}">
    <moderated xmlns="${MODERATE}" by="${room}/firstwitch"><occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/></moderated><reason>Off topic</reason></retract></message>`;
  await crone.receives(retraction, extra);
  await crone.receives(`<iq type="result" id="mod" from="${room}" to="*"/>`);
  await hag.receives(retraction, extra);
  const found = await archived(hag, uid);
  if (!found.includes("<retracted") || !found.includes(MODERATE) || found.includes("spam</body>"))
    throw new Error(found);
  refused(await crone.asks("set", request.replace(uid, "nothing"), room), "item-not-found");
});

spec("XEP-0424", "3.1", "the author takes back a message, nobody else does", async () => {
  const uid = await says(crone, "oops");
  const retract = `<message type="groupchat" to="${room}" id="r1"><retract xmlns="${RETRACT}" id="${uid}"/></message>`;
  await hag.sends(retract);
  await hag.receives(`<message type="error" id="r1">${error("auth", "forbidden")}</message>`, extra);
  await crone.sends(retract);
  for (const witch of [crone, hag])
    await witch.receives(`<message id="r1"><retract xmlns="${RETRACT}" id="${uid}"/></message>`, extra);
  const found = await archived(hag, uid);
  if (!found.includes("<retracted") || found.includes("<body>")) throw new Error(found);
});

spec("XEP-0500", "6", "in slow mode one waits, owners do not, and chat states do not count", async () => {
  await says(hag, "first");
  await configures(crone, room, { "muc#roomconfig_slow_mode_duration": "600" });
  for (const witch of [crone, hag]) await until(witch, (got) => String(got).includes('code="104"'));
  await hag.sends(`<message type="groupchat" to="${room}" id="slow1"><body>Hm</body></message>`);
  await hag.receives(`<message type="error" id="slow1">${error("wait", "policy-violation")}</message>`, extra);
  await says(crone, "one");
  await says(crone, "two");
  await hag.sends(
    `<message type="groupchat" to="${room}" id="state"><composing xmlns="http://jabber.org/protocol/chatstates"/></message>`,
  );
  for (const witch of [crone, hag])
    await witch.receives(
      `<message id="state"/>`.replace("/>", `><composing xmlns="http://jabber.org/protocol/chatstates"/></message>`),
      extra,
    );
  const info = granted(await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room));
  if (!String(info).includes("muc#roominfo_slow_mode_duration")) throw new Error(String(info));
  await configures(crone, room, { "muc#roomconfig_slow_mode_duration": "0" });
  for (const witch of [crone, hag]) await until(witch, (got) => String(got).includes('code="104"'));
});

const COMMANDS = "http://jabber.org/protocol/commands";
const hatForm = (name: string, fields: Record<string, string>) =>
  `<command xmlns="${COMMANDS}" node="urn:xmpp:hats:commands:${name}"><x xmlns="${FORMS}" type="submit"><field var="FORM_TYPE"><value>urn:xmpp:hats:commands</value></field>${Object.entries(
    fields,
  )
    .map(([key, value]) => `<field var="hats#${key}"><value>${value}</value></field>`)
    .join("")}</x></command>`;

spec("XEP-0317", "3", "a hat is made, worn, seen and taken", async () => {
  const uri = "http://schemas.example/hats#host";
  refused(await hag.asks("set", hatForm("create", { title: "Host", uri }), room), "forbidden");
  granted(await crone.asks("set", hatForm("create", { title: "Host", uri, hue: "327" }), room));
  for (const witch of [crone, hag]) await until(witch, (got) => String(got).includes('code="104"'));
  granted(await crone.asks("set", hatForm("assign", { jid: hag.bare, uri }), room));
  for (const witch of [crone, hag])
    await witch.receives(
      `<presence from="${room}/thirdwitch"><hats xmlns="urn:xmpp:hats:0"><hat title="Host" uri="${uri}" hue="327"/></hats></presence>`,
      extra,
    );
  const list = granted(
    await crone.asks("set", `<command xmlns="${COMMANDS}" node="urn:xmpp:hats:commands:list-assigned"/>`, room),
  );
  if (!String(list).includes(hag.bare)) throw new Error(String(list));
  granted(await crone.asks("set", hatForm("unassign", { jid: hag.bare, uri }), room));
  const bare = await hag.receives(
    `<presence from="${room}/thirdwitch"/>`.replace(
      "/>",
      `><x xmlns="${USER}"><item role="participant"/></x></presence>`,
    ),
    extra,
  );
  if (bare.getChild("hats", "urn:xmpp:hats:0")) throw new Error(String(bare));
  await until(crone, (got) => got.attrs.from === `${room}/thirdwitch`);
});

spec("XEP-0486", "3", "the owner gives the room a picture, whose hash is told", async () => {
  const picture = Buffer.from("a cauldron");
  const card = `<vCard xmlns="vcard-temp"><PHOTO><TYPE>image/png</TYPE><BINVAL>${picture.toString("base64")}</BINVAL></PHOTO></vCard>`;
  refused(await hag.asks("set", card, room), "forbidden");
  granted(await crone.asks("set", card, room));
  for (const witch of [crone, hag]) await until(witch, (got) => String(got).includes('code="104"'));
  const info = String(granted(await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room)));
  if (!info.includes(createHash("sha1").update(picture).digest("hex"))) throw new Error(info);
  if (!String(granted(await hag.asks("get", `<vCard xmlns="vcard-temp"/>`, room))).includes("BINVAL"))
    throw new Error("no picture");
});

spec("XEP-0463", "5.2.1", "who comes back learns whose affiliation has changed", async () => {
  const MAV = "urn:xmpp:muc:affiliations:0";
  const enter = async (since: string) => {
    await crone.sends(joining(room, "firstwitch", `<mav xmlns="${MAV}"${since}/>`));
    const first = await crone.next();
    const self = await until(crone, (got) => got.name === "presence" && String(got).includes('code="110"'));
    await until(
      crone,
      (got) => got.name === "message" && got.getChild("subject") !== undefined && !got.getChild("body"),
    );
    const until_ = self.getChild("x", USER)?.getChild("mav", MAV)?.attrs.until ?? "";
    return { message: first.name === "message" ? first.getChild("x", USER) : undefined, version: until_ };
  };
  const all = await enter("");
  if (!all.version || all.message?.getChildren("item").length !== 1)
    throw new Error(`everything expected: ${all.message}`);
  granted(await crone.asks("set", item(`jid="new@member.example" affiliation="member"`), room));
  await crone.receives(
    `<message from="${room}"><x xmlns="${USER}"><mav xmlns="${MAV}" since="${all.version}" until="*"/><item jid="new@member.example" affiliation="member"/></x></message>`,
    extra,
  );
  const news = await enter(` since="${all.version}"`);
  if (
    news.message
      ?.getChildren("item")
      .map(({ attrs }) => attrs.jid)
      .join() !== "new@member.example"
  )
    throw new Error(`one expected: ${news.message}`);
  const nothing = await enter(` since="${news.version}"`);
  if (nothing.message || nothing.version !== news.version) throw new Error("no message expected");
  await hag.sends(`<presence to="${room}/thirdwitch" type="unavailable"/>`);
  await until(hag, (got) => got.attrs.type === "unavailable");
  await until(crone, (got) => got.attrs.type === "unavailable");
  // Where addresses are a secret, so are the lists.
  await hag.sends(joining(room, "thirdwitch", `<mav xmlns="${MAV}"/>`));
  await hag.receives(
    `<message type="error" from="${room}">${error("auth", "forbidden").replace("<error", `<error by="${room}"`)}</message>`,
    extra,
  );
  await until(hag, (got) => got.name === "message" && got.getChild("subject") !== undefined);
});

spec("XEP-0433", "4.2", "public rooms are found by words", async () => {
  const search = (fields: Record<string, string>) =>
    `<search xmlns="urn:xmpp:channel-search:0:search"><x xmlns="${FORMS}" type="submit"><field var="FORM_TYPE"><value>urn:xmpp:channel-search:0:search-params</value></field>${Object.entries(
      fields,
    )
      .map(([key, value]) => `<field var="${key}"><value>${value}</value></field>`)
      .join("")}</x></search>`;
  const service = world.settings.mucDomain;
  const found = granted(await hag.asks("get", search({ q: "dark cave" }), service));
  const [one] = found.getChild("result")?.getChildren("item") ?? [];
  if (one?.attrs.address !== room || one.getChildText("name") !== "The coven") throw new Error(String(found));
  if (
    granted(await hag.asks("get", search({ q: "sunshine" }), service))
      .getChild("result")
      ?.getChild("item")
  )
    throw new Error("too much found");
  refused(await hag.asks("get", search({ q: "a", all: "1" }), service), "bad-request");
  refused(await hag.asks("get", search({ q: "a", key: "size" }), service), "feature-not-implemented");
  granted(await hag.asks("get", `<search xmlns="urn:xmpp:channel-search:0:search"/>`, service));
});
