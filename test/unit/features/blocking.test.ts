/** XEP-0191 */
import { beforeEach, describe, expect, it } from "vitest";
import { Jid } from "../../../src/protocol/jid.ts";
import { Stanza } from "../../../src/protocol/stanza.ts";
import { brief, type Client, condition, Site } from "./fake.ts";

const NS = "urn:xmpp:blocking";
let site: Site;
let romeo: Client;
let juliet: Client;

beforeEach(async () => {
  site = new Site();
  const [r, j] = [site.user("romeo"), site.user("juliet")];
  await site.befriends(r, j);
  romeo = await site.client(r, "orchard", true);
  juliet = await site.client(j, "balcony", true);
  romeo.takes();
});

const items = (...jids: string[]) => jids.map((jid) => `<item jid="${jid}"/>`).join("");
const block = (...jids: string[]) => juliet.asks("set", `<block xmlns="${NS}">${items(...jids)}</block>`);
const unblock = (...jids: string[]) => juliet.asks("set", `<unblock xmlns="${NS}">${items(...jids)}</unblock>`);
const list = async () =>
  (await juliet.asks("get", `<blocklist xmlns="${NS}"/>`))
    .getChild("blocklist")
    ?.getChildElements()
    .map((item) => item.attrs.jid);
const seenBy = (client: Client) => client.takes().map(brief);

describe("the list", () => {
  it("is empty, is kept and is pushed to whoever asked for it (§3.2, §3.3)", async () => {
    expect(await list()).toEqual([]);
    const chamber = await site.client(juliet.jid.bare, "chamber");
    expect((await block("tybalt@x.example", "y.example")).attrs.type).toBe("result");
    const [push] = juliet.takes();
    expect(push?.attrs).toMatchObject({ type: "set", from: "juliet@capulet.example" });
    expect(push?.getChild("block", NS)?.getChildElements()).toHaveLength(2);
    expect(chamber.takes()).toEqual([]);
    site.evict();
    expect(await list()).toEqual(["tybalt@x.example", "y.example"]);
    await unblock("y.example");
    expect(juliet.takes()[0]?.getChild("unblock", NS)?.getChildElements()).toHaveLength(1);
    expect(await list()).toEqual(["tybalt@x.example"]);
    await unblock();
    expect(juliet.takes()[0]?.getChild("unblock", NS)?.getChildElements()).toHaveLength(0);
    expect(await list()).toEqual([]);
  });

  it("refuses nobody and nonsense (§3.3)", async () => {
    expect(condition(await block())).toBe("bad-request");
    expect(condition(await block("@"))).toBe("jid-malformed");
  });

  it("has a limit", async () => {
    await block(...Array.from({ length: 1000 }, (_, i) => `u${i}@x.example`));
    expect(condition(await block("one@more.example"))).toBe("resource-constraint");
    expect((await block("u1@x.example")).attrs.type).toBe("result");
  });
});

describe("matching (§5)", () => {
  const senders = ["tybalt@x.example/sword", "tybalt@x.example/pen", "paris@x.example/sword", "x.example/sword"];

  it.each([
    ["tybalt@x.example/sword", senders.slice(0, 1)],
    ["tybalt@x.example", senders.slice(0, 2)],
    ["x.example/sword", senders.slice(3)],
    ["x.example", senders],
    ["verona.example", []],
  ])("%s", async (item, wanted) => {
    await block(item);
    const heard: string[] = [];
    for (const from of senders) {
      await site.arrives(`<message from="${from}" to="juliet@capulet.example" type="chat"><body>!</body></message>`);
      heard.push(...juliet.takes().map((el) => el.attrs.from ?? ""));
    }
    expect(heard).toEqual(senders.filter((from) => !wanted.includes(from)));
  });
});

