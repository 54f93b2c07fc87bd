/** @xmpp/client as its users run it. It prefers SASL2 with Bind 2, and takes SASL 1 where that is missing. */
import { client, type FastToken, type Options, type XmppClient, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { describe, expect, test } from "vitest";
import { type Account, event, stage } from "./fixture.ts";
import { TARGET } from "./server.ts";

const on = stage();

/** Quirk: with no listener for "error" an EventEmitter throws, so each client has one; a cut connection emits it. */
function make(options: Partial<Options>): XmppClient {
  const { websocket: service, domain } = on.server;
  const made = client({ service, domain, ...options });
  made.on("error", () => {});
  // Quirk: it waits a second before it connects again.
  made.reconnect.delay = 10;
  on.later(() => made.stop());
  return made;
}

async function login({ name, password }: Account, options: Partial<Options> = {}): Promise<XmppClient> {
  const made = make({ username: name, password, ...options });
  // Quirk: with SASL 1 it is online before <enabled/>, and forgets to count a stanza that comes in one packet with it.
  const enabled = event(made, "element", (it: Element) => /^(enabled|success)$/.test(it.name) && counts(it));
  await made.start();
  await enabled;
  return made;
}

/** True for the element that says stream management is on: by itself, or inside the success of SASL2. */
const counts = (it: Element): boolean =>
  it.is("enabled") || it.getChild("bound", "urn:xmpp:bind:0")?.getChild("enabled") !== undefined;

const ROSTER = "jabber:iq:roster";

/** Logs in, asks for the roster as every client does first, and becomes available, which its own presence confirms. */
async function available(account: Account, options: Partial<Options> = {}): Promise<XmppClient> {
  const made = await login(account, options);
  await made.iqCaller.get(xml("query", ROSTER));
  const echoed = stanza(made, (it) => it.is("presence") && it.attrs.from === made.jid.toString());
  await made.send(xml("presence"));
  await echoed;
  return made;
}

const stanza = (to: XmppClient, match: (it: Element) => boolean): Promise<Element> => event(to, "stanza", match);
const message = (to: XmppClient, body: string) => stanza(to, (it) => it.getChildText("body") === body);
const chat = (to: string, body: string) => xml("message", { to, type: "chat" }, xml("body", {}, body));

describe("@xmpp/client logs in", () => {
  test.each(["SCRAM-SHA-1", "PLAIN"])("with %s", async (mechanism) => {
    const { name, jid, password } = await on.account("romeo");
    // Quirk: PLAIN is sent as Latin-1, so a password beyond ASCII only works with SCRAM.
    // Quirk: a function as `credentials` leaves the choice of the mechanism to the user, who gets what both sides know.
    const made = make({
      credentials: async (authenticate, mechanisms) => {
        expect(mechanisms).toContain(mechanism);
        await authenticate({ username: name, password }, mechanism);
      },
    });
    await made.start();
    expect(made.jid.bare().toString()).toBe(jid);
  });

  test("with ANONYMOUS", async () => {
    const made = make({ domain: on.server.hosts.guest });
    await made.start();
    expect(made.jid.toString()).toMatch(new RegExp(`@${on.server.hosts.guest}/`));
  });

  test("and is refused with a wrong password", async () => {
    const { name } = await on.account("romeo");
    const made = make({ username: name, password: "wrong" });
    await expect(made.start()).rejects.toMatchObject({ condition: "not-authorized" });
  });

  test.skipIf(TARGET !== "ours")("with a FAST token the second time, and needs no password", async () => {
    const account = await on.account("romeo");
    const userAgent = xml("user-agent", { id: "d4565fa7-4d72-4749-b3d3-740edbf87770" });
    const first = make({ username: account.name, password: account.password, userAgent });
    const saved = new Promise<FastToken>((resolve) => {
      first.fast.saveToken = async (token) => resolve(token);
    });
    await first.start();
    const token = await saved;
    expect(token.mechanism).toBe("HT-SHA-256-NONE");
    await first.stop();

    const second = make({ username: account.name, password: "forgotten", userAgent });
    second.fast.fetchToken = async () => token;
    await second.start();
    expect(second.jid.bare().toString()).toBe(account.jid);
  });
});

describe("@xmpp/client keeps a roster", () => {
  test("get, set, push and remove", async () => {
    const account = await on.account("romeo");
    const [phone, laptop] = [await login(account), await login(account)];
    const pushes: Element[] = [];
    const pushed = new Promise<void>((resolve) => {
      phone.iqCallee.set(ROSTER, "query", ({ stanza: push }) => {
        pushes.push(push.getChild("query", ROSTER)?.getChild("item") as Element);
        if (pushes.length === 2) resolve();
        return true;
      });
    });
    // A resource gets pushes once it has asked for the roster.
    const empty = await phone.iqCaller.get(xml("query", ROSTER));
    expect(empty?.getChildElements()).toEqual([]);

    const item = { jid: "juliet@example.org", name: "Juliet" };
    await laptop.iqCaller.set(xml("query", ROSTER, xml("item", item, xml("group", {}, "Friends"))));
    const full = await laptop.iqCaller.get(xml("query", ROSTER));
    expect(full?.getChild("item")?.attrs).toMatchObject({ ...item, subscription: "none" });
    expect(full?.getChild("item")?.getChildText("group")).toBe("Friends");

    await laptop.iqCaller.set(xml("query", ROSTER, xml("item", { jid: item.jid, subscription: "remove" })));
    await pushed;
    expect(pushes.map(({ attrs }) => attrs.subscription)).toEqual(["none", "remove"]);
  });

  test("subscription handshake both ways, and presence flows", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    const from = (who: string, type?: string) => (it: Element) =>
      it.is("presence") && it.attrs.from.startsWith(who) && it.attrs.type === type;

    for (const [asks, asksJid, grants, grantsJid] of [
      [romeo, a.jid, juliet, b.jid],
      [juliet, b.jid, romeo, a.jid],
    ] as const) {
      const asked = stanza(grants, from(asksJid, "subscribe"));
      await asks.send(xml("presence", { to: grantsJid, type: "subscribe" }));
      await asked;
      const granted = stanza(asks, from(grantsJid, "subscribed"));
      const seen = stanza(asks, from(`${grantsJid}/`));
      await grants.send(xml("presence", { to: asksJid, type: "subscribed" }));
      await Promise.all([granted, seen]);
    }

    const away = stanza(juliet, (it) => from(`${a.jid}/`)(it) && it.getChildText("show") === "away");
    await romeo.send(xml("presence", {}, xml("show", {}, "away")));
    await away;
    const gone = stanza(romeo, from(`${b.jid}/`, "unavailable"));
    await juliet.stop();
    await gone;
  });
});

