/** RFC 6121 §2 */
import { beforeEach, describe, expect, it } from "vitest";
import { Jid } from "../../../src/protocol/jid.ts";
import type { Element } from "../../../src/xml/element.ts";
import { type Client, condition, Site } from "./fake.ts";

const ROSTER = "jabber:iq:roster";
const query = (inner = "", ver?: string) =>
  `<query xmlns="${ROSTER}"${ver === undefined ? "" : ` ver="${ver}"`}>${inner}</query>`;
const items = (iq: Element) => iq.getChild("query", ROSTER)?.getChildren("item") ?? [];
const ver = (iq: Element) => iq.getChild("query", ROSTER)?.attrs.ver ?? "";

let site: Site;
let juliet: Client;

beforeEach(async () => {
  site = new Site();
  juliet = await site.client(site.user("juliet"), "balcony");
});

const add = (jid: string, inner = "", more = "") =>
  juliet.asks("set", query(`<item jid="${jid}" ${more}>${inner}</item>`));

describe("a roster", () => {
  it("is empty at first (§2.1.4)", async () => {
    const answer = await juliet.asks("get", query());
    expect(answer.attrs.type).toBe("result");
    expect(items(answer)).toEqual([]);
  });

  it("keeps what is set and pushes it to interested resources only (§2.3.2)", async () => {
    const chamber = await site.client("juliet@capulet.example", "chamber");
    await juliet.asks("get", query());
    const answer = await add(
      "nurse@example.com",
      "<group>Servants</group>",
      'name="Nurse" subscription="both" ask="x"',
    );
    expect(answer.attrs.type).toBe("result");
    const [push] = juliet.takes();
    expect(push?.attrs).toMatchObject({ type: "set", from: "juliet@capulet.example" });
    const [item] = items(push as Element);
    expect(item?.attrs).toMatchObject({ jid: "nurse@example.com", name: "Nurse", subscription: "none" });
    expect(item?.attrs.ask).toBeUndefined();
    expect(item?.getChild("group")?.getText()).toBe("Servants");
    expect(chamber.takes()).toEqual([]);
  });

  it("survives eviction", async () => {
    await add("nurse@example.com");
    site.evict();
    expect(items(await juliet.asks("get", query()))).toHaveLength(1);
  });

  it("replaces an item as a whole (§2.4)", async () => {
    await add("nurse@example.com", "<group>Servants</group>", 'name="Nurse"');
    await add("nurse@example.com", "<group>Friends</group>");
    const [item] = items(await juliet.asks("get", query()));
    expect(item?.attrs.name).toBeUndefined();
    expect(item?.getChildren("group").map((group) => group.getText())).toEqual(["Friends"]);
  });

  it.each([
    ["two items", '<item jid="a@b"/><item jid="c@d"/>', "bad-request"],
    ["no item", "", "bad-request"],
    ["a group named twice", '<item jid="a@b"><group>x</group><group>x</group></item>', "bad-request"],
    ["an empty group", '<item jid="a@b"><group/></item>', "not-acceptable"],
    ["a long name", `<item jid="a@b" name="${"n".repeat(1024)}"/>`, "not-acceptable"],
    ["a long group", `<item jid="a@b"><group>${"n".repeat(1024)}</group></item>`, "not-acceptable"],
    ["no address", "<item/>", "jid-malformed"],
    ["the own address", '<item jid="juliet@capulet.example"/>', "not-allowed"],
    ["what is not there", '<item jid="a@b" subscription="remove"/>', "item-not-found"],
  ])("refuses %s (§2.3.3, §2.5.3)", async (_what, inner, wanted) => {
    const answer = await juliet.asks("set", query(inner));
    expect(condition(answer)).toBe(wanted);
  });

  it("takes no more than a thousand items", async () => {
    const { contacts } = site.account(juliet.jid.bare);
    for (let i = 0; i < 1000; i++)
      contacts.put({ ...contacts.obtain(Jid.of(`c${i}`, "x.example")), listed: true }, true);
    expect(condition(await add("one@more.example"))).toBe("resource-constraint");
    expect((await add("c7@x.example")).attrs.type).toBe("result");
  });

  it("is nobody else's business, and strangers do not learn that it exists (§2.2, §13.10)", async () => {
    site.user("mercutio");
    const romeo = await site.client(site.user("romeo"), "orchard");
    for (const type of ["get", "set"] as const) {
      const there = await romeo.asks(type, query(), "juliet@capulet.example");
      const nowhere = await romeo.asks(type, query(), "nobody@capulet.example");
      expect(condition(there)).toBe("service-unavailable");
      expect(there.getChild("error")?.toString()).toBe(nowhere.getChild("error")?.toString());
    }
    await site.befriends(juliet.jid.bare, romeo.jid.bare);
    expect(condition(await romeo.asks("set", query(), "juliet@capulet.example"))).toBe("forbidden");
  });
});