describe("somebody blocked", () => {
  it("sees one go, and come back (§3.3, §3.4)", async () => {
    await block("romeo@capulet.example");
    expect(seenBy(romeo)).toEqual(["presence unavailable juliet@capulet.example/balcony romeo@capulet.example"]);
    await juliet.sends("<presence><show>away</show></presence>");
    await romeo.sends("<presence><show>dnd</show></presence>");
    expect(seenBy(romeo)).toHaveLength(1); // only its own
    juliet.takes();
    await unblock("romeo@capulet.example");
    expect(seenBy(romeo)).toEqual(["presence  juliet@capulet.example/balcony romeo@capulet.example show"]);
    expect(seenBy(juliet)).toEqual(["presence  romeo@capulet.example/orchard juliet@capulet.example show"]);
  });

  it("sees nothing of a login, and is not asked", async () => {
    await block("romeo@capulet.example");
    romeo.takes();
    const chamber = await site.client(juliet.jid.bare, "chamber");
    await chamber.sends("<presence/>");
    expect(seenBy(romeo)).toEqual([]);
    expect(seenBy(chamber)).toHaveLength(2);
  });

  it("that was sent presence directly sees one go", async () => {
    await juliet.sends('<presence to="cell@x.example/friar"/>');
    site.sent();
    await block("x.example");
    expect(site.sent()).toEqual([
      '<presence xmlns="jabber:client" type="unavailable" from="juliet@capulet.example/balcony" to="cell@x.example/friar"/>',
    ]);
  });

  it("hears what it would hear if there were no account (§3.3)", async () => {
    await block("tybalt@x.example");
    const message = (to: string) =>
      `<message id="m" from="tybalt@x.example/1" to="${to}@capulet.example" type="chat"><body>!</body></message>`;
    await site.arrives(message("juliet"));
    await site.arrives(message("nobody"));
    for (const kind of ["subscribe", "probe", "unavailable"])
      await site.arrives(`<presence type="${kind}" from="tybalt@x.example" to="juliet@capulet.example"/>`);
    const iq = (type: string, inner: string) =>
      `<iq type="${type}" id="i" from="tybalt@x.example/1" to="juliet@capulet.example">${inner}</iq>`;
    await site.arrives(iq("get", '<ping xmlns="urn:xmpp:ping"/>'));
    await site.arrives(iq("result", ""));
    const [there, nowhere, pinged, ...more] = site.sent();
    expect(there).toContain("service-unavailable");
    expect(nowhere).toBe(there?.replace("juliet", "nobody"));
    expect(pinged).toContain("service-unavailable");
    expect(more).toEqual([]);
    expect(juliet.takes()).toEqual([]);
  });

  it("cannot be written to (§3.3)", async () => {
    await block("tybalt@x.example");
    await juliet.sends('<message id="1" to="tybalt@x.example" type="chat"><body>?</body></message>');
    await juliet.sends('<presence id="2" to="tybalt@x.example"/>');
    await juliet.sends('<presence id="3" to="tybalt@x.example" type="subscribe"/>');
    await juliet.sends('<iq id="4" type="get" to="tybalt@x.example"><ping xmlns="urn:xmpp:ping"/></iq>');
    await juliet.sends('<iq id="5" type="result" to="tybalt@x.example"/>');
    const answers = juliet.takes();
    expect(answers.map((el) => [el.attrs.id, condition(el)])).toEqual(
      ["1", "2", "3", "4"].map((id) => [id, "not-acceptable"]),
    );
    expect(answers[0]?.getChild("error")?.getChild("blocked", "urn:xmpp:blocking:errors")).toBeDefined();
    expect(site.sent()).toEqual([]);
  });

  it("cannot reach it among many (§3.3)", async () => {
    await block("pubsub.capulet.example");
    const from = Jid.parse("pubsub.capulet.example");
    const event = new Stanza({ kind: "message", type: "headline", id: "e", from, inner: "<event/>" });
    const each = ["juliet@capulet.example", "romeo@capulet.example", "nobody@capulet.example"];
    site.accounts.inbox.put({ e: event.pack(), each });
    await site.settled();
    expect(seenBy(juliet)).toEqual([]);
    expect(seenBy(romeo)).toEqual(["message headline pubsub.capulet.example romeo@capulet.example event"]);
    // The answer to both is the same, and the service can end their subscriptions (XEP-0060 §12.4).
    expect(site.sent().map((text) => / from="([^"]*)"/.exec(text)?.[1])).toEqual([each[0], each[2]]);
  });

  it("can be removed from the roster", async () => {
    await block("romeo@capulet.example");
    const remove = '<query xmlns="jabber:iq:roster"><item jid="romeo@capulet.example" subscription="remove"/></query>';
    expect((await juliet.asks("set", remove)).attrs.type).toBe("result");
    expect(site.account(juliet.jid.bare).contacts.get(Jid.parse("romeo@capulet.example"))?.subscription).toBe("none");
  });
});

it("an account's own resources are never blocked (§4)", async () => {
  await block("capulet.example");
  const chamber = await site.client(juliet.jid.bare, "chamber", true);
  expect(seenBy(juliet)).toHaveLength(1);
  await juliet.sends(`<message to="${chamber.jid}" type="chat"><body>Nurse?</body></message>`);
  expect(seenBy(chamber)).toHaveLength(1);
});
