/** Strophe.js in rooms, by its builders, as the pages that use it do. */
import { $iq, $msg, $pres, Strophe } from "strophe.js";
import { describe, expect, test } from "vitest";
import { awaited, stage } from "./fixture.ts";
import { all, type Connection, first, listen, request, stanza, text, type Xml } from "./strophe-client.ts";

const on = stage();
const { MUC } = Strophe.NS;
const MAM = "urn:xmpp:mam:2";
const MODERATE = "urn:xmpp:message-moderate:1";
const RETRACT = "urn:xmpp:message-retract:1";
let rooms = 0;
const codes = (it: Xml) => all(it, "status").map((status) => status.getAttribute("code"));

async function login(prefix: string): Promise<Connection> {
  const { jid, password } = await on.account(prefix);
  const connection = new Strophe.Connection(on.server.websocket);
  const connected = awaited<void>("Strophe to connect");
  let gone = () => {};
  connection.connect(jid, password, (status: number) => {
    if (status === Strophe.Status.CONNECTED) connected.resolve();
    if (status === Strophe.Status.DISCONNECTED) gone();
  });
  on.later(async () => {
    const { promise, resolve } = awaited<void>("Strophe to disconnect");
    gone = resolve;
    connection.disconnect("done");
    await promise;
  });
  await connected.promise;
  return connection;
}

const presence = (to: Connection, from: string, type: string | null = null) =>
  stanza(to, "presence", (it) => it.getAttribute("from") === from && it.getAttribute("type") === type);
const message = (to: Connection, body: string) =>
  stanza(to, "message", (it) => it.getAttribute("type") === "groupchat" && text(it, "body") === body);

async function join(who: Connection, room: string, nick: string): Promise<Xml> {
  const own = presence(who, `${room}/${nick}`);
  who.send($pres({ to: `${room}/${nick}` }).c("x", { xmlns: MUC }));
  return own;
}

/** Says it, and waits for the room to say it back; resolves to the id that the room gave it. */
async function say(who: Connection, room: string, body: string): Promise<string> {
  const heard = message(who, body);
  who.send(
    $msg({ to: room, type: "groupchat", id: `id of ${body}` })
      .c("body")
      .t(body),
  );
  const id = all(await heard, "stanza-id").find((it) => it.getAttribute("by") === room);
  return id?.getAttribute("id") ?? "";
}

function configure(owner: Connection, room: string, fields: Record<string, string> = {}): Promise<Xml> {
  const iq = $iq({ type: "set", to: room }).c("query", { xmlns: `${MUC}#owner` });
  iq.c("x", { xmlns: "jabber:x:data", type: "submit" });
  for (const [name, value] of Object.entries({ FORM_TYPE: `${MUC}#roomconfig`, ...fields }))
    iq.c("field", { var: name }).c("value").t(value).up().up();
  return request(owner, iq);
}

/** One page of the archive, before that id. */
async function page(who: Connection, room: string, before: string): Promise<{ messages: Xml[]; first: string }> {
  const messages: Xml[] = [];
  let more = true;
  listen(who, "message", (it) => {
    if (more && first(it, "result")?.getAttribute("xmlns") === MAM) messages.push(it);
    return more;
  });
  const iq = $iq({ type: "set", to: room }).c("query", { xmlns: MAM });
  iq.c("set", { xmlns: "http://jabber.org/protocol/rsm" }).c("max").t("2").up().c("before").t(before);
  const fin = await request(who, iq);
  more = false;
  return { messages, first: text(fin, "first") ?? "" };
}

const moderate = (by: Connection, room: string, id: string) => {
  const iq = $iq({ type: "set", to: room }).c("moderate", { xmlns: MODERATE, id });
  return request(by, iq.c("retract", { xmlns: RETRACT }).up().c("reason").t("Spam"));
};

