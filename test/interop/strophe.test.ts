/** Strophe.js as its users run it: SASL 1, a resource, stream management when asked for, handlers and builders. */
import { $iq, $msg, $pres, Strophe } from "strophe.js";
import { describe, expect, test } from "vitest";
import { type Account, awaited, stage } from "./fixture.ts";
import { TARGET } from "./server.ts";
import { all, type Connection, first, listen, request, stanza, text } from "./strophe-client.ts";

const on = stage();
const NS = Strophe.NS;
type Options = ConstructorParameters<typeof Strophe.Connection>[1] & { url?: string };

function make({ url, ...options }: Options = {}): Connection {
  const connection = new Strophe.Connection(url ?? on.server.websocket, options);
  on.later(async () => {
    if (!connection.connected) return;
    // Quirk: leaving takes no callback; the one given to `connect` hears of it.
    const { promise, resolve } = awaited<void>("Strophe to disconnect");
    connection.connect_callback = (status) => status === Strophe.Status.DISCONNECTED && resolve();
    connection.disconnect("done");
    await promise;
  });
  return connection;
}

/** Resolves at the first of these statuses, to it. */
function connect(connection: Connection, jid: string, password: string, ...ends: number[]): Promise<number> {
  const { promise, resolve } = awaited<number>(`Strophe's status ${ends}`);
  connection.connect(jid, password, (status: number) => {
    if (ends.includes(status)) resolve(status);
  });
  return promise;
}

const { CONNECTED, AUTHFAIL, DISCONNECTED } = Strophe.Status;

async function login(account: Account, options: Options = {}): Promise<Connection> {
  const connection = make(options);
  await connect(connection, account.jid, account.password, CONNECTED);
  return connection;
}

/** Logs in, asks for the roster as every client does first, and becomes available, which its own presence confirms. */
async function available(account: Account, options: Options = {}): Promise<Connection> {
  const connection = await login(account, options);
  await request(connection, $iq({ type: "get" }).c("query", { xmlns: NS.ROSTER }));
  const echoed = stanza(connection, "presence", (it) => it.getAttribute("from") === connection.jid);
  connection.send($pres());
  await echoed;
  return connection;
}

const message = (to: Connection, body: string) => stanza(to, "message", (it) => text(it, "body") === body);
const chat = (to: string, body: string) => $msg({ to, type: "chat" }).c("body").t(body);

describe("Strophe.js logs in", () => {
  const mechanisms = [
    ["SCRAM-SHA-1", Strophe.SASLSHA1],
    ["SCRAM-SHA-256", Strophe.SASLSHA256],
    ["SCRAM-SHA-512", Strophe.SASLSHA512],
    ["PLAIN", Strophe.SASLPlain],
  ] as const;

  test.for(mechanisms)("with %s", async ([name, mechanism], { skip }) => {
    if (TARGET !== "ours" && name.startsWith("SCRAM-SHA-") && name !== "SCRAM-SHA-1") skip();
    const account = await on.account("romeo");
    const connection = await login(account, { mechanisms: [mechanism] });
    expect(connection.jid).toMatch(new RegExp(`^${account.jid}/.`));
  });

  test("with ANONYMOUS", async () => {
    const connection = make();
    await connect(connection, on.server.hosts.guest, "", CONNECTED);
    expect(connection.jid).toMatch(new RegExp(`@${on.server.hosts.guest}/`));
  });

  test("and is refused with a wrong password", async () => {
    const account = await on.account("romeo");
    expect(await connect(make(), account.jid, "wrong", CONNECTED, AUTHFAIL)).toBe(AUTHFAIL);
  });

  test("with the resource it asks for", async () => {
    const account = await on.account("romeo");
    const connection = make();
    await connect(connection, `${account.jid}/balcony`, account.password, CONNECTED);
    expect(connection.jid).toBe(`${account.jid}/balcony`);
  });
});

