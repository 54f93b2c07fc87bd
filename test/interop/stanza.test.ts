/** StanzaJS as its users run it: JSON in, JSON out. */
import type { Agent } from "stanza";
import type { ReceivedMessage, ReceivedPresence } from "stanza/protocol";
import { describe, expect, test } from "vitest";
import { awaited, event, stage } from "./fixture.ts";
import { TARGET } from "./server.ts";
import { available, login, make } from "./stanza-agent.ts";

const on = stage();

const message = (to: Agent, body: string) => event<ReceivedMessage>(to, "message", (it) => it.body === body);
const chat = (by: Agent, to: string, body: string) => by.sendMessage({ to, type: "chat", body });

describe("StanzaJS logs in", () => {
  test.for(["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])("with %s", async (mechanism, { skip }) => {
    if (TARGET !== "ours" && mechanism === "SCRAM-SHA-256") skip();
    const account = await on.account("romeo");
    const agent = await login(on, account, { mechanism });
    expect(agent.jid).toMatch(new RegExp(`^${account.jid}/.`));
  });

  test("with ANONYMOUS", async () => {
    const { guest } = on.server.hosts;
    const agent = make(on, { server: guest, mechanism: "ANONYMOUS" });
    const started = event(agent, "session:started");
    agent.connect();
    await started;
    expect(agent.jid).toMatch(new RegExp(`@${guest}/`));
  });

  test("and is refused with a wrong password", async () => {
    const agent = make(on, { jid: (await on.account("romeo")).jid, password: "wrong" });
    const [refused, gone] = [event(agent, "auth:failed"), event(agent, "disconnected")];
    agent.connect();
    await Promise.all([refused, gone]);
  });
});

describe("StanzaJS keeps a roster", () => {
  test("get, set, push and remove", async () => {
    const account = await on.account("romeo");
    const [phone, laptop] = [await available(on, account), await login(on, account)];
    const jid = "juliet@example.org";
    const push = (subscription: string) =>
      event<{ roster: { items: { jid: string; subscription: string }[] } }>(phone, "roster:update", ({ roster }) =>
        roster.items.some((item) => item.jid === jid && item.subscription === subscription),
      );
    const added = push("none");
    await laptop.updateRosterItem({ jid, name: "Juliet", groups: ["Friends"], subscription: "none" });
    await added;
    expect((await laptop.getRoster()).items).toMatchObject([{ jid, name: "Juliet", groups: ["Friends"] }]);
    const removed = push("remove");
    await laptop.removeRosterItem(jid);
    await removed;
  });

  test("asks with the version it knows, and gets nothing again when nothing changed", async () => {
    // Quirk: it asks for no version unless it is given one, which is "" at first (RFC 6121 §2.6.2).
    const romeo = await login(on, await on.account("romeo"), { rosterVer: "" });
    await romeo.updateRosterItem({ jid: "juliet@example.org", subscription: "none" });
    await romeo.getRoster();
    expect(romeo.config.rosterVer).toBeTruthy();
    expect((await romeo.getRoster()).items).toEqual([]);
  });

  test("subscription handshake both ways, and presence flows", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(on, a), await available(on, b)];
    const presence = (to: Agent, name: string, from: string) =>
      event<ReceivedPresence>(to, name, (it) => it.from.startsWith(from));
    for (const [asks, asksJid, grants, grantsJid] of [
      [romeo, a.jid, juliet, b.jid],
      [juliet, b.jid, romeo, a.jid],
    ] as const) {
      const asked = presence(grants, "subscribe", asksJid);
      asks.subscribe(grantsJid);
      await asked;
      const granted = [presence(asks, "subscribed", grantsJid), presence(asks, "available", `${grantsJid}/`)];
      grants.acceptSubscription(asksJid);
      await Promise.all(granted);
    }
    const gone = presence(romeo, "unavailable", `${b.jid}/`);
    juliet.disconnect();
    await gone;
  });
});

