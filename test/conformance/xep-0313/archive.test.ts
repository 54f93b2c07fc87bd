/** XEP-0313: Message Archive Management, v1.1.3, an account's — https://xmpp.org/extensions/xep-0313.html; XEP-0424, XEP-0386 */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { condition, field, form, MAM, query, RETRACT, set } from "./query.ts";

const XEP = "XEP-0313";
let world: World;
let romeo: Actor;
let juliet: Actor;
let nurse: string;

beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo", { resource: "orchard", presence: true });
  juliet = await world.login("juliet", { presence: true });
  nurse = await world.user("nurse");
  for (let i = 0; i < 7; i++) {
    const [from, to] = i % 2 ? [juliet, romeo] : [romeo, juliet];
    await from.sends(`<message to="${to.jid}" type="chat" id="m${i}"><body>line ${i}</body></message>`);
    await to.receives(`<message id="m${i}" from="${from.jid}"/>`, { extra: true });
  }
  await romeo.sends(`<message to="${nurse}" type="chat" id="n"><body>for the nurse</body></message>`);
});
afterAll(() => world?.dispose());

const LINES = ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5", "line 6"];

spec(XEP, "4", "results come in chronological order, and the answer behind them", async () => {
  const { results, bodies, fin, uids, set } = await query(romeo);
  expect(bodies).toEqual([...LINES, "for the nurse"]);
  expect(fin?.attrs.complete).toBe("true");
  expect(set?.getChildText("first")).toBe(uids[0]);
  expect(set?.getChildText("last")).toBe(uids[7]);
  expect(set?.getChildText("count")).toBe("8");
  for (const { attrs } of results) expect(attrs).toMatchObject({ from: romeo.bare, to: romeo.jid });
});

spec(
  XEP,
  "3.5",
  "a message that is delivered says where it lies in its reader's archive, in nobody else's",
  async () => {
    await romeo.sends(`<message to="${juliet.jid}" type="chat" id="sid"><body>x</body>
    <stanza-id xmlns="urn:xmpp:sid:0" by="${juliet.bare}" id="forged"/></message>`);
    const got = await juliet.receives(`<message id="sid"/>`, { extra: true });
    const ids = got.getChildren("stanza-id", "urn:xmpp:sid:0");
    expect(ids.map(({ attrs }) => attrs.by)).toEqual([juliet.bare]);
    const { messages } = await query(juliet, form(field("ids", ids[0]?.attrs.id ?? "")));
    expect(messages.map(({ attrs }) => attrs.id)).toEqual(["sid"]);
  },
);

spec(XEP, "4.1.1", "with a JID: what was said to it or by it", async () => {
  expect((await query(romeo, form(field("with", nurse)))).bodies).toEqual(["for the nurse"]);
  expect((await query(romeo, form(field("with", juliet.jid)) + set("<max>7</max>"))).bodies).toEqual(LINES);
});

spec(XEP, "4.1.2", "between two times, both included", async () => {
  const { results } = await query(romeo);
  const stamp = results[2]?.getChild("result", MAM)?.getChild("forwarded")?.getChild("delay")?.attrs.stamp ?? "";
  expect((await query(romeo, form(field("start", stamp), field("end", stamp)))).bodies).toContain("line 2");
  expect((await query(romeo, form(field("end", "2000-01-01T00:00:00Z")))).bodies).toEqual([]);
});

spec(XEP, "4.1.3", "between two ids, and by ids; one that is not there is not found", async () => {
  const { uids } = await query(romeo);
  const [a = "", , , b = ""] = uids;
  expect((await query(romeo, form(field("after-id", a), field("before-id", b)))).bodies).toEqual(["line 1", "line 2"]);
  expect((await query(romeo, form(field("ids", b, a)))).bodies).toEqual(["line 0", "line 3"]);
  for (const name of ["before-id", "after-id", "ids"])
    expect(condition(await query(romeo, form(field(name, "nowhere"))))).toBe("item-not-found");
});

spec(XEP, "4.1.5", "the form names all fields; another one is not implemented", async () => {
  const answer = await romeo.asks("get", `<query xmlns="${MAM}"/>`);
  const fields = answer.getChild("query", MAM)?.getChild("x")?.getChildren("field") ?? [];
  const types = Object.fromEntries(fields.map(({ attrs }) => [attrs.var, attrs.type]));
  expect(types).toMatchObject({ with: "jid-single", start: "text-single", end: "text-single", ids: "list-multi" });
  expect(condition(await query(romeo, form(field("colour", "red"))))).toBe("feature-not-implemented");
});

