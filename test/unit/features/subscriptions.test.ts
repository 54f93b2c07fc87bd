/** RFC 6121 §3 */
import { beforeEach, describe, expect, it } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { brief, type Client, Site } from "./fake.ts";

const ROSTER = `<query xmlns="jabber:iq:roster"/>`;
let site: Site;
let romeo: Client;
let juliet: Client;

beforeEach(async () => {
  site = new Site();
  romeo = await site.client(site.user("romeo"), "orchard");
  juliet = await site.client(site.user("juliet"), "balcony");
  for (const client of [romeo, juliet]) {
    await client.asks("get", ROSTER);
    await client.sends("<presence/>");
    client.takes();
  }
});

/** Roster pushes as "jid subscription ask", other stanzas in brief. */
function seenBy(client: Client): string[] {
  return client.takes().map((el: Element) => {
    const item = el.getChild("query", "jabber:iq:roster")?.getChild("item");
    if (!item) return brief(el);
    const { jid, subscription, ask, approved } = item.attrs;
    return [`push ${jid} ${subscription}`, ask, approved && "approved"].filter(Boolean).join(" ");
  });
}

const subscribe = (client: Client, type: string, to: string) => client.sends(`<presence type="${type}" to="${to}"/>`);

describe("a subscription", () => {
  it("is asked for, granted, and shows presence (§3.1)", async () => {
    await subscribe(romeo, "subscribe", "juliet@capulet.example/balcony");
    expect(seenBy(romeo)).toEqual(["push juliet@capulet.example none subscribe"]);
    expect(seenBy(juliet)).toEqual(["presence subscribe romeo@capulet.example juliet@capulet.example"]);
    await subscribe(juliet, "subscribed", "romeo@capulet.example");
    expect(seenBy(juliet)).toEqual(["push romeo@capulet.example from"]);
    expect(seenBy(romeo)).toEqual([
      "presence subscribed juliet@capulet.example romeo@capulet.example",
      "push juliet@capulet.example to",
      "presence  juliet@capulet.example/balcony romeo@capulet.example",
    ]);
  });

  it("is cancelled: unavailable, unsubscribed, push (§3.2)", async () => {
    await site.befriends(romeo.jid.bare, juliet.jid.bare);
    await subscribe(juliet, "unsubscribed", "romeo@capulet.example");
    expect(seenBy(romeo)).toEqual([
      "presence unavailable juliet@capulet.example/balcony romeo@capulet.example",
      "presence unsubscribed juliet@capulet.example romeo@capulet.example",
      "push juliet@capulet.example from",
    ]);
    expect(seenBy(juliet)).toEqual(["push romeo@capulet.example to"]);
  });

  it("is given up: unsubscribe, push, unavailable (§3.3)", async () => {
    await site.befriends(romeo.jid.bare, juliet.jid.bare);
    await subscribe(romeo, "unsubscribe", "juliet@capulet.example");
    expect(seenBy(juliet)).toEqual([
      "presence unsubscribe romeo@capulet.example juliet@capulet.example",
      "push romeo@capulet.example to",
    ]);
    expect(seenBy(romeo)).toEqual([
      "push juliet@capulet.example from",
      "presence unavailable juliet@capulet.example/balcony romeo@capulet.example",
    ]);
  });

  it("is refused (§3.2.1)", async () => {
    await subscribe(romeo, "subscribe", "juliet@capulet.example");
    await subscribe(juliet, "unsubscribed", "romeo@capulet.example");
    seenBy(juliet);
    expect(seenBy(romeo).slice(1)).toEqual([
      "presence unsubscribed juliet@capulet.example romeo@capulet.example",
      "push juliet@capulet.example none",
    ]);
    expect([...site.account(juliet.jid.bare).contacts]).toEqual([]);
  });

  it("can be approved before it is asked for (§3.4)", async () => {
    await subscribe(juliet, "subscribed", "romeo@capulet.example");
    expect(seenBy(juliet)).toEqual(["push romeo@capulet.example none approved"]);
    expect(seenBy(romeo)).toEqual([]);
    await subscribe(romeo, "subscribe", "juliet@capulet.example");
    expect(seenBy(juliet)).toEqual(["push romeo@capulet.example from"]);
    expect(seenBy(romeo).slice(1)).toEqual([
      "presence subscribed juliet@capulet.example romeo@capulet.example",
      "push juliet@capulet.example to",
      "presence  juliet@capulet.example/balcony romeo@capulet.example",
    ]);
  });

  it("that exists is confirmed without asking (§3.1.3)", async () => {
    await site.befriends(romeo.jid.bare, juliet.jid.bare);
    await site.arrives(`<presence type="subscribe" from="romeo@capulet.example" to="juliet@capulet.example"/>`);
    expect(seenBy(juliet)).toEqual([]);
    expect(seenBy(romeo)).toEqual([]); // Romeo is subscribed already, so there is no news
  });

  it("to oneself is no matter", async () => {
    await subscribe(romeo, "subscribe", "romeo@capulet.example");
    expect(seenBy(romeo)).toEqual([]);
  });
});

