/** XEP-0199, XEP-0092, XEP-0202, XEP-0012, XEP-0054, XEP-0049, XEP-0215, XEP-0077: one request, one answer. */
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, condition, Site } from "./fake.ts";

const DOMAIN = "capulet.example";
const JULIET = `juliet@${DOMAIN}`;
const NOBODY = `nobody@${DOMAIN}`;
let site: Site;
let romeo: Client;
let juliet: Client;

async function start(env: Record<string, string> = {}) {
  site = new Site(env);
  romeo = await site.client(site.user("romeo"), "orchard", true);
  juliet = await site.client(site.user("juliet"), "balcony", true);
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 5) });
  await start();
});
afterEach(() => {
  vi.useRealTimers();
});

const befriend = () => site.befriends(romeo.jid.bare, juliet.jid.bare);
/** What a stranger hears of somebody, after it was found to be the same as of nobody. */
async function stranger(type: "get" | "set", payload: string): Promise<string | undefined> {
  const [there, nowhere] = [await romeo.asks(type, payload, JULIET), await romeo.asks(type, payload, NOBODY)];
  expect(there.getChild("error")?.toString()).toBe(nowhere.getChild("error")?.toString());
  return condition(there);
}

it("XEP-0199: server, account and contacts answer a ping", async () => {
  const ping = '<ping xmlns="urn:xmpp:ping"/>';
  expect((await juliet.asks("get", ping, DOMAIN)).attrs).toMatchObject({ type: "result", from: DOMAIN });
  expect((await juliet.asks("get", ping)).attrs.type).toBe("result");
  expect(await stranger("get", ping)).toBe("service-unavailable");
  await befriend();
  expect((await romeo.asks("get", ping, JULIET)).attrs.type).toBe("result");
});

it("XEP-0092: the version, without the operating system", async () => {
  const query = (await juliet.asks("get", '<query xmlns="jabber:iq:version"/>', DOMAIN)).getChild("query");
  expect(query?.getChildText("name")).toBe("Enjamb");
  expect(query?.getChildText("version")).toMatch(/^\d+\.\d+\.\d+/);
  expect(query?.getChild("os")).toBeUndefined();
});

it("XEP-0202: the time, in UTC", async () => {
  const time = (await juliet.asks("get", '<time xmlns="urn:xmpp:time"/>', DOMAIN)).getChild("time");
  expect(time?.getChildText("utc")).toBe("2026-01-05T00:00:00.000Z");
  expect(time?.getChildText("tzo")).toBe("+00:00");
});

it("what nobody answers is service-unavailable (RFC 6120 §8.4)", async () => {
  expect(condition(await juliet.asks("get", '<query xmlns="urn:x"/>', DOMAIN))).toBe("service-unavailable");
  expect(await stranger("get", '<query xmlns="urn:x"/>')).toBe("service-unavailable");
});

describe("XEP-0012: last activity", () => {
  const query = '<query xmlns="jabber:iq:last"/>';
  const seconds = async () => (await romeo.asks("get", query, JULIET)).getChild("query");

  it("is for contacts", async () => {
    expect(await stranger("get", query)).toBe("service-unavailable");
    await befriend();
    expect((await seconds())?.attrs.seconds).toBe("0");
    await juliet.sends('<presence type="unavailable"><status>Heading home</status></presence>');
    vi.setSystemTime(Date.UTC(2026, 0, 5, 0, 15, 3));
    site.evict();
    const last = await seconds();
    expect(last?.attrs.seconds).toBe("903");
    expect(last?.getText()).toBe("Heading home");
  });

  it("says so when there was none, and is not had of the server", async () => {
    const nurse = await site.client(site.user("nurse"), "kitchen");
    expect(condition(await nurse.asks("get", query))).toBe("item-not-found");
    expect(condition(await romeo.asks("get", query, DOMAIN))).toBeDefined();
  });
});