describe("Strophe.js keeps a roster", () => {
  test("get, set, push and remove", async () => {
    const account = await on.account("romeo");
    const [phone, laptop] = [await available(account), await login(account)];
    const pushes = awaited<(string | null)[]>("two roster pushes");
    const seen: (string | null)[] = [];
    listen(phone, "iq", (it) => {
      if (it.getAttribute("type") !== "set") return true;
      seen.push(first(it, "item")?.getAttribute("subscription") ?? null);
      phone.send($iq({ type: "result", id: it.getAttribute("id") ?? "" }));
      if (seen.length === 2) pushes.resolve(seen);
      return true;
    });

    const query = (type: string) => $iq({ type }).c("query", { xmlns: NS.ROSTER });
    const jid = "juliet@example.org";
    await request(laptop, query("set").c("item", { jid, name: "Juliet" }).c("group").t("Friends"));
    const full = await request(laptop, query("get"));
    expect(first(full, "item")?.getAttribute("name")).toBe("Juliet");
    expect(text(full, "group")).toBe("Friends");
    await request(laptop, query("set").c("item", { jid, subscription: "remove" }));
    expect(await pushes.promise).toEqual(["none", "remove"]);
  });

  test("subscription handshake both ways, and presence flows", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    const presence = (to: Connection, from: string, type: string | null) =>
      stanza(to, "presence", (it) => !!it.getAttribute("from")?.startsWith(from) && it.getAttribute("type") === type);

    for (const [asks, asksJid, grants, grantsJid] of [
      [romeo, a.jid, juliet, b.jid],
      [juliet, b.jid, romeo, a.jid],
    ] as const) {
      const asked = presence(grants, asksJid, "subscribe");
      asks.send($pres({ to: grantsJid, type: "subscribe" }));
      await asked;
      const granted = [presence(asks, grantsJid, "subscribed"), presence(asks, `${grantsJid}/`, null)];
      grants.send($pres({ to: asksJid, type: "subscribed" }));
      await Promise.all(granted);
    }

    const gone = presence(romeo, `${b.jid}/`, "unavailable");
    juliet.disconnect("good night");
    await gone;
  });
});

describe("Strophe.js exchanges messages", () => {
  test("both ways", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    const asked = message(juliet, "Art thou not Romeo & a <Montague>?");
    romeo.send(chat(b.jid, "Art thou not Romeo & a <Montague>?"));
    expect((await asked).getAttribute("from")).toBe(romeo.jid);
    const answered = message(romeo, "Neither, fair saint");
    juliet.send(chat(romeo.jid, "Neither, fair saint"));
    await answered;
  });

  test("and its other resource gets carbons of what is sent and received", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [phone, laptop, juliet] = [await available(a), await available(a), await available(b)];
    await request(laptop, $iq({ type: "set" }).c("enable", { xmlns: "urn:xmpp:carbons:2" }));
    const carbon = (kind: string, body: string) =>
      stanza(laptop, "message", (it) => first(it, kind) !== undefined && text(it, "body") === body);
    const sent = carbon("sent", "It is my lady");
    phone.send(chat(b.jid, "It is my lady"));
    expect((await sent).getAttribute("from")).toBe(a.jid);
    const received = carbon("received", "Ay me");
    juliet.send(chat(phone.jid, "Ay me"));
    expect((await received).getAttribute("from")).toBe(a.jid);
  });

  test("and finds what came while it was away, with the time it came", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const romeo = await available(a);
    romeo.send(chat(b.jid, "Good night"));
    // An answered request shows that the message before it was handled.
    await request(romeo, $iq({ type: "get" }).c("ping", { xmlns: "urn:xmpp:ping" }));
    const juliet = await login(b);
    const late = message(juliet, "Good night");
    juliet.send($pres());
    expect(first(await late, "delay")?.getAttribute("stamp")).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test("and resumes after its connection was cut, with nothing lost or doubled", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const line = await on.wire();
    const [romeo, juliet] = [await available(a), make({ url: line.url, enableStreamManagement: true })];
    const lost = awaited<void>("Strophe to notice the cut");
    const up = awaited<void>("Strophe to connect");
    juliet.connect(b.jid, b.password, (status: number) => {
      if (status === CONNECTED) up.resolve();
      if (status === DISCONNECTED) lost.resolve();
    });
    await up.promise;
    const echoed = stanza(juliet, "presence", (it) => it.getAttribute("from") === juliet.jid);
    juliet.send($pres());
    await echoed;
    expect(juliet.isStreamManagementEnabled()).toBe(true);
    const before = juliet.jid;
    const heard: string[] = [];
    listen(romeo, "message", (it) => heard.push(text(it, "body") ?? "") > 0);
    // Quirk: `connect` drops every handler, so what is listened for after a resumption is added again.
    const seen: string[] = [];
    const collect = () => listen(juliet, "message", (it) => seen.push(text(it, "body") ?? "") > 0);
    collect();

    juliet.send(chat(a.jid, "on the wire when it breaks"));
    // Quirk: what is sent leaves at the next tick of its queue unless it is flushed.
    juliet.flush();
    line.cut();
    for (const body of ["one", "two", "three"]) romeo.send(chat(before, body));
    await lost.promise;
    line.mend();
    const again = awaited<void>("Strophe to resume");
    juliet.connect(b.jid, b.password, (status: number) => status === CONNECTED && again.resolve());
    collect();
    await again.promise;
    expect(juliet.hasResumed()).toBe(true);
    expect(juliet.jid).toBe(before);

    const last = [message(juliet, "four"), message(romeo, "after")];
    romeo.send(chat(before, "four"));
    juliet.send(chat(a.jid, "after"));
    await Promise.all(last);
    expect(seen).toEqual(["one", "two", "three", "four"]);
    expect(heard).toEqual(["on the wire when it breaks", "after"]);
  });
});