describe("@xmpp/client exchanges messages", () => {
  test("both ways", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    const asked = message(juliet, "Art thou not Romeo & a <Montague>?");
    await romeo.send(chat(b.jid, "Art thou not Romeo & a <Montague>?"));
    expect((await asked).attrs.from).toBe(romeo.jid.toString());
    const answered = message(romeo, "Neither, fair saint");
    await juliet.send(chat(romeo.jid.toString(), "Neither, fair saint"));
    await answered;
  });

  test("and its other resource gets carbons of what is sent and received", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [phone, laptop, juliet] = [await available(a), await available(a), await available(b)];
    await laptop.iqCaller.request(xml("iq", { type: "set" }, xml("enable", "urn:xmpp:carbons:2")));
    const carbon = (kind: string, body: string) =>
      stanza(laptop, (it) => {
        const forwarded = it.getChild(kind, "urn:xmpp:carbons:2")?.getChild("forwarded", "urn:xmpp:forward:0");
        return forwarded?.getChild("message")?.getChildText("body") === body;
      });

    const sent = carbon("sent", "It is my lady");
    await phone.send(chat(b.jid, "It is my lady"));
    expect((await sent).attrs.from).toBe(a.jid);
    const received = carbon("received", "Ay me");
    await juliet.send(chat(phone.jid.toString(), "Ay me"));
    expect((await received).attrs.from).toBe(a.jid);
  });

  test("and finds what came while it was away, with the time it came", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const romeo = await available(a);
    await romeo.send(chat(b.jid, "Good night"));
    // An answered request shows that the message before it was handled.
    await romeo.iqCaller.get(xml("ping", "urn:xmpp:ping"));
    const juliet = await login(b);
    const late = message(juliet, "Good night");
    await juliet.send(xml("presence"));
    expect((await late).getChild("delay", "urn:xmpp:delay")?.attrs.stamp).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test("and resumes after its connection was cut, with nothing lost or doubled", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const line = await on.wire();
    const [romeo, juliet] = [await available(a), await available(b, { service: line.url })];
    expect(juliet.streamManagement.id).not.toBe("");
    const before = juliet.jid.toString();
    const seen: string[] = [];
    juliet.on("stanza", (it: Element) => it.is("message") && seen.push(it.getChildText("body") ?? ""));
    const heard: string[] = [];
    romeo.on("stanza", (it: Element) => it.is("message") && heard.push(it.getChildText("body") ?? ""));

    await juliet.send(chat(a.jid, "on the wire when it breaks"));
    line.cut();
    for (const body of ["one", "two", "three"]) await romeo.send(chat(juliet.jid.toString(), body));
    const resumed = event(juliet.streamManagement, "resumed");
    line.mend();
    await resumed;
    expect(juliet.jid.toString()).toBe(before);

    const last = [message(juliet, "four"), message(romeo, "after")];
    await romeo.send(chat(before, "four"));
    await juliet.send(chat(a.jid, "after"));
    await Promise.all(last);
    expect(seen).toEqual(["one", "two", "three", "four"]);
    expect(heard).toEqual(["on the wire when it breaks", "after"]);
  });
});

