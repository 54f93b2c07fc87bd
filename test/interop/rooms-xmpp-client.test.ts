/** @xmpp/client in rooms: it brings nothing for them, so its users write the stanzas themselves, as here. */
import { client, type XmppClient, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { describe, expect, test } from "vitest";
import { event, stage } from "./fixture.ts";

const on = stage();
const MUC = "http://jabber.org/protocol/muc";
const MAM = "urn:xmpp:mam:2";
const RSM = "http://jabber.org/protocol/rsm";
const FORMS = "jabber:x:data";
const MODERATE = "urn:xmpp:message-moderate:1";
const RETRACT = "urn:xmpp:message-retract:1";
let rooms = 0;

async function login(prefix: string): Promise<XmppClient> {
  const { name: username, password } = await on.account(prefix);
  const { websocket: service, domain } = on.server;
  const made = client({ service, domain, username, password });
  // Quirk: with no listener for "error" an EventEmitter throws.
  made.on("error", () => {});
  on.later(() => made.stop());
  await made.start();
  return made;
}

const stanza = (to: XmppClient, match: (it: Element) => boolean): Promise<Element> => event(to, "stanza", match);
const message = (to: XmppClient, body: string) =>
  stanza(to, (it) => it.attrs.type === "groupchat" && it.getChildText("body") === body);
const presence = (to: XmppClient, from: string, type?: string) =>
  stanza(to, (it) => it.is("presence") && it.attrs.from === from && it.attrs.type === type);
const codes = (it: Element): string[] =>
  it
    .getChild("x", `${MUC}#user`)
    ?.getChildren("status")
    .map(({ attrs }) => attrs.code) ?? [];

const field = (name: string, value: string) => xml("field", { var: name }, xml("value", {}, value));
const submit = (type: string, ...fields: Element[]) =>
  xml("x", { xmlns: FORMS, type: "submit" }, field("FORM_TYPE", type), ...fields);

async function join(who: XmppClient, room: string, nick: string): Promise<Element> {
  const own = presence(who, `${room}/${nick}`);
  await who.send(xml("presence", { to: `${room}/${nick}` }, xml("x", MUC)));
  return own;
}

const configure = (owner: XmppClient, room: string, ...fields: Element[]) =>
  owner.iqCaller.set(xml("query", `${MUC}#owner`, submit(`${MUC}#roomconfig`, ...fields)), room);

const moderate = (by: XmppClient, room: string, id: string) => {
  const children = [xml("retract", { xmlns: RETRACT }), xml("reason", {}, "Spam")];
  return by.iqCaller.set(xml("moderate", { xmlns: MODERATE, id }, ...children), room);
};

/** Says it, and waits for the room to say it back. */
async function say(who: XmppClient, room: string, body: string): Promise<Element> {
  const heard = message(who, body);
  await who.send(xml("message", { to: room, type: "groupchat", id: `id of ${body}` }, xml("body", {}, body)));
  return heard;
}

const uid = (it: Element, room: string): string =>
  it.getChildren("stanza-id").find(({ attrs }) => attrs.by === room)?.attrs.id ?? "";

/** One page of the archive, and the id its older neighbour ends before. */
async function page(who: XmppClient, room: string, before: string) {
  const found: Element[] = [];
  const collect = (it: Element) => {
    const result = it.getChild("result", MAM);
    if (result) found.push(result.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message") as Element);
  };
  who.on("stanza", collect);
  const set = xml("set", { xmlns: RSM }, xml("max", {}, "2"), xml("before", {}, before));
  // Quirk: `iqCaller.set` looks for an answer of the question's own name, which <fin/> is not.
  const iq = xml("iq", { type: "set", to: room }, xml("query", { xmlns: MAM }, set));
  const fin = (await who.iqCaller.request(iq)).getChild("fin", MAM);
  who.removeListener("stanza", collect);
  return {
    messages: found,
    bodies: found.map((it) => it.getChildText("body")),
    first: fin?.getChild("set", RSM)?.getChildText("first") ?? "",
    complete: fin?.attrs.complete === "true",
  };
}

/** Romeo has made the room, and Juliet is in it. */
async function together() {
  const room = `verona${++rooms}@${on.server.hosts.rooms}`;
  const [romeo, juliet] = [await login("romeo"), await login("juliet")];
  const made = await join(romeo, room, "Romeo");
  expect(codes(made)).toEqual(expect.arrayContaining(["110", "201"]));
  await configure(romeo, room);
  const came = presence(romeo, `${room}/Juliet`);
  expect(codes(await join(juliet, room, "Juliet"))).toContain("110");
  await came;
  return { room, romeo, juliet };
}

describe("@xmpp/client in a room", () => {
  test("talks, and everybody hears it once, oneself too, with one's own id", async () => {
    const { room, romeo, juliet } = await together();
    const all: string[] = [];
    for (const one of [romeo, juliet])
      one.on("stanza", (it: Element) => it.getChildText("body") && all.push(it.attrs.id as string));
    const heard = message(juliet, "But soft!");
    const own = await say(romeo, room, "But soft!");
    expect(own.attrs).toMatchObject({ id: "id of But soft!", from: `${room}/Romeo` });
    expect(uid(await heard, room)).toBe(uid(own, room));
    const answered = message(romeo, "Ay me");
    await say(juliet, room, "Ay me");
    await answered;
    expect(all.sort()).toEqual(["id of Ay me", "id of Ay me", "id of But soft!", "id of But soft!"]);
  });

  test("scrolls back through the archive, page by page", async () => {
    const { room, romeo, juliet } = await together();
    for (const body of ["one", "two", "three", "four", "five"]) await say(romeo, room, body);
    const newest = await page(juliet, room, "");
    expect(newest.bodies).toEqual(["four", "five"]);
    const older = await page(juliet, room, newest.first);
    expect(older).toMatchObject({ bodies: ["two", "three"], complete: false });
    const oldest = await page(juliet, room, older.first);
    expect(oldest).toMatchObject({ bodies: ["one"], complete: true });
  });

  test("moderates, and the archive keeps a tombstone", async () => {
    const { room, romeo, juliet } = await together();
    const id = uid(await say(juliet, room, "Buy now"), room);
    const told = stanza(juliet, (it) => it.getChild("retract", RETRACT)?.attrs.id === id);
    await moderate(romeo, room, id);
    const notice = await told;
    expect(notice.attrs.from).toBe(room);
    expect(notice.getChild("retract")?.getChild("moderated", MODERATE)?.attrs.by).toBe(`${room}/Romeo`);
    expect(notice.getChild("retract")?.getChildText("reason")).toBe("Spam");
    const [grave] = (await page(juliet, room, "")).messages as [Element];
    expect(grave.getChildText("body")).toBeNull();
    expect(grave.getChild("retracted", RETRACT)?.getChild("moderated", MODERATE)).toBeDefined();
    const other = uid(await say(romeo, room, "Peace"), room);
    await expect(moderate(juliet, room, other)).rejects.toMatchObject({ condition: "forbidden" });
  });

  test("sets it up by its form, which everybody learns of", async () => {
    const { room, romeo, juliet } = await together();
    const query = await romeo.iqCaller.get(xml("query", `${MUC}#owner`), room);
    const names =
      query
        ?.getChild("x", FORMS)
        ?.getChildren("field")
        .map(({ attrs }) => attrs.var) ?? [];
    expect(names).toEqual(expect.arrayContaining(["muc#roomconfig_roomname", "muc#roomconfig_moderatedroom"]));
    const told = stanza(juliet, (it) => codes(it).includes("104"));
    await configure(
      romeo,
      room,
      field("muc#roomconfig_roomname", "Verona"),
      field("muc#roomconfig_moderatedroom", "1"),
    );
    await told;
    const info = await juliet.iqCaller.get(xml("query", "http://jabber.org/protocol/disco#info"), room);
    expect(info?.getChild("identity")?.attrs.name).toBe("Verona");
    expect(info?.getChildren("feature").map(({ attrs }) => attrs.var)).toContain("muc_moderated");
    await expect(configure(juliet, room)).rejects.toMatchObject({ condition: "forbidden" });
  });

  test("kicks, and who was kicked may come back", async () => {
    const { room, romeo, juliet } = await together();
    const seen = [romeo, juliet].map((one) => presence(one, `${room}/Juliet`, "unavailable"));
    const item = xml("item", { nick: "Juliet", role: "none" }, xml("reason", {}, "Go"));
    await romeo.iqCaller.set(xml("query", `${MUC}#admin`, item), room);
    for (const it of await Promise.all(seen)) expect(codes(it)).toContain("307");
    const refused = stanza(juliet, (it) => it.is("message") && it.attrs.type === "error");
    await juliet.send(xml("message", { to: room, type: "groupchat", id: "late" }, xml("body", {}, "But")));
    expect((await refused).getChild("error")?.getChild("not-acceptable")).toBeDefined();
    await join(juliet, room, "Juliet");
  });
});
