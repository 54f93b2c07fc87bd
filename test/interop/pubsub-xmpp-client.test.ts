/** @xmpp/client publishes, subscribes and receives: stanzas as its users build them, since it has no words for pubsub. */
import { client, type XmppClient, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { describe, expect, test } from "vitest";
import { capsVersion } from "../../src/protocol/caps.ts";
import { read } from "../../src/xml/reader.ts";
import { type Account, awaited, event, stage } from "./fixture.ts";

const on = stage();

const PUBSUB = "http://jabber.org/protocol/pubsub";
const EVENT = `${PUBSUB}#event`;
const DISCO = "http://jabber.org/protocol/disco#info";
const TUNE = "http://jabber.org/protocol/tune";
const BOOKMARKS = "urn:xmpp:bookmarks:1";

/** disco#info of a client that asks for the events of these nodes. */
const infoOf = (name: string, nodes: readonly string[], node?: string): Element =>
  xml(
    "query",
    { xmlns: DISCO, node },
    xml("identity", { category: "client", type: "pc", name }),
    ...nodes.map((name) => xml("feature", { var: `${name}+notify` })),
  );

/**
 * Logs in and becomes available, with capabilities that ask for the events of these nodes. Its name is like no other, so
 * that the server asks for them; the answer is known when the request behind it is answered.
 */
async function available({ name, password }: Account, nodes: readonly string[] = []): Promise<XmppClient> {
  const { websocket: service, domain } = on.server;
  const made = client({ service, domain, username: name, password });
  made.on("error", () => {});
  on.later(() => made.stop());
  await made.start();
  const self = made.jid.toString();
  const asked = awaited<void>("a question for capabilities");
  made.iqCallee.get(DISCO, "query", ({ stanza: question }) => {
    asked.resolve();
    return infoOf(self, nodes, question.getChild("query")?.attrs.node);
  });
  const ver = capsVersion(read(infoOf(self, nodes).toString()));
  await made.send(
    xml("presence", {}, xml("c", { xmlns: "http://jabber.org/protocol/caps", hash: "sha-1", node: "test:caps", ver })),
  );
  await asked.promise;
  await made.iqCaller.get(xml("query", "jabber:iq:roster"));
  return made;
}

const stanza = (to: XmppClient, match: (it: Element) => boolean): Promise<Element> => event(to, "stanza", match);
const pubsub = (...children: unknown[]) => xml("pubsub", PUBSUB, ...children);
const items = (it: Element): Element | undefined => it.getChild("event", EVENT)?.getChild("items");

/** The `<items/>` of the next event of a node, with the address it comes from. */
async function told(to: XmppClient, node: string): Promise<{ from: string; items: Element }> {
  const message = await stanza(to, (it) => items(it)?.attrs.node === node);
  return { from: message.attrs.from, items: items(message) as Element };
}

const field = (name: string, value: string) => xml("field", { var: name }, xml("value", {}, value));
const publish = (node: string, id: string, payload: Element, options: Record<string, string> = {}) =>
  pubsub(
    xml("publish", { node }, xml("item", { id }, payload)),
    Object.keys(options).length > 0 &&
      xml(
        "publish-options",
        {},
        xml(
          "x",
          { xmlns: "jabber:x:data", type: "submit" },
          field("FORM_TYPE", `${PUBSUB}#publish-options`),
          ...Object.entries(options).map(([name, value]) => field(`pubsub#${name}`, value)),
        ),
      ),
  );

const tune = (title: string) => xml("tune", TUNE, xml("title", {}, title));

describe("@xmpp/client", () => {
  test("publishes, subscribes and receives at the pubsub host", async () => {
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await available(a), await available(b)];
    const { pubsub: host } = on.server.hosts;
    const node = `${a.name}/news`;
    await romeo.iqCaller.set(pubsub(xml("create", { node })), host);
    const subscribed = await juliet.iqCaller.set(pubsub(xml("subscribe", { node, jid: b.jid })), host);
    expect(subscribed?.getChild("subscription")?.attrs).toMatchObject({ node, subscription: "subscribed" });
    const heard = told(juliet, node);
    const answer = await romeo.iqCaller.set(publish(node, "1", xml("entry", "test:entry", "Rose & <thorn>")), host);
    expect(answer?.getChild("publish")?.getChild("item")?.attrs.id).toBe("1");
    const { from, items: got } = await heard;
    expect(from).toBe(host);
    expect(got.getChild("item")?.getChild("entry", "test:entry")?.text()).toBe("Rose & <thorn>");
    const stored = await juliet.iqCaller.get(pubsub(xml("items", { node })), host);
    expect(stored?.getChild("items")?.getChild("item")?.getChildText("entry")).toBe("Rose & <thorn>");
    await expect(juliet.iqCaller.set(publish(node, "2", xml("entry", "test:entry")), host)).rejects.toMatchObject({
      condition: "forbidden",
    });
  });

  test("hears the tunes of a contact by its capabilities, and none of one who is not", async () => {
    const [a, b, c] = [await on.account("romeo"), await on.account("juliet"), await on.account("tybalt")];
    const [romeo, juliet, tybalt] = [await available(a), await available(b, [TUNE]), await available(c, [TUNE])];
    const deaf = await available(b);
    const asked = stanza(romeo, (it) => it.attrs.type === "subscribe");
    await juliet.send(xml("presence", { to: a.jid, type: "subscribe" }));
    await asked;
    const granted = stanza(juliet, (it) => it.attrs.type === "subscribed");
    await romeo.send(xml("presence", { to: b.jid, type: "subscribed" }));
    await granted;
    const strays: string[] = [];
    for (const one of [tybalt, deaf, romeo]) one.on("stanza", (it: Element) => items(it) && strays.push(it.attrs.to));

    const heard = told(juliet, TUNE);
    await romeo.iqCaller.set(publish(TUNE, "current", tune("Dance of the Knights")));
    const { from, items: got } = await heard;
    expect(from).toBe(a.jid);
    expect(got.getChild("item")?.getChild("tune", TUNE)?.getChildText("title")).toBe("Dance of the Knights");
    for (const one of [tybalt, deaf, romeo]) await one.iqCaller.get(xml("query", "jabber:iq:roster"));
    expect(strays).toEqual([]);
  });

  test("keeps bookmarks as modern clients do, and its other client follows", async () => {
    const account = await on.account("romeo");
    const [phone, laptop] = [await available(account), await available(account, [BOOKMARKS])];
    const room = "balcony@rooms.example.org";
    const options = {
      persist_items: "true",
      max_items: "max",
      send_last_published_item: "never",
      access_model: "whitelist",
    };
    const bookmark = xml(
      "conference",
      { xmlns: BOOKMARKS, name: "Balcony", autojoin: "true" },
      xml("nick", {}, "Romeo"),
      xml("extensions", {}, xml("state", { xmlns: "test:state", minimized: "true" })),
    );
    const added = told(laptop, BOOKMARKS);
    await phone.iqCaller.set(publish(BOOKMARKS, room, bookmark, options));
    const [item] = (await added).items.getChildren("item");
    expect(item?.attrs.id).toBe(room);
    expect(item?.getChild("conference", BOOKMARKS)?.getChildText("nick")).toBe("Romeo");

    // An old client changes its list: what it does not know of stays.
    const changed = told(laptop, BOOKMARKS);
    const old = xml("conference", { jid: room, name: "The balcony", autojoin: "1" }, xml("nick", {}, "Romeo"));
    await phone.iqCaller.set(xml("query", "jabber:iq:private", xml("storage", "storage:bookmarks", old)));
    const conference = (await changed).items.getChild("item")?.getChild("conference", BOOKMARKS);
    expect(conference?.attrs.name).toBe("The balcony");
    expect(conference?.getChild("extensions")?.getChild("state", "test:state")?.attrs.minimized).toBe("true");

    const removed = told(laptop, BOOKMARKS);
    await phone.iqCaller.set(pubsub(xml("retract", { node: BOOKMARKS, notify: "true" }, xml("item", { id: room }))));
    expect((await removed).items.getChild("retract")?.attrs.id).toBe(room);
  });
});