describe("@xmpp/client uses the server's services", () => {
  test("blocking", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("tybalt")];
    const [romeo, tybalt] = [await available(a), await available(b)];
    const list = (name: string, ...children: Element[]) => xml(name, "urn:xmpp:blocking", ...children);
    await romeo.iqCaller.set(list("block", xml("item", { jid: b.jid })));
    const blocked = await romeo.iqCaller.get(list("blocklist"));
    expect(blocked?.getChildren("item").map(({ attrs }) => attrs.jid)).toEqual([b.jid]);

    const refused = stanza(tybalt, (it) => it.is("message") && it.attrs.type === "error");
    await tybalt.send(chat(a.jid, "Thou art a villain"));
    expect((await refused).getChild("error")?.getChild("service-unavailable")).toBeDefined();

    await romeo.iqCaller.set(list("unblock", xml("item", { jid: b.jid })));
    const heard = message(romeo, "Thou wretched boy");
    await tybalt.send(chat(a.jid, "Thou wretched boy"));
    await heard;
  });

  test("vcard-temp, private storage, disco and ping", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];

    await romeo.iqCaller.set(xml("vCard", "vcard-temp", xml("FN", {}, "Romeo Montague")));
    const card = await juliet.iqCaller.get(xml("vCard", "vcard-temp"), a.jid);
    expect(card?.getChildText("FN")).toBe("Romeo Montague");

    const notes = (text?: string) => xml("query", "jabber:iq:private", xml("notes", "test:notes", text));
    await romeo.iqCaller.set(notes("balcony at nine"));
    expect((await romeo.iqCaller.get(notes()))?.getChildText("notes")).toBe("balcony at nine");

    const info = await romeo.iqCaller.get(xml("query", "http://jabber.org/protocol/disco#info"), on.server.domain);
    const identities = info?.getChildren("identity").map(({ attrs }) => `${attrs.category}/${attrs.type}`);
    expect(identities).toContain("server/im");
    const features = info?.getChildren("feature").map(({ attrs }) => attrs.var);
    expect(features).toEqual(expect.arrayContaining(["urn:xmpp:carbons:2", "urn:xmpp:ping", "urn:xmpp:blocking"]));
    const items = await romeo.iqCaller.get(xml("query", "http://jabber.org/protocol/disco#items"), on.server.domain);
    expect(items).toBeDefined();

    await romeo.iqCaller.get(xml("ping", "urn:xmpp:ping"), on.server.domain);
    // A request goes only to a client that shows its presence to who asks (RFC 6121 §8.5.3.1).
    const shown = stanza(romeo, (it) => it.is("presence") && it.attrs.from === juliet.jid.toString());
    await juliet.send(xml("presence", { to: romeo.jid.toString() }));
    await shown;
    await romeo.iqCaller.get(xml("ping", "urn:xmpp:ping"), juliet.jid.toString());
  });
});
