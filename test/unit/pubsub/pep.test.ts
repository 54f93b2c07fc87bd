/** XEP-0163 */
import { beforeEach, describe, expect, it } from "vitest";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "../features/fake.ts";
import { capsOf, comesOnLine, conditions, eventsOf, infoOf, publish } from "./eventing.ts";

const TUNE = "http://jabber.org/protocol/tune";
const tune = (title: string) => `<tune xmlns="${TUNE}"><title>${title}</title></tune>`;
const NS = "http://jabber.org/protocol/pubsub";

let site: Site;
let juliet: Jid;
let romeo: Jid;
let balcony: Client;

beforeEach(async () => {
  site = new Site();
  juliet = site.user("juliet");
  romeo = site.user("romeo");
  balcony = await site.client(juliet, "balcony", true);
});

describe("publishing (§3)", () => {
  it("makes the node, and items can be retrieved", async () => {
    const answer = await balcony.asks("set", publish(TUNE, "a", tune("Introduction")));
    expect(answer.attrs.type).toBe("result");
    expect(answer.getChild("pubsub", NS)?.getChild("publish")?.getChild("item")?.attrs.id).toBe("a");
    site.evict();
    const items = await balcony.asks("get", `<pubsub xmlns="${NS}"><items node="${TUNE}"/></pubsub>`);
    expect(items.toString()).toContain("Introduction");
  });

  it("keeps one item by default", async () => {
    for (const id of ["a", "b"]) await balcony.asks("set", publish(TUNE, id, tune(id)));
    const items = await balcony.asks("get", `<pubsub xmlns="${NS}"><items node="${TUNE}"/></pubsub>`);
    expect(
      items
        .getChild("pubsub", NS)
        ?.getChild("items")
        ?.getChildElements()
        .map(({ attrs }) => attrs.id),
    ).toEqual(["b"]);
  });
});

describe("notifications (§4.3)", () => {
  it("go to every resource of the owner that asks for them, behind the answer", async () => {
    const chamber = await site.client(juliet, "chamber");
    expect(await comesOnLine(chamber, [TUNE])).toBe(true);
    expect(await comesOnLine(balcony, [TUNE])).toBe(false); // the hash is known
    await balcony.sends(`<iq type="set" id="p">${publish(TUNE, "a", tune("Finzi"))}</iq>`);
    expect(eventsOf(chamber)).toEqual([`${TUNE} a`]);
    const got = balcony.takes().filter(({ name }) => name !== "presence");
    expect(got.map(({ name }) => name)).toEqual(["iq", "message"]);
    expect(got[1]?.attrs).toMatchObject({ from: String(juliet), to: `${juliet}/balcony`, type: "headline" });
  });

  it("go to contacts that see the owner and ask for them, also after everything was forgotten", async () => {
    await site.befriends(juliet, romeo);
    const orchard = await site.client(romeo, "orchard");
    const home = await site.client(romeo, "home", true);
    await comesOnLine(orchard, [TUNE]);
    site.evict();
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    expect(eventsOf(orchard)).toEqual([`${TUNE} a`]);
    expect(eventsOf(home)).toEqual([]);
  });

  it("bring the last item to a client that comes on line, once", async () => {
    await site.befriends(juliet, romeo);
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    const orchard = await site.client(romeo, "orchard");
    await comesOnLine(orchard, [TUNE, "other"]);
    const [event] = orchard.takes().filter(({ name }) => name === "message");
    expect(event?.toString()).toContain("Finzi");
    expect(event?.getChild("delay", "urn:xmpp:delay")).toBeDefined();
    await comesOnLine(orchard, [TUNE, "other"]);
    expect(eventsOf(orchard)).toEqual([]);
  });

  it("do not reach strangers, nor those the owner has blocked", async () => {
    const orchard = await site.client(romeo, "orchard");
    await comesOnLine(orchard, [TUNE]);
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    expect(eventsOf(orchard)).toEqual([]);
    await site.befriends(juliet, romeo);
    await balcony.asks("set", `<block xmlns="urn:xmpp:blocking"><item jid="${romeo}"/></block>`);
    await balcony.asks("set", publish(TUNE, "b", tune("Finzi")));
    expect(eventsOf(orchard)).toEqual([]);
  });

  it("reach a contact elsewhere by the capabilities of its presence, asked for once", async () => {
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    const away = "benvolio@montague.example";
    await balcony.sends(`<presence type="subscribed" to="${away}"/>`);
    await site.arrives(`<presence type="subscribe" from="${away}" to="${juliet}"/>`);
    site.sent();
    await site.arrives(`<presence from="${away}/mask" to="${juliet}">${capsOf([TUNE])}</presence>`);
    const [question = ""] = site.sent();
    expect(question).toContain("disco#info");
    const id = /id="([^"]*)"/.exec(question)?.[1];
    await site.arrives(`<iq type="result" id="${id}" from="${away}/mask" to="${juliet}">${infoOf([TUNE])}</iq>`);
    expect(site.sent().join("")).toContain("Finzi");
    site.evict();
    await balcony.asks("set", publish(TUNE, "b", tune("Howells")));
    const sent = site.sent();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(`to="${away}/mask"`);
    await site.arrives(`<presence type="unavailable" from="${away}/mask" to="${juliet}"/>`);
    await balcony.asks("set", publish(TUNE, "c", tune("Howells")));
    expect(site.sent()).toEqual([]);
  });

  it("reach a contact elsewhere whose presence came before it was allowed to see them", async () => {
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    const away = "benvolio@montague.example";
    await balcony.sends(`<presence type="subscribe" to="${away}"/>`);
    await site.arrives(`<presence type="subscribed" from="${away}" to="${juliet}"/>`);
    site.sent();
    await site.arrives(`<presence from="${away}/mask" to="${juliet}">${capsOf([TUNE])}</presence>`);
    const id = /id="([^"]*)"/.exec(site.sent()[0] ?? "")?.[1];
    await site.arrives(`<iq type="result" id="${id}" from="${away}/mask" to="${juliet}">${infoOf([TUNE])}</iq>`);
    expect(site.sent().join("")).not.toContain("Finzi");
    await site.arrives(`<presence type="subscribe" from="${away}" to="${juliet}"/>`);
    await balcony.sends(`<presence type="subscribed" to="${away}"/>`);
    expect(site.sent().join("")).toContain("Finzi");
  });
});

