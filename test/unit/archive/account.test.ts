/** XEP-0313, XEP-0441, XEP-0424, XEP-0334 at an account */
import { beforeEach, describe, expect, it } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { type Client, Site } from "../features/fake.ts";
import { field, form, MAM, set } from "./shelf.ts";

const RETRACT = "urn:xmpp:message-retract:1";
const romeo = "romeo@capulet.example";
const juliet = "juliet@capulet.example";
let site: Site;
let orchard: Client;
let balcony: Client;

beforeEach(async () => {
  site = new Site();
  orchard = await site.client(site.user("romeo"), "orchard", true);
  balcony = await site.client(site.user("juliet"), "balcony", true);
});

const say = (to: string, body: string, more = "", id = body) =>
  `<message to="${to}" type="chat" id="${id}"><body>${body}</body>${more}</message>`;

/** What a client's archive answers: the frames in the order they came. */
async function query(client: Client, children = ""): Promise<{ messages: Element[]; fin: Element | undefined }> {
  client.takes();
  await client.sends(`<iq type="set" id="q"><query xmlns="${MAM}">${children}</query></iq>`);
  const frames = client.takes();
  const last = frames.pop();
  expect(last?.attrs.type, String(last)).toBe("result");
  const messages = frames.map((frame) => {
    const message = frame.getChild("result", MAM)?.getChild("forwarded")?.getChild("message", "jabber:client");
    if (!message) throw new Error(`no result: ${frame}`);
    return message;
  });
  return { messages, fin: last?.getChild("fin", MAM) };
}

const bodies = async (client: Client, children = "") =>
  (await query(client, children)).messages.map((message) => message.getChildText("body"));

describe("an account's archive", () => {
  it("has what was sent and received, results before the end (§4)", async () => {
    await orchard.sends(say(juliet, "one"));
    await balcony.sends(say(`${romeo}/orchard`, "two"));
    for (const client of [orchard, balcony]) {
      expect(await bodies(client)).toEqual(["one", "two"]);
      site.evict();
    }
    expect((await query(balcony)).fin?.attrs.complete).toBe("true");
  });

  it("answers at the address it was asked at, or none", async () => {
    await orchard.sends(say(juliet, "one"));
    balcony.takes();
    for (const to of ["", juliet]) {
      await balcony.sends(`<iq type="set" id="q"${to && ` to="${to}"`}><query xmlns="${MAM}"/></iq>`);
      const [result, fin] = balcony.takes();
      expect(result?.attrs).toMatchObject({ from: to || juliet, to: `${juliet}/balcony` });
      expect(fin?.attrs.from ?? juliet).toBe(juliet);
    }
  });

  it("is nobody else's (§8.1)", async () => {
    await site.befriends(orchard.jid.bare, balcony.jid.bare);
    const answer = await orchard.asks("set", `<query xmlns="${MAM}"/>`, juliet);
    expect(answer.attrs.type).toBe("error");
    expect(answer.getChild("error")?.getChild("forbidden")).toBeDefined();
  });

  it("tells its ends (§5) and its form (§4.1.5)", async () => {
    const empty = await orchard.asks("get", `<metadata xmlns="${MAM}"/>`);
    expect(empty.getChild("metadata", MAM)?.children).toEqual([]);
    await orchard.sends(say(juliet, "one"));
    await orchard.sends(say(juliet, "two"));
    const { fin } = await query(orchard);
    const full = (await orchard.asks("get", `<metadata xmlns="${MAM}"/>`)).getChild("metadata", MAM);
    const page = fin?.getChild("set");
    expect(full?.getChild("start")?.attrs.id).toBe(page?.getChildText("first"));
    expect(full?.getChild("end")?.attrs.id).toBe(page?.getChildText("last"));
    const x = (await orchard.asks("get", `<query xmlns="${MAM}"/>`)).getChild("query", MAM)?.getChild("x");
    expect(x?.getChildren("field").map((el) => el.attrs.var)).toContain("after-id");
  });

  it.each(["", juliet, "capulet.example"])("is advertised at %s (§7)", async (to) => {
    const answer = await balcony.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, to || undefined);
    const names = answer
      .getChild("query")
      ?.getChildren("feature")
      .map((el) => el.attrs.var);
    expect(names).toEqual(
      expect.arrayContaining([MAM, `${MAM}#extended`, "urn:xmpp:sid:0", RETRACT, `${RETRACT}#tombstone`]),
    );
  });

  it("has notes to oneself once, found by one's own address (§4.1.1)", async () => {
    await orchard.sends(say(romeo, "note"));
    await orchard.sends(say(juliet, "one"));
    expect(await bodies(orchard)).toEqual(["note", "one"]);
    expect(await bodies(orchard, form(field("with", romeo)))).toEqual(["note"]);
  });

  it.each([
    ["chat states", `<composing xmlns="http://jabber.org/protocol/chatstates"/>`, "chat", false],
    ["a marker", `<displayed xmlns="urn:xmpp:chat-markers:0" id="x"/>`, "chat", true],
    ["a reaction", `<reactions xmlns="urn:xmpp:reactions:0" id="x"><reaction>x</reaction></reactions>`, "chat", true],
    ["a body that must not be stored", `<body>x</body><no-store xmlns="urn:xmpp:hints"/>`, "chat", false],
    ["one that must not stay", `<body>x</body><no-permanent-store xmlns="urn:xmpp:hints"/>`, "chat", false],
    [
      "a state somebody wants stored",
      `<active xmlns="http://jabber.org/protocol/chatstates"/><store xmlns="urn:xmpp:hints"/>`,
      "chat",
      true,
    ],
    ["a headline", "<body>x</body>", "headline", false],
    ["a normal message", "<body>x</body>", "normal", true],
  ])("%s: %s as %s: %s (§6.1.1, XEP-0334)", async (_, inner, type, kept) => {
    await orchard.sends(`<message to="${juliet}" type="${type}">${inner}</message>`);
    expect(balcony.takes()).toHaveLength(1);
    for (const client of [orchard, balcony]) expect((await query(client)).messages).toHaveLength(kept ? 1 : 0);
  });

  it("drops what must not stay once it was read", async () => {
    await site.leaves(balcony);
    await orchard.sends(say(juliet, "hush", `<no-permanent-store xmlns="urn:xmpp:hints"/>`));
    balcony = await site.client(juliet, "balcony");
    expect(await bodies(balcony)).toEqual([]);
    await balcony.sends("<presence/>");
    expect(balcony.takes().filter((el) => el.name === "message")).toHaveLength(1);
  });
});