describe("requests that nobody has answered (§3.1.3)", () => {
  const asks = `<presence type="subscribe" from="tybalt@x.example" to="juliet@capulet.example"><status>Well met</status></presence>`;

  it("come again at each login, whole and once, and are in no roster", async () => {
    await site.leaves(juliet);
    await site.arrives(asks);
    await site.arrives(asks);
    site.evict();
    for (const resource of ["chamber", "garden"]) {
      const back = await site.client("juliet@capulet.example", resource);
      const roster = await back.asks("get", ROSTER);
      expect(roster.getChild("query")?.getChildElements()).toEqual([]);
      await back.sends("<presence/>");
      const requests = back.takes().filter((el) => el.attrs.type === "subscribe");
      expect(requests.map((el) => [el.attrs.from, el.attrs.to, el.getChildText("status")])).toEqual([
        ["tybalt@x.example", "juliet@capulet.example", "Well met"],
      ]);
      await site.leaves(back);
    }
  });

  it("are answered once", async () => {
    await site.arrives(asks);
    juliet.takes();
    await subscribe(juliet, "subscribed", "tybalt@x.example");
    const [subscribed, presence] = site.sent();
    expect(subscribed).toContain('type="subscribed" from="juliet@capulet.example"');
    expect(presence).toContain('from="juliet@capulet.example/balcony"');
    await site.leaves(juliet);
    const back = await site.client("juliet@capulet.example", "chamber", false);
    await back.sends("<presence/>");
    expect(back.takes().filter((el) => el.attrs.type === "subscribe")).toEqual([]);
  });

  it("vanish when they are taken back (§3.3.3)", async () => {
    await site.arrives(asks);
    await site.arrives(`<presence type="unsubscribe" from="tybalt@x.example" to="juliet@capulet.example"/>`);
    expect([...site.account(juliet.jid.bare).contacts]).toEqual([]);
  });

  it("are limited in number and size", async () => {
    for (let i = 0; i < 505; i++)
      await site.arrives(
        `<presence type="subscribe" from="u${i}@x.example" to="juliet@capulet.example"><status>${"x".repeat(i === 0 ? 5000 : 1)}</status></presence>`,
      );
    const pending = [...site.account(juliet.jid.bare).contacts];
    expect(pending).toHaveLength(500);
    expect(pending[0]?.request).toBe("");
  });

  it("of our own are sent again when the account comes back (§3.1.2)", async () => {
    await subscribe(romeo, "subscribe", "tybalt@x.example");
    await site.leaves(romeo);
    site.sent();
    await site.client("romeo@capulet.example", "garden", true);
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" type="subscribe" from="romeo@capulet.example" to="tybalt@x.example"/>',
    ]);
  });
});
