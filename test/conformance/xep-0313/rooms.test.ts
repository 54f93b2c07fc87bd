/** XEP-0313: Message Archive Management, v1.1.3, a room's — https://xmpp.org/extensions/xep-0313.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { enters, founds, roomOf, USER } from "../xep-0045/coven.ts";
import { condition, field, form, MAM, query, set } from "./query.ts";

const XEP = "XEP-0313";
let world: World;
let crone: Actor;
let wicca: Actor;
let hag: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  crone = await world.login("crone");
  wicca = await world.login("wicca");
  hag = await world.login("hag");
  room = roomOf(world);
  await founds(crone, room, "firstwitch");
  await enters(wicca, room, "secondwitch");
  await crone.receives(`<presence from="${room}/secondwitch"/>`, { extra: true });
  for (let i = 0; i < 6; i++) {
    const who = i % 2 ? wicca : crone;
    await who.sends(`<message to="${room}" type="groupchat" id="g${i}"><body>line ${i}</body></message>`);
    for (const actor of [crone, wicca]) await actor.receives(`<message id="g${i}"/>`, { extra: true });
  }
});
afterAll(() => world?.dispose());

const LINES = ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5"];

spec(XEP, "6.1.2", "each message once, from the occupant and to nobody", async () => {
  const { results, messages, bodies } = await query(wicca, "", room);
  expect(bodies).toEqual(LINES);
  for (const { attrs } of results) expect(attrs).toMatchObject({ from: room, to: wicca.jid });
  for (const [i, { attrs }] of messages.entries()) {
    expect(attrs).toMatchObject({
      from: `${room}/${i % 2 ? "secondwitch" : "firstwitch"}`,
      type: "groupchat",
      id: `g${i}`,
    });
    expect(attrs.to).toBeUndefined();
  }
});

spec(XEP, "6.1.2", "who may know it is told who is behind a nick, and others are not", async () => {
  const seen = async (actor: Actor) =>
    (await query(actor, "", room)).messages.map((message) => message.getChild("x", USER)?.getChild("item")?.attrs.jid);
  expect((await seen(crone))[1]).toBe(wicca.jid);
  for (const actor of [wicca, hag]) expect(await seen(actor)).toEqual(LINES.map(() => undefined));
});

spec(XEP, "4.1.1", "by occupant, or by the real address for those who may know it", async () => {
  const mine = ["line 1", "line 3", "line 5"];
  for (const actor of [crone, wicca])
    expect((await query(actor, form(field("with", `${room}/secondwitch`)), room)).bodies).toEqual(mine);
  expect((await query(crone, form(field("with", wicca.bare)), room)).bodies).toEqual(mine);
  expect((await query(wicca, form(field("with", wicca.bare)), room)).bodies).toEqual([]);
});

spec(XEP, "6.1.2", "an open room can be read by those who were never in it, page by page", async () => {
  const page = await query(hag, set("<max>2</max><before/>"), room);
  expect(page.bodies).toEqual(["line 4", "line 5"]);
  const earlier = await query(hag, set(`<max>4</max><before>${page.set?.getChildText("first")}</before>`), room);
  expect(earlier.bodies).toEqual(LINES.slice(0, 4));
  expect(earlier.fin?.attrs.complete).toBe("true");
});

spec(XEP, "5", "its ends are told", async () => {
  const { set } = await query(hag, "", room);
  const metadata = (await hag.asks("get", `<metadata xmlns="${MAM}"/>`, room)).getChild("metadata", MAM);
  expect(metadata?.getChild("end")?.attrs.id).toBe(set?.getChildText("last"));
});

spec(XEP, "6.1.2", "who may not enter may not read", async () => {
  const closed = roomOf(world, "closed");
  await founds(crone, closed, "firstwitch", { "muc#roomconfig_membersonly": "1" });
  expect(condition(await query(hag, "", closed))).toBe("forbidden");
  expect((await query(crone, "", closed)).iq.attrs.type).toBe("result");
  const secret = roomOf(world, "secret");
  await founds(crone, secret, "firstwitch", {
    "muc#roomconfig_passwordprotectedroom": "1",
    "muc#roomconfig_roomsecret": "cauldron",
  });
  expect(condition(await query(hag, "", secret))).toBe("forbidden");
  const answer = await hag.asks("get", `<metadata xmlns="${MAM}"/>`, secret);
  expect(answer.attrs.type).toBe("error");
});

spec(XEP, "7", "support is told at the room", async () => {
  const info = await hag.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, room);
  const names =
    info
      .getChild("query")
      ?.getChildren("feature")
      .map(({ attrs }) => attrs.var) ?? [];
  for (const name of [MAM, `${MAM}#extended`]) expect(names).toContain(name);
});