describe("offline mail", () => {
  beforeEach(async () => {
    await site.leaves(balcony);
    await orchard.sends(say(juliet, "one"));
    balcony = await site.client(juliet, "balcony");
  });

  it("is not handed to who has looked into the archive (§6.1.1), but what came since is", async () => {
    expect(await bodies(balcony)).toEqual(["one"]);
    site.evict();
    await orchard.sends(say(juliet, "two"));
    await balcony.sends("<presence/>");
    expect(balcony.takes().flatMap((el) => (el.name === "message" ? [el.getChildText("body")] : []))).toEqual(["two"]);
  });

  it("is handed to who has looked into a part of it", async () => {
    await query(balcony, form(field("with", "nurse@capulet.example")));
    await balcony.sends("<presence/>");
    expect(balcony.takes().flatMap((el) => (el.name === "message" ? [el.getChildText("body")] : []))).toEqual(["one"]);
  });
});

describe("preferences", () => {
  const prefs = (standard: string, always = "", never = "") =>
    `<prefs xmlns="${MAM}" default="${standard}"><always>${always}</always><never>${never}</never></prefs>`;

  it("are always at first, and what they are set to then", async () => {
    const first = (await orchard.asks("get", `<prefs xmlns="${MAM}"/>`)).getChild("prefs", MAM);
    expect(first?.attrs.default).toBe("always");
    await orchard.asks("set", prefs("roster", `<jid>${juliet}</jid>`, "<jid>Nurse@capulet.example/x</jid>"));
    site.evict();
    const now = (await orchard.asks("get", `<prefs xmlns="${MAM}"/>`)).getChild("prefs", MAM);
    expect(now?.attrs.default).toBe("roster");
    expect(now?.getChild("always")?.getChildText("jid")).toBe(juliet);
    expect(now?.getChild("never")?.getChildText("jid")).toBe("nurse@capulet.example/x");
  });

  it.each([
    ["never", "", "", false],
    ["never", `<jid>${juliet}</jid>`, "", true],
    ["never", `<jid>${juliet}/balcony</jid>`, "", false],
    ["always", "", `<jid>${juliet}</jid>`, false],
    ["always", "", `<jid>${juliet}/elsewhere</jid>`, true],
    ["roster", "", "", false],
    ["always", `<jid>${juliet}</jid>`, `<jid>${juliet}</jid>`, false],
  ])("%s, always %s, never %s: kept %s (§2.2)", async (standard, always, never, kept) => {
    await orchard.asks("set", prefs(standard, always, never));
    await orchard.sends(say(juliet, "one"));
    expect(await bodies(orchard)).toEqual(kept ? ["one"] : []);
    expect(await bodies(balcony)).toEqual(["one"]);
  });

  it("refuse what makes no sense", async () => {
    for (const bad of [prefs("sometimes"), prefs("always", "<jid>@</jid>")])
      expect((await orchard.asks("set", bad)).attrs.type).toBe("error");
  });
});

