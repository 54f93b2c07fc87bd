/** XEP-0398, XEP-0402 and XEP-0411, XEP-0490: what an account keeps is the same however a client asks for it. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { Jid } from "../../../src/protocol/jid.ts";
import { type Client, Site } from "../features/fake.ts";
import { comesOnLine, eventsOf, publish } from "./eventing.ts";

const NS = "http://jabber.org/protocol/pubsub";
const ITEMS = "urn:xmpp:bookmarks:1";
const LIST = "storage:bookmarks";

let site: Site;
let juliet: Jid;
let balcony: Client;

beforeEach(async () => {
  site = new Site();
  juliet = site.user("juliet");
  balcony = await site.client(juliet, "balcony", true);
});

const items = async (node: string) => {
  const answer = await balcony.asks("get", `<pubsub xmlns="${NS}"><items node="${node}"/></pubsub>`);
  return answer.getChild("pubsub", NS)?.getChild("items")?.getChildElements() ?? [];
};

describe("bookmarks", () => {
  const PLAY = "theplay@rooms.capulet.example";
  const conference = (name: string, more = "") =>
    `<conference xmlns="${ITEMS}" name="${name}" autojoin="1"><nick>JC</nick>${more}</conference>`;
  const privately = (inner = "") =>
    `<query xmlns="jabber:iq:private"><storage xmlns="${LIST}">${inner}</storage></query>`;
  const readList = async () => (await balcony.asks("get", privately())).getChild("query")?.getChild("storage", LIST);

  it("published as items are in the list, on its node and in private storage", async () => {
    await balcony.asks("set", publish(ITEMS, PLAY, conference("The Play")));
    const [current] = await items(LIST);
    expect(current?.attrs.id).toBe("current");
    const room = (await readList())?.getChild("conference");
    expect(room?.attrs).toMatchObject({ jid: PLAY, name: "The Play", autojoin: "true" });
    expect(room?.getChildText("nick")).toBe("JC");
  });

  it("changed in the list are changed as items: only those, and extensions stay", async () => {
    await balcony.asks(
      "set",
      publish(ITEMS, PLAY, conference("The Play", `<extensions><state xmlns="urn:x"/></extensions>`)),
    );
    await balcony.asks("set", publish(ITEMS, "b@rooms.capulet.example", conference("B")));
    await comesOnLine(balcony, [ITEMS, LIST]);
    balcony.takes();
    const url = `<url name="Site" url="https://x.example"/>`;
    await balcony.asks(
      "set",
      privately(`<conference jid="${PLAY}" name="Changed" autojoin="true"><nick>JC</nick></conference>${url}`),
    );
    expect(eventsOf(balcony).sort()).toEqual(
      [`${LIST} current`, `${ITEMS} ${PLAY}`, `${ITEMS} -b@rooms.capulet.example`].sort(),
    );
    const [item, more] = await items(ITEMS);
    expect(more).toBeUndefined();
    expect(item?.getChild("conference")?.attrs.name).toBe("Changed");
    expect(item?.getChild("conference")?.getChild("extensions")?.getChild("state", "urn:x")).toBeDefined();
    await balcony.asks("set", publish(ITEMS, "c@rooms.capulet.example", conference("C")));
    expect((await readList())?.getChild("url")?.attrs.url).toBe("https://x.example");
    expect((await readList())?.getChildren("conference")).toHaveLength(2);
  });

  it("retracted are gone from the list", async () => {
    await balcony.asks("set", publish(ITEMS, PLAY, conference("The Play")));
    await balcony.asks(
      "set",
      `<pubsub xmlns="${NS}"><retract node="${ITEMS}" notify="1"><item id="${PLAY}"/></retract></pubsub>`,
    );
    expect((await readList())?.getChildElements()).toEqual([]);
  });
});

describe("avatars", () => {
  const image = Buffer.from("an image, believe me");
  const base64 = image.toString("base64");
  const hash = createHash("sha1").update(image).digest("hex");
  const vcard = async () => (await balcony.asks("get", `<vCard xmlns="vcard-temp"/>`)).getChild("vCard", "vcard-temp");
  const data = `<data xmlns="urn:xmpp:avatar:data">${base64}</data>`;
  const metadata = `<metadata xmlns="urn:xmpp:avatar:metadata"><info id="${hash}" type="image/gif" bytes="20"/></metadata>`;

  it.each([
    ["open", true],
    ["presence", false],
  ])("with access %s are in the vCard, and presence is sent again: %s", async (access, shown) => {
    await balcony.asks("set", `<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>`);
    await balcony.asks("set", publish("urn:xmpp:avatar:data", hash, data, `access_model=${access}`));
    await balcony.asks("set", publish("urn:xmpp:avatar:metadata", hash, metadata, `access_model=${access}`));
    const card = await vcard();
    expect(card?.getChildText("FN")).toBe("Juliet");
    expect(card?.getChild("PHOTO")?.getChildText("BINVAL")).toBe(shown ? base64 : undefined);
    expect(balcony.takes().some((el) => el.name === "presence" && String(el).includes(hash))).toBe(shown);
    const bound = await site.logins.bind(String(juliet), { gate: "weur:0", sid: "x", resource: "new" });
    expect(bound).toMatchObject(shown ? { photo: hash } : {});
    if (!shown) return;
    await balcony.asks(
      "set",
      publish("urn:xmpp:avatar:metadata", "off", `<metadata xmlns="urn:xmpp:avatar:metadata"/>`),
    );
    expect((await vcard())?.getChild("PHOTO")).toBeUndefined();
  });

  it("in the vCard are published for everybody who asks for them", async () => {
    await comesOnLine(balcony, ["urn:xmpp:avatar:metadata"]);
    balcony.takes();
    await balcony.asks(
      "set",
      `<vCard xmlns="vcard-temp"><PHOTO><TYPE>image/gif</TYPE><BINVAL>${base64}</BINVAL></PHOTO></vCard>`,
    );
    expect(eventsOf(balcony)).toEqual([`urn:xmpp:avatar:metadata ${hash}`]);
    const [item] = await items("urn:xmpp:avatar:data");
    expect(item?.attrs.id).toBe(hash);
    expect(item?.getChildText("data")).toBe(base64);
  });
});

describe("what was displayed", () => {
  it("is taken out of the message and published (XEP-0490 §5)", async () => {
    const node = "urn:xmpp:mds:displayed:0";
    await comesOnLine(balcony, [node]);
    const romeo = await site.client(site.user("romeo"), "orchard", true);
    balcony.takes();
    const id = `<stanza-id xmlns="urn:xmpp:sid:0" by="${juliet}" id="s1"/>`;
    await balcony.sends(
      `<message to="romeo@capulet.example"><displayed xmlns="urn:xmpp:chat-markers:0" id="m"/><displayed xmlns="${node}">${id}</displayed></message>`,
    );
    const [got] = romeo.takes();
    expect(String(got)).toContain("chat-markers");
    expect(String(got)).not.toContain(node);
    expect(eventsOf(balcony)).toEqual([`${node} romeo@capulet.example`]);
    const orchard = await romeo.asks("get", `<pubsub xmlns="${NS}"><items node="${node}"/></pubsub>`, String(juliet));
    expect(orchard.attrs.type).toBe("error");
  });
});
