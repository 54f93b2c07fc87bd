/** Two deployments of ours that federate by XEP-0468, with no bridge: each finds the other by host-meta, over TLS. Clients are @xmpp/client. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client, type XmppClient, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { afterAll, beforeAll, expect, test } from "vitest";
import { capsVersion } from "../../../src/protocol/caps.ts";
import { read } from "../../../src/xml/reader.ts";
import { event } from "../fixture.ts";
import { Reader, runs, Sender } from "../ledger.ts";
import { type Server, startServer } from "../server.ts";
import { Authority } from "./authority.ts";
import { Front } from "./front.ts";

const PASSWORD = "wherefore art thou, Romeo?";
const DISCO = "http://jabber.org/protocol/disco#info";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const TUNE = "http://jabber.org/protocol/tune";
const MUC = "http://jabber.org/protocol/muc";
/** A stream that was lost is opened again after some seconds, and later when its server was not back yet. */
const PATIENCE_MS = 30_000;
const [CAPULET, MONTAGUE] = ["capulet.test", "montague.test"];
const authority = new Authority(mkdtempSync(join(tmpdir(), "enjamb-websocket-")));
let fronts: Front[];
let capulet: Server;
let montague: Server;
let juliet: XmppClient;
let romeo: XmppClient;

beforeAll(async () => {
  const identity = authority.issue("front", ["localhost"]);
  fronts = [await Front.start(identity), await Front.start(identity)];
  [capulet, montague] = await Promise.all([serve(CAPULET, MONTAGUE), serve(MONTAGUE, CAPULET)]);
  await capulet.addUsers(["juliet", "nurse"], PASSWORD);
  await montague.addUsers(["romeo", "benvolio"], PASSWORD);
  juliet = await login(capulet, "juliet");
  romeo = await login(montague, "romeo");
});
afterAll(async () => {
  await Promise.all([juliet?.stop(), romeo?.stop()]);
  await Promise.all([capulet?.stop(), montague?.stop()]);
  for (const front of fronts ?? []) front.stop();
});

/** With TLS in front of it, by which it finds the other and is found. */
async function serve(domain: string, other: string): Promise<Server> {
  const [own, others] = (domain === CAPULET ? fronts : fronts.toReversed()) as [Front, Front];
  const settings = {
    XMPP_DOMAIN: domain,
    PUBLIC_URL: own.url,
    S2S_ORIGINS: JSON.stringify({ [other]: others.url }),
    NODE_EXTRA_CA_CERTS: authority.file,
  };
  const server = await startServer({ settings }, "ours");
  own.port = Number(new URL(server.http).port);
  return server;
}

/** On line, and with capabilities that ask for tunes. */
async function login(server: Server, name: string): Promise<XmppClient> {
  const { websocket: service, domain } = server;
  const made = client({ service, domain, username: name, password: PASSWORD });
  made.on("error", () => {});
  await made.start();
  const info = (node?: string) =>
    xml(
      "query",
      { xmlns: DISCO, node },
      xml("identity", { category: "client", type: "pc", name }),
      xml("feature", { var: `${TUNE}+notify` }),
    );
  made.iqCallee.get(DISCO, "query", ({ stanza }) => info(stanza.getChild("query")?.attrs.node));
  await made.iqCaller.get(xml("query", "jabber:iq:roster"));
  const ver = capsVersion(read(info().toString()));
  const caps = xml("c", { xmlns: "http://jabber.org/protocol/caps", hash: "sha-1", node: "test:caps", ver });
  const echoed = stanza(made, (it) => it.is("presence") && it.attrs.from === made.jid.toString());
  await made.send(xml("presence", {}, caps));
  await echoed;
  return made;
}

const stanza = (to: XmppClient, match: (it: Element) => boolean): Promise<Element> => event(to, "stanza", match);
const message = (to: XmppClient, body: string) => stanza(to, (it) => it.getChildText("body") === body);
const presence = (to: XmppClient, from: string, type?: string) =>
  stanza(to, (it) => it.is("presence") && it.attrs.from.startsWith(from) && it.attrs.type === type);