describe("StanzaJS exchanges messages", () => {
  test("both ways, with receipts", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(on, a), await available(on, b)];
    const asked = message(juliet, "Art thou not Romeo & a <Montague>?");
    const receipt = event<ReceivedMessage>(romeo, "receipt");
    const id = romeo.sendMessage({
      to: b.jid,
      type: "chat",
      body: "Art thou not Romeo & a <Montague>?",
      receipt: { type: "request" },
    });
    expect((await asked).from).toBe(romeo.jid);
    expect((await receipt).receipt).toMatchObject({ type: "received", id });
    const answered = message(romeo, "Neither, fair saint");
    chat(juliet, romeo.jid, "Neither, fair saint");
    await answered;
  });

  test("and its other resource gets carbons of what is sent and received", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [phone, laptop, juliet] = [await available(on, a), await available(on, a), await available(on, b)];
    await laptop.enableCarbons();
    const carbon = (kind: string, body: string) =>
      event<ReceivedMessage>(laptop, `carbon:${kind}`, (it) => it.carbon?.forward.message?.body === body);
    const sent = carbon("sent", "It is my lady");
    chat(phone, b.jid, "It is my lady");
    expect((await sent).from).toBe(a.jid);
    const received = carbon("received", "Ay me");
    chat(juliet, phone.jid, "Ay me");
    expect((await received).from).toBe(a.jid);
  });

  test("and finds what came while it was away, with the time it came", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const romeo = await available(on, a);
    chat(romeo, b.jid, "Good night");
    // An answered request shows that the message before it was handled.
    await romeo.ping();
    const juliet = await login(on, b);
    const late = message(juliet, "Good night");
    juliet.sendPresence();
    expect((await late).delay?.timestamp).toBeInstanceOf(Date);
  });

  test("and resumes after its connection was cut, with nothing lost or doubled", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const line = await on.wire();
    const [romeo, juliet] = [await available(on, a), await available(on, b, { url: line.url })];
    expect(juliet.sm.resumable).toBe(true);
    const before = juliet.jid;
    const [heard, seen]: string[][] = [[], []];
    romeo.on("message", (it) => heard?.push(it.body ?? ""));
    juliet.on("message", (it) => seen?.push(it.body ?? ""));

    // Quirk: a write to a socket that is gone already leaves it waiting for ever, so this one is sent before the cut.
    const sent = event<string>(juliet, "raw:outgoing", (frame) => frame.includes("on the wire when it breaks"));
    chat(juliet, a.jid, "on the wire when it breaks");
    await sent;
    const lost = event(juliet, "disconnected");
    line.cut();
    for (const body of ["one", "two", "three"]) chat(romeo, before, body);
    await lost;
    // Quirk: the same is so of a write while it connects, so what is written while away must have been put by first.
    const putBy = event<{ body?: string }>(juliet, "message:hibernated", (it) => it.body === "written while away");
    chat(juliet, a.jid, "written while away");
    await putBy;
    const resumed = event(juliet, "stream:management:resumed");
    line.mend();
    juliet.connect();
    await resumed;
    expect(juliet.jid).toBe(before);

    const last = [message(juliet, "four"), message(romeo, "after")];
    chat(romeo, before, "four");
    chat(juliet, a.jid, "after");
    await Promise.all(last);
    expect(seen).toEqual(["one", "two", "three", "four"]);
    expect(heard).toEqual(["on the wire when it breaks", "written while away", "after"]);
  });

  test("and hears which of its messages the server has taken", async () => {
    const romeo = await available(on, await on.account("romeo"));
    const { jid } = await on.account("juliet");
    const acked = awaited<string | undefined>("an acknowledgement");
    romeo.on("message:acked", ({ id }) => acked.resolve(id));
    const id = chat(romeo, jid, "Hear me");
    expect(await acked.promise).toBe(id);
  });
});

describe("StanzaJS uses the server's services", () => {
  test("blocking", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("tybalt")];
    const [phone, laptop, tybalt] = [await available(on, a), await available(on, a), await available(on, b)];
    // A resource gets pushes once it has asked for the list.
    expect((await laptop.getBlocked()).jids).toEqual([]);
    const pushed = event<{ jids: string[] }>(laptop, "block");
    await phone.block(b.jid);
    expect((await pushed).jids).toEqual([b.jid]);
    expect((await phone.getBlocked()).jids).toEqual([b.jid]);

    const refused = event<ReceivedMessage>(tybalt, "message:error");
    chat(tybalt, a.jid, "Thou art a villain");
    expect((await refused).error?.condition).toBe("service-unavailable");

    await phone.unblock(b.jid);
    const heard = message(phone, "Thou wretched boy");
    chat(tybalt, phone.jid, "Thou wretched boy");
    await heard;
  });

  test("vcard-temp, private storage, disco and ping", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(on, a), await available(on, b)];
    await romeo.publishVCard({ format: "vcard-temp", fullName: "Romeo Montague", records: [] });
    expect(await juliet.getVCard(a.jid)).toMatchObject({ fullName: "Romeo Montague" });

    const rooms = [{ jid: "balcony@rooms.example.org", name: "Balcony", autoJoin: true, nick: "Romeo" }];
    await romeo.setPrivateData("bookmarks", { rooms });
    expect(await romeo.getPrivateData("bookmarks")).toMatchObject({ rooms });

    const info = await romeo.getDiscoInfo(on.server.domain);
    expect(info.identities).toContainEqual(expect.objectContaining({ category: "server", type: "im" }));
    expect(info.features).toEqual(expect.arrayContaining(["urn:xmpp:carbons:2", "urn:xmpp:ping", "urn:xmpp:blocking"]));
    const { items } = await romeo.getDiscoItems(on.server.domain);
    expect(items.map(({ jid }) => jid)).toContain(on.server.hosts.rooms);

    await romeo.ping(on.server.domain);
    // A request goes only to a client that shows its presence to who asks (RFC 6121 §8.5.3.1).
    const shown = event<ReceivedPresence>(romeo, "presence", ({ from }) => from === juliet.jid);
    juliet.sendPresence({ to: romeo.jid });
    await shown;
    await romeo.ping(juliet.jid);
  });
});

describe("StanzaJS shares a file", () => {
  test("by a slot, and its contact gets it", async ({ skip }) => {
    if (TARGET !== "ours") skip();
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(on, a), await available(on, b)];
    const upload = `upload.${on.server.domain}`;
    const text = "It is my lady";
    const { download, upload: put } = await romeo.getUploadSlot(upload, {
      name: "lady.txt",
      size: text.length,
      mediaType: "text/plain",
    });
    const headers = { "content-type": "text/plain" };
    expect((await fetch(put.url, { method: "PUT", body: text, headers })).status).toBe(201);
    const arrived = message(juliet, download);
    chat(romeo, b.jid, download);
    expect(await (await fetch((await arrived).body ?? "")).text()).toBe(text);
  });
});
