/** RFC 6121 §4 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Jid } from "../../../src/protocol/jid.ts";
import { brief, type Client, condition, Site } from "./fake.ts";

let site: Site;
let romeo: Client;
let juliet: Client;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 5) });
  site = new Site();
  const [r, j] = [site.user("romeo"), site.user("juliet")];
  await site.befriends(r, j);
  romeo = await site.client(r, "orchard", true);
  juliet = await site.client(j, "balcony", true);
  romeo.takes();
});
afterEach(() => {
  vi.useRealTimers();
});

const seenBy = (client: Client) => client.takes().map(brief);

describe("initial presence (§4.2)", () => {
  it("goes to contacts and own resources; theirs comes back", async () => {
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await chamber.sends("<presence><show>away</show></presence>");
    expect(seenBy(romeo)).toEqual(["presence  juliet@capulet.example/chamber romeo@capulet.example show"]);
    expect(seenBy(juliet)).toEqual(["presence  juliet@capulet.example/chamber juliet@capulet.example show"]);
    expect(seenBy(chamber)).toEqual([
      "presence  juliet@capulet.example/chamber juliet@capulet.example show",
      "presence  juliet@capulet.example/balcony juliet@capulet.example",
      "presence  romeo@capulet.example/orchard juliet@capulet.example/chamber",
    ]);
  });

  it("probes contacts elsewhere from the bare address (§4.3.1)", async () => {
    const { contacts } = site.account(juliet.jid.bare);
    contacts.put({ ...contacts.obtain(Jid.parse("nurse@x.example")), subscription: "to", listed: true }, true);
    await site.client(juliet.jid.bare, "chamber", true);
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" type="probe" from="juliet@capulet.example" to="nurse@x.example"/>',
    ]);
  });

  it("comes with a date when it is old (XEP-0203)", async () => {
    vi.setSystemTime(Date.UTC(2026, 0, 5, 1));
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await chamber.sends("<presence/>");
    const [, own, contact] = chamber.takes();
    expect(own?.getChild("delay")?.attrs.stamp).toBe("2026-01-05T00:00:00.000Z");
    expect(contact?.getChild("delay")?.attrs.from).toBe("romeo@capulet.example/orchard");
  });

  it("survives eviction", async () => {
    site.evict();
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await chamber.sends("<presence/>");
    expect(seenBy(chamber)).toHaveLength(3);
  });
});

describe("a change of presence (§4.4)", () => {
  it("goes to all and asks nothing", async () => {
    await juliet.sends("<presence><priority>-1</priority></presence>");
    expect(seenBy(romeo)).toEqual(["presence  juliet@capulet.example/balcony romeo@capulet.example priority"]);
    expect(seenBy(juliet)).toEqual(["presence  juliet@capulet.example/balcony juliet@capulet.example priority"]);
    expect(site.account(juliet.jid.bare).resources.receptive).toEqual([]);
  });

  it.each([
    ["5", 5],
    ["-128", -128],
    ["128", 0],
    ["x", 0],
    ["1.5", 0],
  ])("priority %s counts as %d", async (text, priority) => {
    await juliet.sends(`<presence><priority>${text}</priority></presence>`);
    expect(site.account(juliet.jid.bare).resources.get("balcony")?.state.priority).toBe(priority);
  });

  it("to contacts of one gate is one delivery, however many there are", async () => {
    for (let i = 0; i < 50; i++) {
      const jid = site.user(`friend${i}`);
      await site.befriends(jid, juliet.jid.bare);
      await site.client(jid, "phone", true);
    }
    juliet.takes();
    site.calls = 0;
    site.deliveries = 0;
    await juliet.sends("<presence><show>dnd</show></presence>");
    expect(site.calls).toBe(1);
    expect(site.deliveries).toBe(1);
  });
});

describe("unavailable presence (§4.5)", () => {
  it("is told to all, and to the resource itself", async () => {
    const chamber = await site.client(juliet.jid.bare, "chamber", true);
    for (const client of [romeo, juliet]) client.takes();
    await juliet.sends('<presence type="unavailable"><status>Good night</status></presence>');
    const wanted = "presence unavailable juliet@capulet.example/balcony";
    expect(seenBy(romeo)).toEqual([`${wanted} romeo@capulet.example status`]);
    expect(seenBy(chamber)).toEqual([`${wanted} juliet@capulet.example status`]);
    expect(seenBy(juliet)).toEqual([`${wanted} juliet@capulet.example status`]);
  });

  it("is said for a stream that ended without", async () => {
    await site.leaves(juliet);
    expect(seenBy(romeo)).toEqual(["presence unavailable juliet@capulet.example/balcony romeo@capulet.example"]);
    expect([...site.account(juliet.jid.bare).resources]).toEqual([]);
  });

  it("is not said for a stream that never was available", async () => {
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await site.leaves(chamber);
    expect(seenBy(romeo)).toEqual([]);
  });
});

describe("directed presence (§4.6)", () => {
  it("is taken back when the resource leaves", async () => {
    await juliet.sends('<presence to="cell@x.example/friar"/>');
    await juliet.sends('<presence to="cell@x.example/friar"/>');
    await site.leaves(juliet);
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" from="juliet@capulet.example/balcony" to="cell@x.example/friar"/>',
      '<presence xmlns="jabber:client" from="juliet@capulet.example/balcony" to="cell@x.example/friar"/>',
      '<presence xmlns="jabber:client" type="unavailable" from="juliet@capulet.example/balcony" to="cell@x.example/friar"/>',
    ]);
  });

  it("also when it never was available, and not when it was taken back, or the other left", async () => {
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await chamber.sends('<presence to="a@x.example/1"/>');
    await chamber.sends('<presence to="b@x.example/1"/>');
    await chamber.sends('<presence to="c@x.example/1"/>');
    await chamber.sends('<presence to="b@x.example/1" type="unavailable"/>');
    await site.arrives(`<presence type="unavailable" from="c@x.example/1" to="${chamber.jid}"/>`);
    site.sent();
    site.evict();
    await site.leaves(chamber);
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" type="unavailable" from="juliet@capulet.example/chamber" to="a@x.example/1"/>',
    ]);
  });

  it("to a subscriber changes nothing", async () => {
    await juliet.sends('<presence to="romeo@capulet.example"><show>xa</show></presence>');
    expect(seenBy(romeo)).toEqual(["presence  juliet@capulet.example/balcony romeo@capulet.example show"]);
    expect(site.account(juliet.jid.bare).resources.get("balcony")?.state.directed).toBeUndefined();
  });

  it("has a limit", async () => {
    for (let i = 0; i < 500; i++) await juliet.sends(`<presence to="u${i}@x.example"/>`);
    await juliet.sends('<presence to="one@more.example"/>');
    expect(juliet.takes().map(condition)).toEqual(["resource-constraint"]);
  });
});

describe("a probe (§4.3.2)", () => {
  const probe = (from: string, to = "juliet@capulet.example") =>
    site.arrives(`<presence type="probe" id="p" from="${from}" to="${to}"/>`);
  const trust = (jid: string) => {
    const { contacts } = site.account(juliet.jid.bare);
    contacts.put({ ...contacts.obtain(Jid.parse(jid)), subscription: "from", listed: true }, true);
  };

  it("of a subscriber is answered for each resource", async () => {
    trust("nurse@x.example");
    await juliet.sends('<presence id="mine"><show>chat</show></presence>');
    site.sent();
    await probe("nurse@x.example");
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" id="mine" from="juliet@capulet.example/balcony" to="nurse@x.example"><show>chat</show></presence>',
    ]);
  });

  it("is answered with when the account was last there", async () => {
    trust("nurse@x.example");
    await site.leaves(juliet);
    site.sent();
    vi.setSystemTime(Date.UTC(2026, 0, 6));
    site.evict();
    await probe("nurse@x.example");
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" type="unavailable" id="p" from="juliet@capulet.example" to="nurse@x.example">' +
        '<delay xmlns="urn:xmpp:delay" from="juliet@capulet.example" stamp="2026-01-05T00:00:00.000Z"/></presence>',
    ]);
  });

  it("of a stranger hears the same of an account and of none", async () => {
    await probe("tybalt@x.example");
    await probe("tybalt@x.example", "nobody@capulet.example");
    const [there, nowhere] = site.sent();
    expect(there).toContain('type="unsubscribed" id="p" from="juliet@capulet.example"');
    expect(nowhere).toBe(there?.replace("juliet", "nobody"));
  });

  it("of a full address tells of that resource alone, and little", async () => {
    trust("nurse@x.example");
    await juliet.sends("<presence><show>chat</show></presence>");
    site.sent();
    await probe("nurse@x.example", "juliet@capulet.example/balcony");
    await probe("nurse@x.example", "juliet@capulet.example/cellar");
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" id="p" from="juliet@capulet.example/balcony" to="nurse@x.example"/>',
      '<presence xmlns="jabber:client" type="unavailable" id="p" from="juliet@capulet.example/cellar" to="nurse@x.example"/>',
    ]);
  });

  it("of somebody that was sent directed presence is answered for that resource (§4.6.6)", async () => {
    await juliet.sends('<presence to="cell@x.example/friar"/>');
    site.sent();
    await probe("cell@x.example/friar", "juliet@capulet.example/balcony");
    expect(site.sent()[0]).toContain('<presence xmlns="jabber:client" id="p" from="juliet@capulet.example/balcony"');
  });
});

describe("presence of others (§8.5)", () => {
  it("to the bare address reaches available resources", async () => {
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await site.arrives('<presence from="a@x.example/1" to="juliet@capulet.example"/>');
    expect(seenBy(juliet)).toEqual(["presence  a@x.example/1 juliet@capulet.example"]);
    expect(seenBy(chamber)).toEqual([]);
  });

  it("to a full address reaches that one, or nobody", async () => {
    await site.arrives('<presence from="a@x.example/1" to="juliet@capulet.example/balcony"/>');
    await site.arrives('<presence from="a@x.example/1" to="juliet@capulet.example/cellar"/>');
    expect(seenBy(juliet)).toEqual(["presence  a@x.example/1 juliet@capulet.example/balcony"]);
    expect(site.sent()).toEqual([]);
  });

  it("that is an error reaches the resource it is for", async () => {
    const error = `<error type="cancel"><remote-server-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
    await site.arrives(
      `<presence type="error" from="a@x.example" to="juliet@capulet.example/balcony">${error}</presence>`,
    );
    await site.arrives(`<presence type="error" from="a@x.example" to="juliet@capulet.example">${error}</presence>`);
    expect(juliet.takes().map(condition)).toEqual(["remote-server-not-found"]);
  });
});

describe("requests to a client (§8.5.3.1)", () => {
  const ask = (from: string) =>
    site.arrives(
      `<iq type="get" id="v" from="${from}" to="juliet@capulet.example/balcony"><query xmlns="jabber:iq:version"/></iq>`,
    );

  it("reach it from those who see its presence", async () => {
    await ask("romeo@capulet.example/orchard");
    await juliet.sends('<presence to="cell@x.example/friar"/>');
    await ask("cell@x.example/john");
    await ask("hall@rooms.capulet.example/tybalt");
    expect(seenBy(juliet)).toHaveLength(3);
  });

  it("may be calls from anybody who knows the address (XEP-0166)", async () => {
    await site.arrives(
      '<iq type="set" id="j" from="tybalt@x.example/1" to="juliet@capulet.example/balcony"><jingle xmlns="urn:xmpp:jingle:1" action="session-initiate" sid="a"/></iq>',
    );
    expect(seenBy(juliet)).toHaveLength(1);
  });

  it("do not from others, who cannot tell it from nobody", async () => {
    await ask("tybalt@x.example/1");
    await site.arrives(
      '<iq type="get" id="v" from="tybalt@x.example/1" to="nobody@capulet.example/balcony"><query xmlns="jabber:iq:version"/></iq>',
    );
    expect(seenBy(juliet)).toEqual([]);
    const [there, nowhere] = site.sent();
    expect(there).toContain("service-unavailable");
    expect(nowhere).toBe(there?.replace("juliet", "nobody"));
  });
});