describe("XEP-0054: vCards", () => {
  const card = '<vCard xmlns="vcard-temp"><FN>Juliet &amp; Co</FN></vCard>';

  it("are kept and shown to everybody", async () => {
    expect((await juliet.asks("get", '<vCard xmlns="vcard-temp"/>')).getChild("vCard")?.getChildElements()).toEqual([]);
    expect(await stranger("get", '<vCard xmlns="vcard-temp"/>')).toBe("service-unavailable");
    expect((await juliet.asks("set", card)).attrs.type).toBe("result");
    site.evict();
    const shown = await romeo.asks("get", '<vCard xmlns="vcard-temp"/>', JULIET);
    expect(shown.getChild("vCard", "vcard-temp")?.getChildText("FN")).toBe("Juliet & Co");
    await juliet.asks("set", '<vCard xmlns="vcard-temp"/>');
    expect(await stranger("get", '<vCard xmlns="vcard-temp"/>')).toBe("service-unavailable");
  });

  it("are changed by their owner only, and not too large", async () => {
    expect(await stranger("set", card)).toBe("service-unavailable");
    await befriend();
    expect(condition(await romeo.asks("set", card, JULIET))).toBe("forbidden");
    const huge = `<vCard xmlns="vcard-temp"><PHOTO>${"x".repeat(140_000)}</PHOTO></vCard>`;
    expect(condition(await juliet.asks("set", huge))).toBe("not-acceptable");
  });
});

describe("XEP-0049: private storage", () => {
  const query = (inner: string) => `<query xmlns="jabber:iq:private">${inner}</query>`;

  it("keeps fragments by their namespace", async () => {
    await juliet.asks("set", query('<a xmlns="urn:a"><b>1</b></a><a xmlns="urn:b"/>'));
    site.evict();
    const stored = await juliet.asks("get", query('<a xmlns="urn:a"/>'));
    expect(stored.getChild("query", "jabber:iq:private")?.getChild("a", "urn:a")?.getChildText("b")).toBe("1");
    const missing = await juliet.asks("get", query('<c xmlns="urn:a"/>'));
    expect(missing.getChild("query")?.getChild("c", "urn:a")?.getChildElements()).toEqual([]);
  });

  it.each([
    ["get", "", "bad-request"],
    ["get", '<a xmlns="urn:a"/><b xmlns="urn:a"/>', "bad-request"],
    ["get", "<a/>", "not-acceptable"],
    ["set", "", "not-acceptable"],
    ["set", "<a/>", "not-acceptable"],
  ] as const)("refuses a %s of '%s' (§2.3)", async (type, inner, wanted) => {
    expect(condition(await juliet.asks(type, query(inner)))).toBe(wanted);
  });

  it("is private", async () => {
    expect(await stranger("get", query('<a xmlns="urn:a"/>'))).toBe("service-unavailable");
    await befriend();
    expect(condition(await romeo.asks("get", query('<a xmlns="urn:a"/>'), JULIET))).toBe("forbidden");
  });

  it("has a limit, and keeps what was there", async () => {
    for (let i = 0; i < 100; i++) await juliet.asks("set", query(`<f${i} xmlns="urn:a"/>`));
    expect(condition(await juliet.asks("set", query('<f1 xmlns="urn:a">new</f1><g xmlns="urn:a"/>')))).toBe(
      "resource-constraint",
    );
    const kept = await juliet.asks("get", query('<f1 xmlns="urn:a"/>'));
    expect(kept.getChild("query")?.getChild("f1", "urn:a")?.getText()).toBe("");
  });
});