const bare = (who: XmppClient) => who.jid.bare().toString();

test("chat goes both ways, in order", async () => {
  for (const [from, to] of [
    [juliet, romeo],
    [romeo, juliet],
  ] as const) {
    const seen: string[] = [];
    const listen = (it: Element) => it.getChildText("body") && seen.push(it.getChildText("body") as string);
    to.on("stanza", listen);
    const last = message(to, "20");
    const sent = Array.from({ length: 20 }, (_, i) => String(i + 1));
    for (const body of sent) await from.send(xml("message", { to: bare(to), type: "chat" }, xml("body", {}, body)));
    expect((await last).attrs.from).toBe(from.jid.toString());
    to.removeListener("stanza", listen);
    expect(seen).toEqual(sent);
  }
});

test("a subscription is made, and presence is seen on both sides", async () => {
  for (const [asks, grants] of [
    [juliet, romeo],
    [romeo, juliet],
  ] as const) {
    const asked = presence(grants, bare(asks), "subscribe");
    await asks.send(xml("presence", { to: bare(grants), type: "subscribe" }));
    await asked;
    const granted = presence(asks, bare(grants), "subscribed");
    const seen = presence(asks, grants.jid.toString());
    await grants.send(xml("presence", { to: bare(asks), type: "subscribed" }));
    await Promise.all([granted, seen]);
  }
  const away = stanza(romeo, (it) => it.attrs.from === juliet.jid.toString() && it.getChildText("show") === "away");
  await juliet.send(xml("presence", {}, xml("show", {}, "away")));
  await away;
});

test.each([
  ["capulet", () => `lobby@${capulet.hosts.rooms}`],
  ["montague", () => `lobby@${montague.hosts.rooms}`],
])("both are in a room of %s", async (_, address) => {
  const room = address();
  const enters = async (who: XmppClient, nick: string) => {
    const entered = presence(who, `${room}/${nick}`);
    await who.send(xml("presence", { to: `${room}/${nick}` }, xml("x", MUC)));
    return entered;
  };
  await enters(juliet, "juliet");
  const seen = presence(juliet, `${room}/romeo`);
  await enters(romeo, "romeo");
  await seen;
  for (const [from, to, nick] of [
    [juliet, romeo, "juliet"],
    [romeo, juliet, "romeo"],
  ] as const) {
    const body = `${nick} in ${room}`;
    const heard = message(to, body);
    await from.send(xml("message", { to: room, type: "groupchat" }, xml("body", {}, body)));
    expect((await heard).attrs.from).toBe(`${room}/${nick}`);
  }
});

const items = (it: Element, node: string): Element | undefined => {
  const found = it.getChild("event", `${PUBSUB}#event`)?.getChild("items");
  return found?.attrs.node === node ? found : undefined;
};
const publish = (node: string, payload: Element) =>
  xml("pubsub", PUBSUB, xml("publish", { node }, xml("item", { id: "current" }, payload)));

test("a node of one pubsub service has subscribers on the other side", async () => {
  const node = "news";
  const { pubsub: host } = capulet.hosts;
  await juliet.iqCaller.set(xml("pubsub", PUBSUB, xml("create", { node })), host);
  await romeo.iqCaller.set(xml("pubsub", PUBSUB, xml("subscribe", { node, jid: bare(romeo) })), host);
  const told = stanza(romeo, (it) => items(it, node) !== undefined);
  await juliet.iqCaller.set(publish(node, xml("entry", "test:entry", "Rose & <thorn>")), host);
  const got = await told;
  expect(got.attrs.from).toBe(host);
  expect(items(got, node)?.getChild("item")?.getChild("entry", "test:entry")?.text()).toBe("Rose & <thorn>");
});

test("a contact on the other side is told what one listens to", async () => {
  for (const [from, to] of [
    [juliet, romeo],
    [romeo, juliet],
  ] as const) {
    const told = stanza(to, (it) => items(it, TUNE) !== undefined && it.attrs.from === bare(from));
    await from.iqCaller.set(publish(TUNE, xml("tune", TUNE, xml("title", {}, "Dance of the Knights"))));
    expect(
      items(await told, TUNE)
        ?.getChild("item")
        ?.getChild("tune", TUNE)
        ?.getChildText("title"),
    ).toBe("Dance of the Knights");
  }
});

