import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { page } from "../../../src/web/client/archive.ts";
import { Client, type Options } from "../../../src/web/client/client.ts";
import { Contacts, type Said } from "../../../src/web/client/contacts.ts";
import { xml } from "../../../src/web/client/element.ts";
import type { Keep } from "../../../src/web/client/negotiate.ts";
import { withPassword } from "../../../src/web/client/scram.ts";
import { FakeSocket } from "./fake-socket.ts";

const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='1' from='localhost' version='1.0'/>";
const features = (inner: string) =>
  `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${inner}</stream:features>`;
const MODERN = features(
  `<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><mechanism>ANONYMOUS</mechanism><inline>
  <bind xmlns='urn:xmpp:bind:0'/><sm xmlns='urn:xmpp:sm:3'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>
  </inline></authentication>`,
);
const success = (inner: string) =>
  `<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>romeo@localhost/r</authorization-identifier>${inner}</success>`;
const BOUND = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true'/></bound>";
const TOKEN = "<token xmlns='urn:xmpp:fast:0' token='t0k3n' expiry='2030-01-01T00:00:00Z'/>";
const FAILURE = `<failure xmlns='urn:xmpp:sasl:2'><credentials-expired xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>`;
const responder = (token: string) =>
  `<additional-data>${createHmac("sha256", token).update("Responder").digest("base64")}</additional-data>`;

let client: Client;
let socket: FakeSocket;
const log: string[] = [];

async function connect(more: Partial<Options> = {}): Promise<void> {
  client = new Client({
    address: "ws://localhost/ws",
    domain: "localhost",
    credentials: withPassword("romeo", "secret"),
    keep: { agent: "a" },
    ...more,
  });
  client.on("online", ({ resumed }) => log.push(resumed ? "resumed" : "online"));
  client.on("offline", ({ error, retry }) =>
    log.push(`offline ${error?.message} ${retry === undefined ? "for good" : ""}`.trim()),
  );
  client.connect();
  await nextSocket();
}

async function nextSocket(): Promise<void> {
  socket = await vi.waitUntil(() => FakeSocket.all.shift(), { interval: 1 });
}

async function bound(): Promise<void> {
  socket.say(OPEN, MODERN);
  await socket.sent("authenticate");
  socket.say(success(BOUND + TOKEN), features(""));
  await vi.waitUntil(() => client.online, { interval: 1 });
}

/** Cuts the connection and waits for the next one, without the jitter. */
async function cut(): Promise<void> {
  vi.spyOn(Math, "random").mockReturnValue(0);
  socket.close();
  await nextSocket();
}