describe("XEP-0215: external services", () => {
  const NS = "urn:xmpp:extdisco:2";
  const secret = "a secret of the relays";

  beforeEach(() =>
    start({
      EXTERNAL_SERVICES: JSON.stringify([
        { type: "stun", host: "stun.x.example", port: 3478, transport: "udp" },
        { type: "turn", host: "turn.x.example", port: 3478, transport: "udp" },
        { type: "ftp", host: "ftp.x.example", username: "guest", password: "guest" },
      ]),
      TURN_SECRET: secret,
      TURN_SECONDS: "600",
    }),
  );

  it("are told, a relay with credentials that end (§3.1)", async () => {
    const answer = await juliet.asks("get", `<services xmlns="${NS}"/>`, DOMAIN);
    const [stun, turn, ftp] =
      answer
        .getChild("services", NS)
        ?.getChildElements()
        .map(({ attrs }) => attrs) ?? [];
    expect(stun).toEqual({ xmlns: NS, type: "stun", host: "stun.x.example", port: "3478", transport: "udp" });
    expect(ftp).toMatchObject({ username: "guest", password: "guest" });
    expect(turn?.expires).toBe("2026-01-05T00:10:00.000Z");
    expect(turn?.username).toMatch(new RegExp(`^${Date.UTC(2026, 0, 5) / 1000 + 600}:`));
    expect(turn?.username).not.toContain("juliet");
    expect(turn?.password).toBe(
      createHmac("sha1", secret)
        .update(turn?.username ?? "")
        .digest("base64"),
    );
  });

  it("by type, and credentials alone (§3.2, §3.3)", async () => {
    const answer = await juliet.asks("get", `<services xmlns="${NS}" type="stun"/>`, DOMAIN);
    expect(answer.getChild("services")?.getChildElements()).toHaveLength(1);
    const ask = (inner: string) => juliet.asks("get", `<credentials xmlns="${NS}">${inner}</credentials>`, DOMAIN);
    const credentials = await ask('<service host="turn.x.example" type="turn"/>');
    expect(credentials.getChild("credentials")?.getChild("service")?.attrs.password).toBeDefined();
    expect(condition(await ask('<service host="turn.x.example" type="stun"/>'))).toBe("item-not-found");
    expect(condition(await ask(""))).toBe("bad-request");
  });
});

describe("XEP-0077: an account that exists", () => {
  const NS = "jabber:iq:register";
  const set = (inner: string, to?: string) => juliet.asks("set", `<query xmlns="${NS}">${inner}</query>`, to);

  it("is told that it does (§3.1)", async () => {
    const query = (await juliet.asks("get", `<query xmlns="${NS}"/>`, DOMAIN)).getChild("query", NS);
    expect(query?.getChild("registered")).toBeDefined();
    expect(query?.getChildText("username")).toBe("juliet");
    expect(query?.getChildText("password")).toBe("");
  });

  it("changes its password, which ends the other sessions (§3.3, security.md C13)", async () => {
    const chamber = await site.client(JULIET, "chamber");
    const answer = await set("<username>juliet</username><password>wherefore art</password>", DOMAIN);
    expect(answer.attrs.type).toBe("result");
    expect((await site.logins.judge(JULIET, { password: "wherefore art" })).ok).toBe(true);
    expect(chamber.end).toBe("reset");
    expect(juliet.end).toBeUndefined();
  });

  it.each([
    ["<password>wherefore art</password>", "bad-request"],
    ["<username>juliet</username><password/>", "bad-request"],
    ["<username>romeo</username><password>wherefore art</password>", "not-allowed"],
    ["<username>juliet</username><password>short</password>", "not-acceptable"],
    ["<remove/><username>juliet</username>", "bad-request"],
  ])("does not by %s", async (inner, wanted) => {
    const answer = await set(inner);
    expect(condition(answer)).toBe(wanted);
    expect(answer.getChild("query")).toBeUndefined();
  });

  it("is removed, with all it had and every subscription (§3.2)", async () => {
    await befriend();
    await romeo.asks("get", '<query xmlns="jabber:iq:roster"/>');
    await juliet.asks("set", '<vCard xmlns="vcard-temp"><FN>J</FN></vCard>');
    romeo.takes();
    expect((await set("<remove/>")).attrs.type).toBe("result");
    expect(juliet.end).toBe("not-authorized");
    const told = romeo.takes().filter((el) => el.name === "presence");
    expect(told.map((el) => el.attrs.type)).toEqual(["unavailable", "unsubscribe", "unsubscribed"]);
    for (const table of ["account", "contact", "resource", "vcard", "private", "blocked", "roster", "archive"])
      expect(
        site.object
          .sql([`SELECT * FROM ${table}`] as unknown as TemplateStringsArray)
          .filter((row) => row.owner === 2 || row.id === 2),
      ).toEqual([]);
    expect(site.account(JULIET).exists).toBe(false);
    expect(await stranger("get", '<vCard xmlns="vcard-temp"/>')).toBe("service-unavailable");
    expect(site.logins.register(JULIET, "a new password")).toBe("ok");
    expect(site.account(JULIET).id).toBe(3);
  });
});