describe("Strophe.js uses the server's services", () => {
  test("blocking", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("tybalt")];
    const [romeo, tybalt] = [await available(a), await available(b)];
    const item = (name: string) =>
      $iq({ type: "set" }).c(name, { xmlns: "urn:xmpp:blocking" }).c("item", { jid: b.jid });
    await request(romeo, item("block"));
    const blocked = await request(romeo, $iq({ type: "get" }).c("blocklist", { xmlns: "urn:xmpp:blocking" }));
    expect(all(blocked, "item").map((it) => it.getAttribute("jid"))).toEqual([b.jid]);

    const refused = stanza(tybalt, "message", (it) => it.getAttribute("type") === "error");
    tybalt.send(chat(a.jid, "Thou art a villain"));
    expect(first(await refused, "service-unavailable")).toBeDefined();

    await request(romeo, item("unblock"));
    const heard = message(romeo, "Thou wretched boy");
    tybalt.send(chat(a.jid, "Thou wretched boy"));
    await heard;
  });

  test("vcard-temp, private storage, disco and ping", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    await request(romeo, $iq({ type: "set" }).c("vCard", { xmlns: "vcard-temp" }).c("FN").t("Romeo Montague"));
    const card = await request(juliet, $iq({ type: "get", to: a.jid }).c("vCard", { xmlns: "vcard-temp" }));
    expect(text(card, "FN")).toBe("Romeo Montague");

    const notes = (type: string) =>
      $iq({ type }).c("query", { xmlns: "jabber:iq:private" }).c("notes", { xmlns: "test:notes" });
    await request(romeo, notes("set").t("balcony at nine"));
    expect(text(await request(romeo, notes("get")), "notes")).toBe("balcony at nine");

    const to = on.server.domain;
    const info = await request(romeo, $iq({ type: "get", to }).c("query", { xmlns: NS.DISCO_INFO }));
    expect(all(info, "feature").map((it) => it.getAttribute("var"))).toContain("urn:xmpp:ping");
    await request(romeo, $iq({ type: "get", to }).c("query", { xmlns: NS.DISCO_ITEMS }));

    await request(romeo, $iq({ type: "get", to }).c("ping", { xmlns: "urn:xmpp:ping" }));
  });
});