beforeEach(() => {
  log.length = 0;
  FakeSocket.install();
});
afterEach(() => {
  client.disconnect();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("login", () => {
  test("SASL2, Bind 2, carbons and stream management in one request, and a token is asked for", async () => {
    const keeps: Keep[] = [];
    await connect({ kept: (keep) => keeps.push({ ...keep }) });
    socket.say(OPEN, MODERN);
    const request = await socket.sent("authenticate");
    expect(request.attrs.mechanism).toBe("PLAIN");
    expect(atob(request.text("initial-response")!)).toBe("\0romeo\0secret");
    expect(request.child("request-token")?.attrs.mechanism).toBe("HT-SHA-256-NONE");
    expect(
      request
        .child("bind")
        ?.all("enable")
        .map((el) => el.attrs.xmlns),
    ).toEqual(["urn:xmpp:carbons:2", "urn:xmpp:sm:3"]);
    socket.say(success(BOUND + TOKEN), features(""));
    await vi.waitUntil(() => client.online, { interval: 1 });
    expect(client.jid).toBe("romeo@localhost/r");
    expect(keeps.at(-1)).toEqual({ agent: "a", jid: "romeo@localhost", token: "t0k3n" });
  });

  test("with a token it takes one round trip: nothing is waited for (XEP-0484)", async () => {
    await connect({ keep: { agent: "a", jid: "romeo@localhost", token: "t0k3n" } });
    const open = await socket.sent("open");
    expect(open.attrs.from).toBe("romeo@localhost");
    const request = await socket.sent("authenticate");
    expect(request.attrs.mechanism).toBe("HT-SHA-256-NONE");
    expect(request.child("fast")).toBeDefined();
    socket.say(OPEN, MODERN, success(responder("t0k3n") + BOUND), features(""));
    await vi.waitUntil(() => client.online, { interval: 1 });
  });

  test("a token that is refused is thrown away, and the password used on the same stream", async () => {
    const keep: Keep = { agent: "a", jid: "romeo@localhost", token: "old" };
    await connect({ keep });
    await socket.sent("authenticate");
    socket.say(OPEN, MODERN, FAILURE);
    expect((await socket.sent("authenticate")).attrs.mechanism).toBe("PLAIN");
    expect(keep.token).toBeUndefined();
  });

  test("a server that does not know the token is left for good", async () => {
    await connect({ keep: { agent: "a", jid: "romeo@localhost", token: "t0k3n" } });
    socket.say(OPEN, MODERN, success(responder("another") + BOUND));
    await vi.waitUntil(() => log.length, { interval: 1 });
    expect(log).toEqual(["offline the server could not prove that it is the right one for good"]);
  });

  test("a refused password is not tried again", async () => {
    await connect();
    socket.say(OPEN, MODERN);
    await socket.sent("authenticate");
    socket.say(FAILURE.replace("credentials-expired", "not-authorized"));
    await vi.waitUntil(() => log.length, { interval: 1 });
    expect(log).toEqual(["offline not-authorized for good"]);
  });
});

describe("XEP-0198", () => {
  test("what was not acknowledged is sent again on resumption, and only that", async () => {
    await connect();
    await bound();
    client.send(xml("message", { to: "juliet@localhost", id: "1" }));
    client.send(xml("message", { to: "juliet@localhost", id: "2" }));
    socket.say("<message xmlns='jabber:client' from='juliet@localhost' type='chat'/>");
    await cut();
    client.send(xml("message", { to: "juliet@localhost", id: "3" }));
    const request = await socket.sent("authenticate");
    expect(request.child("resume")?.attrs).toMatchObject({ previd: "sm1", h: "1" });
    socket.say(OPEN, MODERN, success(`${responder("t0k3n")}<resumed xmlns='urn:xmpp:sm:3' h='1' previd='sm1'/>`));
    expect((await socket.sent("message")).attrs.id).toBe("2");
    expect((await socket.sent("message")).attrs.id).toBe("3");
    expect(log).toEqual(["online", "offline closed", "resumed"]);
  });

  test("when the session is lost, chat messages are sent again after the presence, rooms see to themselves", async () => {
    await connect();
    await bound();
    client.on("online", () => client.send(xml("presence")));
    for (const [id, type] of Object.entries({ a: "chat", b: "groupchat", c: "chat" })) {
      client.send(xml("message", { to: "x@localhost", id, type }));
    }
    client.send(xml("presence", { to: "room@rooms.localhost/nick" }));
    await cut();
    await socket.sent("authenticate");
    // The server says that it had taken the first one.
    socket.say(OPEN, MODERN, success(`${responder("t0k3n")}<failed xmlns='urn:xmpp:sm:3' h='1'/>${BOUND}`));
    await vi.waitUntil(() => log.length === 3, { interval: 1 });
    const sent = socket.rest().filter((text) => /^<(message|presence)/.test(text));
    expect(sent.map((text) => /^<presence/.test(text) || /id="(.)"/.exec(text)![1])).toEqual([true, "c"]);
  });

  test("a suspended session is taken up by another client object, as after a reload", async () => {
    await connect();
    await bound();
    client.send(xml("message", { to: "juliet@localhost", id: "1" }));
    const session = client.suspend()!;
    expect(socket.rest().some((text) => text.includes("<close"))).toBe(false);
    const keep = { agent: "a", jid: "romeo@localhost", token: "t0k3n" };
    await connect({ session: JSON.parse(JSON.stringify(session)), keep });
    await socket.sent("authenticate");
    socket.say(OPEN, MODERN, success(`${responder("t0k3n")}<resumed xmlns='urn:xmpp:sm:3' h='0' previd='sm1'/>`));
    expect((await socket.sent("message")).attrs.id).toBe("1");
    expect(client.jid).toBe("romeo@localhost/r");
  });

  test("requests for an acknowledgement are answered with what was handled", async () => {
    await connect();
    await bound();
    socket.say("<message xmlns='jabber:client'/>", "<presence xmlns='jabber:client'/>", "<r xmlns='urn:xmpp:sm:3'/>");
    expect((await socket.sent("a")).attrs.h).toBe("2");
  });

  test("a session replaced by another of ours is not fought for", async () => {
    await connect();
    await bound();
    socket.say(
      "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    await vi.waitUntil(() => log.length === 2, { interval: 1 });
    expect(log[1]).toBe("offline conflict for good");
  });
});

describe("what strangers cannot do", () => {
  test("answer a request that was not put to them", async () => {
    await connect();
    await bound();
    const answer = client.iq("get", "juliet@localhost/x", xml("query", { xmlns: "q" }));
    const { id } = (await socket.sent("iq")).attrs;
    const reply = (from: string, body: string) =>
      `<iq xmlns='jabber:client' type='result' id='${id}' from='${from}'><b>${body}</b></iq>`;
    socket.say(reply("mallory@localhost/x", "forged"), reply("juliet@localhost/x", "real"));
    expect((await answer).text("b")).toBe("real");
  });

  test("forge carbons or push to the roster (XEP-0280 §security, RFC 6121 §2.1.6)", async () => {
    await connect();
    const said: Said[] = [];
    const contacts = new Contacts(
      client,
      () => {},
      (each) => said.push(each),
    );
    await bound();
    const carbon = (
      from: string,
    ) => `<message xmlns='jabber:client' from='${from}' type='chat'><sent xmlns='urn:xmpp:carbons:2'>
      <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='romeo@localhost/b' to='juliet@localhost' type='chat' id='c'>
      <body>from ${from}</body></message></forwarded></sent></message>`;
    const push = (from: string, jid: string) =>
      `<iq xmlns='jabber:client' type='set' id='p' from='${from}'><query xmlns='jabber:iq:roster'><item jid='${jid}' subscription='both'/></query></iq>`;
    await socket.sent("iq");
    socket.say(
      carbon("mallory@localhost"),
      carbon("romeo@localhost"),
      push("mallory@localhost", "bad@x"),
      push("romeo@localhost", "good@x"),
    );
    expect(said.map(({ body, own }) => [body, own])).toEqual([["from romeo@localhost", true]]);
    expect([...contacts.roster.keys()]).toEqual(["good@x"]);
    expect((await socket.sent("iq")).attrs.type).toBe("error");
  });

  test("slip messages into a page of an archive", async () => {
    await connect();
    await bound();
    const answer = page(client, "room@rooms.localhost", { before: "", max: 5 });
    const iq = await socket.sent("iq");
    const { queryid } = iq.child("query")!.attrs;
    const result = (
      from: string,
      query: string | undefined,
      id: string,
    ) => `<message xmlns='jabber:client' from='${from}'>
      <result xmlns='urn:xmpp:mam:2' queryid='${query}' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>
      <message xmlns='jabber:client' from='room@rooms.localhost/a'><body>x</body></message></forwarded></result></message>`;
    socket.say(
      result("mallory@localhost", queryid, "1"),
      result("room@rooms.localhost", "guessed", "2"),
      result("room@rooms.localhost", queryid, "3"),
      `<iq xmlns='jabber:client' type='result' id='${iq.attrs.id}' from='room@rooms.localhost'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>`,
    );
    const { items, complete } = await answer;
    expect([items.map(({ id }) => id), complete]).toEqual([["3"], true]);
  });
});