describe("access (§5, XEP-0223)", () => {
  const get = (node: string) => `<pubsub xmlns="${NS}"><items node="${node}"/></pubsub>`;

  it("presence by default", async () => {
    const orchard = await site.client(romeo, "orchard", true);
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    expect(conditions(await orchard.asks("get", get(TUNE), String(juliet)))).toEqual([
      "not-authorized",
      "presence-subscription-required",
    ]);
    await site.befriends(juliet, romeo);
    expect((await orchard.asks("get", get(TUNE), String(juliet))).attrs.type).toBe("result");
  });

  it("a stranger learns nothing of a node that is not there", async () => {
    const orchard = await site.client(romeo, "orchard", true);
    for (const jid of [String(juliet), "nobody@capulet.example"])
      expect(conditions(await orchard.asks("get", get("nothing"), jid))).toEqual(["service-unavailable"]);
  });

  it("open where its publisher says so (XEP-0384)", async () => {
    const node = "eu.siacs.conversations.axolotl.devicelist";
    const list = `<list xmlns="eu.siacs.conversations.axolotl"/>`;
    await balcony.asks("set", publish(node, "current", list, "access_model=open"));
    const orchard = await site.client(romeo, "orchard", true);
    expect((await orchard.asks("get", get(node), String(juliet))).attrs.type).toBe("result");
    expect(conditions(await balcony.asks("set", publish(node, "current", list, "access_model=whitelist")))).toEqual([
      "conflict",
      "precondition-not-met",
    ]);
  });

  it("bookmarks are the owner's alone, whatever is asked for", async () => {
    await site.befriends(juliet, romeo);
    const orchard = await site.client(romeo, "orchard");
    await comesOnLine(orchard, ["urn:xmpp:bookmarks:1"]);
    const conference = `<conference xmlns="urn:xmpp:bookmarks:1"/>`;
    expect((await balcony.asks("set", publish("urn:xmpp:bookmarks:1", "a@rooms", conference))).attrs.type).toBe(
      "result",
    );
    expect(eventsOf(orchard)).toEqual([]);
    expect(conditions(await orchard.asks("get", get("urn:xmpp:bookmarks:1"), String(juliet)))).toEqual([
      "not-allowed",
      "closed-node",
    ]);
    const open =
      `<pubsub xmlns="${NS}#owner"><configure node="urn:xmpp:bookmarks:1"><x xmlns="jabber:x:data" type="submit">
      <field var="FORM_TYPE"><value>${NS}#node_config</value></field><field var="pubsub#access_model"><value>open</value></field>
      </x></configure></pubsub>`.replace(/>\s+</g, "><");
    expect(conditions(await balcony.asks("set", open))).toEqual(["not-acceptable", "unsupported-access-model"]);
  });

  it("others cannot publish, create, or delete", async () => {
    await site.befriends(juliet, romeo);
    await balcony.asks("set", publish(TUNE, "a", tune("Finzi")));
    const orchard = await site.client(romeo, "orchard", true);
    expect(conditions(await orchard.asks("set", publish(TUNE, "b", tune("x")), String(juliet)))).toEqual(["forbidden"]);
    expect(conditions(await orchard.asks("set", publish("new", "b", tune("x")), String(juliet)))).toEqual([
      "item-not-found",
    ]);
    const remove = `<pubsub xmlns="${NS}#owner"><delete node="${TUNE}"/></pubsub>`;
    expect(conditions(await orchard.asks("set", remove, String(juliet)))).toEqual(["forbidden"]);
  });
});

describe("capabilities that lie (XEP-0115 §5.4)", () => {
  it("are not believed of anybody else", async () => {
    await balcony.sends(`<presence>${capsOf(["node-a"])}</presence>`);
    const question = balcony.takes().find((el) => el.name === "iq");
    await balcony.sends(`<iq type="result" to="${juliet}" id="${question?.attrs.id}">${infoOf(["node-b"])}</iq>`);
    const chamber = await site.client(juliet, "chamber");
    expect(await comesOnLine(chamber, ["node-a"])).toBe(true);
  });
});

describe("what a client shows (XEP-0060 §16.4.2)", () => {
  it("decides whether it gets an event", async () => {
    const chats = await site.client(romeo, "chats");
    const away = await site.client(romeo, "away");
    await chats.sends("<presence><show>chat</show></presence>");
    await away.sends("<presence><show>away</show></presence>");
    const node = "open";
    await balcony.asks("set", publish(node, "a", tune("a"), "access_model=open"));
    const options = `<options><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>${NS}#subscribe_options</value></field><field var="pubsub#show-values"><value>chat</value><value>online</value></field></x></options>`;
    const answer = await chats.asks(
      "set",
      `<pubsub xmlns="${NS}"><subscribe node="${node}" jid="${romeo}"/>${options}</pubsub>`,
      String(juliet),
    );
    expect(answer.attrs.type).toBe("result");
    for (const client of [chats, away]) client.takes();
    await balcony.asks("set", publish(node, "b", tune("b")));
    expect(eventsOf(chats)).toEqual([`${node} b`]);
    expect(eventsOf(away)).toEqual([]);
  });
});