describe("a retraction", () => {
  const retract = (id: string) => `<retract xmlns="${RETRACT}" id="${id}"/>`;

  it("leaves a tombstone in both archives, and stays itself (§5)", async () => {
    await orchard.sends(say(juliet, "wrong"));
    await orchard.sends(say(juliet, "retracted", retract("wrong"), "r1"));
    for (const client of [orchard, balcony]) {
      const [tombstone, retraction] = (await query(client)).messages;
      expect(tombstone?.getChild("body")).toBeUndefined();
      expect(tombstone?.attrs.id).toBe("wrong");
      expect(tombstone?.getChild("retracted", RETRACT)?.attrs).toMatchObject({
        id: "r1",
        stamp: expect.stringMatching(/Z$/),
      });
      expect(retraction?.getChild("retract", RETRACT)).toBeDefined();
    }
  });

  it("by anybody else changes nothing (§6)", async () => {
    await orchard.sends(say(juliet, "said"));
    await balcony.sends(say(romeo, "not yours", retract("said"), "r1"));
    const nurse = await site.client(site.user("nurse"), "kitchen", true);
    await nurse.sends(say(juliet, "nor yours", retract("said"), "r2"));
    expect((await bodies(balcony))[0]).toBe("said");
    expect((await bodies(orchard))[0]).toBe("said");
  });

  it("finds the message by its origin-id, too", async () => {
    await orchard.sends(say(juliet, "wrong", `<origin-id xmlns="urn:xmpp:sid:0" id="o1"/>`));
    await orchard.sends(say(juliet, "retracted", retract("o1"), "r1"));
    expect((await bodies(balcony))[0]).toBeNull();
  });
});

describe("the id in the archive", () => {
  it("is told to the sender's other clients, and not to the reader (§3.5)", async () => {
    const home = await site.client(romeo, "home", true);
    await home.asks("set", `<enable xmlns="urn:xmpp:carbons:2"/>`);
    home.takes();
    await orchard.sends(say(juliet, "one"));
    const copy = home.takes()[0]?.getChild("sent")?.getChild("forwarded")?.getChild("message", "jabber:client");
    const { fin } = await query(orchard);
    expect(copy?.getChild("stanza-id")?.attrs).toMatchObject({
      by: romeo,
      id: fin?.getChild("set")?.getChildText("last"),
    });
    const [got] = balcony.takes().filter(({ name }) => name === "message");
    expect(got?.getChildren("stanza-id").map(({ attrs }) => attrs.by)).toEqual([juliet]);
  });
});

describe("paging at an account", () => {
  it("goes on where it left off", async () => {
    for (const body of ["a", "b", "c"]) await orchard.sends(say(juliet, body));
    const { fin } = await query(balcony, set("<max>2</max>"));
    const last = fin?.getChild("set")?.getChildText("last");
    expect(fin?.attrs.complete).toBeUndefined();
    expect(await bodies(balcony, set(`<after>${last}</after>`))).toEqual(["c"]);
  });
});