describe("removing an item (§2.5.2)", () => {
  it.each([
    ["both", ["unsubscribe", "unsubscribed"]],
    ["to", ["unsubscribe"]],
    ["from", ["unsubscribed"]],
    ["none", []],
  ])("with subscription %s cancels it", async (subscription, steps) => {
    await juliet.asks("get", query());
    await add("romeo@montague.example");
    const { contacts } = site.account(juliet.jid.bare);
    for (const contact of contacts) contacts.put({ ...contact, subscription: subscription as "both" }, true);
    juliet.takes();
    const answer = await add("romeo@montague.example", "", 'subscription="remove"');
    expect(answer.attrs.type).toBe("result");
    const pushes = juliet.takes().flatMap(items);
    expect(pushes.map(({ attrs }) => attrs)).toEqual([
      { xmlns: ROSTER, jid: "romeo@montague.example", subscription: "remove" },
    ]);
    const sent = site.sent();
    expect(sent.map((text) => /type="(\w+)"/.exec(text)?.[1])).toEqual(steps);
    expect(items(await juliet.asks("get", query()))).toEqual([]);
  });
});

describe("versions (§2.6)", () => {
  it("an empty result when nothing has changed", async () => {
    await add("nurse@example.com");
    const known = ver(await juliet.asks("get", query("", "")));
    expect(known).not.toBe("");
    const answer = await juliet.asks("get", query("", known));
    expect(answer.getChildElements()).toEqual([]);
  });

  it("an empty result, then the changes in order, removals included", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await add(`${name}@x.example`);
    const known = ver(await juliet.asks("get", query("", "")));
    await add("b@x.example", "", 'subscription="remove"');
    await add("d@x.example", "", 'name="D"');
    const back = await site.client(juliet.jid.bare, "chamber");
    await back.sends(`<iq type="get" id="back">${query("", known)}</iq>`);
    const [result, ...pushes] = back.takes();
    expect(result?.attrs).toMatchObject({ id: "back", type: "result" });
    expect(result?.getChildElements()).toEqual([]);
    expect(pushes.flatMap(items).map(({ attrs }) => [attrs.jid, attrs.subscription])).toEqual([
      ["b@x.example", "remove"],
      ["d@x.example", "none"],
    ]);
    expect(new Set(pushes.map(ver)).size).toBe(2);
  });

  it("the whole roster where the version is foreign or that is less", async () => {
    await add("a@x.example");
    const known = ver(await juliet.asks("get", query("", "")));
    await add("a@x.example", "", 'name="A"');
    expect(items(await juliet.asks("get", query("", known)))).toHaveLength(1);
    expect(items(await juliet.asks("get", query("", "77-1")))).toHaveLength(1);
    expect(items(await juliet.asks("get", query("", "nonsense")))).toHaveLength(1);
  });

  it("the whole roster for a client that is behind what is remembered of removals", async () => {
    for (let i = 0; i < 5; i++) await add(`keep${i}@x.example`);
    const known = ver(await juliet.asks("get", query("", "")));
    for (let i = 0; i < 202; i++) {
      await add(`gone${i}@x.example`);
      await add(`gone${i}@x.example`, "", 'subscription="remove"');
    }
    expect(items(await juliet.asks("get", query("", known)))).toHaveLength(5);
    expect([...site.account(juliet.jid.bare).contacts].length).toBeLessThan(210);
  });
});