spec(XEP, "4.3.2", "pages follow one another, forwards and backwards", async () => {
  const forwards: string[] = [];
  let answer = await query(romeo, set("<max>3</max>"));
  for (forwards.push(...answer.bodies); answer.fin?.attrs.complete !== "true"; forwards.push(...answer.bodies))
    answer = await query(romeo, set(`<max>3</max><after>${answer.set?.getChildText("last")}</after>`));
  const backwards: string[] = [];
  answer = await query(romeo, set("<max>3</max><before/>"));
  for (backwards.unshift(...answer.bodies); answer.fin?.attrs.complete !== "true"; backwards.unshift(...answer.bodies))
    answer = await query(romeo, set(`<max>3</max><before>${answer.set?.getChildText("first")}</before>`));
  expect(forwards.slice(0, 7)).toEqual(LINES);
  expect(backwards).toEqual(forwards);
  expect(condition(await query(romeo, set("<after>nowhere</after>")))).toBe("item-not-found");
});

spec(XEP, "4.3.4", "a flipped page is the same page, sent backwards", async () => {
  const straight = await query(romeo, set("<max>4</max>"));
  const flipped = await query(romeo, `${set("<max>4</max>")}<flip-page/>`);
  expect(flipped.uids).toEqual(straight.uids.toReversed());
  expect(flipped.set?.toString()).toBe(straight.set?.toString());
});

spec(XEP, "5", "the archive's ends are told", async () => {
  const { set } = await query(romeo);
  const metadata = (await romeo.asks("get", `<metadata xmlns="${MAM}"/>`)).getChild("metadata", MAM);
  expect(metadata?.getChild("start")?.attrs.id).toBe(set?.getChildText("first"));
  expect(metadata?.getChild("end")?.attrs.id).toBe(set?.getChildText("last"));
});

spec(XEP, "6.1.1", "who has read the archive is not handed the same as offline mail", async () => {
  const kitchen = await world.login("nurse", { resource: "kitchen" });
  expect((await query(kitchen)).bodies).toEqual(["for the nurse"]);
  await kitchen.sends("<presence/>");
  await kitchen.receives(`<presence from="${kitchen.jid}"/>`, { extra: true });
  await kitchen.receivesNothing();
});

spec(XEP, "7", "support is told at the account and, for clients that look there, at the server", async () => {
  for (const to of [undefined, romeo.bare, world.domain]) {
    const info = await romeo.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, to);
    const names =
      info
        .getChild("query")
        ?.getChildren("feature")
        .map(({ attrs }) => attrs.var) ?? [];
    for (const name of [MAM, `${MAM}#extended`, "urn:xmpp:sid:0", `${RETRACT}#tombstone`])
      expect(names).toContain(name);
  }
});

spec(XEP, "8.1", "an archive is nobody else's", async () => {
  const { iq, results } = await query(juliet, "", romeo.bare);
  expect(results).toEqual([]);
  expect(iq.attrs.type).toBe("error");
});

spec(
  "XEP-0424",
  "5",
  "a retracted message is a tombstone in both archives; only its author's retraction counts",
  async () => {
    await juliet.sends(
      `<message to="${romeo.jid}" type="chat" id="false"><body>He lies</body><retract xmlns="${RETRACT}" id="m4"/></message>`,
    );
    await romeo.receives(`<message id="false"/>`, { extra: true });
    await romeo.sends(
      `<message to="${juliet.jid}" type="chat" id="r"><body>Retracted</body><retract xmlns="${RETRACT}" id="m2"/></message>`,
    );
    await juliet.receives(`<message id="r"/>`, { extra: true });
    for (const actor of [romeo, juliet]) {
      const { bodies, messages } = await query(actor);
      expect(bodies.slice(0, 5)).toEqual(["line 0", "line 1", "", "line 3", "line 4"]);
      expect(messages[2]?.getChild("retracted", RETRACT)?.attrs.id).toBe("r");
      expect(messages[2]?.attrs.id).toBe("m2");
    }
  },
);

spec("XEP-0386", "2.2", "who binds in one trip learns where the archive ends", async () => {
  const before = (await romeo.asks("get", `<metadata xmlns="${MAM}"/>`)).getChild("metadata", MAM);
  const other = await world.connect("romeo");
  await other.opens();
  const plain = Buffer.from("\0romeo\0romeo's secret").toString("base64");
  await other.sends(`<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${plain}</initial-response>
    <bind xmlns="urn:xmpp:bind:0"><tag>test</tag></bind></authenticate>`);
  const success = await other.next();
  expect(success.name).toBe("success");
  const metadata = success.getChild("bound", "urn:xmpp:bind:0")?.getChild("metadata", MAM);
  expect(metadata?.getChild("end")?.attrs).toEqual(before?.getChild("end")?.attrs);
  expect(metadata?.getChild("start")?.attrs).toEqual(before?.getChild("start")?.attrs);
});