test("each answers the other's users, and for users that it does not have", async () => {
  const info = await juliet.iqCaller.get(xml("query", DISCO), MONTAGUE);
  expect(info?.getChildren("feature").map(({ attrs }) => attrs.var)).toContain("urn:xmpp:ping");
  for (const [to, condition] of [
    [`nobody@${MONTAGUE}`, "service-unavailable"],
    [`nobody@rooms.${MONTAGUE}`, "item-not-found"],
  ] as const) {
    const answered = stanza(juliet, (it) => it.attrs.type === "error" && it.attrs.from === to);
    await juliet.send(xml("message", { to, type: "chat" }, xml("body", {}, "?")));
    expect((await answered).getChild("error")?.getChild(condition)).toBeDefined();
  }
});

test("either server is killed in the middle, and everything arrives once and in order", async ({ annotate }) => {
  const account = ({ websocket: url, domain }: Server, username: string) => ({
    url,
    domain,
    username,
    password: PASSWORD,
  });
  const sender = new Sender(account(capulet, "nurse"), `benvolio@${MONTAGUE}`);
  const reader = new Reader(account(montague, "benvolio"), { archive: true, lenient: false });
  await reader.begin();
  await sender.begin();
  const acknowledged = (n: number) =>
    until(
      () => sender.acked.length >= n,
      (done) => (sender.onAck = done),
    );
  const seen = (n: number) =>
    until(
      () => reader.seen.length >= n,
      (done) => (reader.onSeen = done),
    );
  const told = () => `${runs(sender.acked)} acknowledged, ${runs(reader.seen)} seen by ${reader}`;
  /** Resolves when `what` is so; `tell` is given what to call when it may have become so. */
  async function until(what: () => boolean, tell: (look: () => void) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => reject(new Error(told())), PATIENCE_MS);
    const look = () => what() && resolve();
    tell(look);
    look();
    await promise.finally(() => clearTimeout(late));
  }

  for (const [killed, survivor, pause] of [
    [montague, reader, 60],
    [capulet, sender, 40],
    [montague, reader, 25],
  ] as const) {
    sender.go();
    await acknowledged(sender.acked.length + pause);
    await killed.kill9();
    await survivor.lost();
    await killed.restart();
    await survivor.comeBack();
  }
  sender.go();
  await acknowledged(sender.acked.length + 10);
  await sender.finish();
  const last = sender.sent.length;
  await seen(last);
  expect(runs(sender.acked), "acknowledged in the order sent").toBe(`1-${last}`);
  expect(runs(reader.seen), `seen by ${reader}`).toBe(`1-${last}`);
  await annotate(`${last} messages; ${reader.repeats} repeats known by their stanza-id`);
  await Promise.all([sender.close(), reader.close()]);
}, 150_000);

test("whose certificate is not good is not spoken with", async () => {
  const front = await Front.start(authority.selfSigned("impostor", ["localhost"]));
  const settings = {
    XMPP_DOMAIN: "verona.test",
    S2S_ORIGINS: JSON.stringify({ [MONTAGUE]: front.url }),
    NODE_EXTRA_CA_CERTS: authority.file,
    // No bridge comes either.
    S2S_PATIENCE: "2",
  };
  const verona = await startServer({ settings }, "ours");
  front.port = Number(new URL(montague.http).port);
  try {
    await verona.addUsers(["prince"], PASSWORD);
    const prince = await login(verona, "prince");
    const bounced = stanza(prince, (it) => it.attrs.type === "error" && it.attrs.from === bare(romeo));
    await prince.send(xml("message", { to: bare(romeo), type: "chat" }, xml("body", {}, "secret")));
    const error = (await bounced).getChild("error");
    expect(error?.getChildElements().map(({ name }) => name)).toContain("remote-server-timeout");
    await prince.stop();
  } finally {
    await verona.stop();
    front.stop();
  }
});