/** Romeo has made the room, and Juliet is in it. */
async function together() {
  const room = `mantua${++rooms}@${on.server.hosts.rooms}`;
  const [romeo, juliet] = [await login("romeo"), await login("juliet")];
  expect(codes(await join(romeo, room, "Romeo"))).toEqual(expect.arrayContaining(["110", "201"]));
  await configure(romeo, room);
  const came = presence(romeo, `${room}/Juliet`);
  await join(juliet, room, "Juliet");
  await came;
  return { room, romeo, juliet };
}

describe("Strophe.js in a room", () => {
  test("talks, and everybody hears it once, oneself too, with one's own id", async () => {
    const { room, romeo, juliet } = await together();
    const heard: (string | null)[] = [];
    for (const one of [romeo, juliet])
      listen(one, "message", (it) => text(it, "body") === undefined || heard.push(it.getAttribute("id")) > 0);
    const there = message(juliet, "But soft!");
    await say(romeo, room, "But soft!");
    expect((await there).getAttribute("from")).toBe(`${room}/Romeo`);
    const back = message(romeo, "Ay me");
    await say(juliet, room, "Ay me");
    await back;
    expect(heard.sort()).toEqual(["id of Ay me", "id of Ay me", "id of But soft!", "id of But soft!"]);
  });

  test("scrolls back through the archive, page by page", async () => {
    const { room, romeo, juliet } = await together();
    for (const body of ["one", "two", "three", "four", "five"]) await say(romeo, room, body);
    const pages: (string | undefined)[][] = [];
    for (let before = ""; pages.length < 3; ) {
      const found = await page(juliet, room, before);
      pages.push(found.messages.map((it) => text(it, "body")));
      before = found.first;
    }
    expect(pages).toEqual([["four", "five"], ["two", "three"], ["one"]]);
  });

  test("moderates, and the archive keeps a tombstone", async () => {
    const { room, romeo, juliet } = await together();
    const id = await say(juliet, room, "Buy now");
    const told = stanza(juliet, "message", (it) => first(it, "retract")?.getAttribute("id") === id);
    await moderate(romeo, room, id);
    expect(first(await told, "moderated")?.getAttribute("by")).toBe(`${room}/Romeo`);
    const [grave] = (await page(juliet, room, "")).messages as [Xml];
    expect(text(grave, "body")).toBeUndefined();
    expect(first(grave, "retracted")?.getAttribute("xmlns")).toBe(RETRACT);
    const other = await say(romeo, room, "Peace");
    await expect(moderate(juliet, room, other)).rejects.toThrow("forbidden");
  });

  test("sets it up by its form, which everybody learns of", async () => {
    const { room, romeo, juliet } = await together();
    const form = await request(romeo, $iq({ type: "get", to: room }).c("query", { xmlns: `${MUC}#owner` }));
    expect(all(form, "field").map((it) => it.getAttribute("var"))).toContain("muc#roomconfig_roomname");
    const told = stanza(juliet, "message", (it) => codes(it).includes("104"));
    await configure(romeo, room, { "muc#roomconfig_roomname": "Mantua" });
    await told;
    const info = await request(juliet, $iq({ type: "get", to: room }).c("query", { xmlns: Strophe.NS.DISCO_INFO }));
    expect(first(info, "identity")?.getAttribute("name")).toBe("Mantua");
    await expect(configure(juliet, room)).rejects.toThrow("forbidden");
  });

  test("kicks, and who was kicked may come back", async () => {
    const { room, romeo, juliet } = await together();
    const seen = [romeo, juliet].map((one) => presence(one, `${room}/Juliet`, "unavailable"));
    const query = $iq({ type: "set", to: room }).c("query", { xmlns: `${MUC}#admin` });
    await request(romeo, query.c("item", { nick: "Juliet", role: "none" }).c("reason").t("Go"));
    for (const it of await Promise.all(seen)) expect(codes(it)).toContain("307");
    await join(juliet, room, "Juliet");
  });
});
