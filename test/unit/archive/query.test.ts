/** XEP-0313 §4, XEP-0059, XEP-0413, XEP-0431 */
import { beforeEach, describe, expect, it } from "vitest";
import type { Archive } from "../../../src/archive/archive.ts";
import { StanzaError } from "../../../src/protocol/errors.ts";
import { ask, field, fill, form, set, shelf, timeOfUid } from "./shelf.ts";

const JULIET = "juliet@capulet.example/balcony";
const NURSE = "nurse@capulet.example/kitchen";
let archive: Archive;
let uids: string[];

beforeEach(() => {
  archive = shelf().archive;
  uids = fill(
    archive,
    Array.from({ length: 120 }, (_, i) => [i % 10 === 3 ? NURSE : JULIET, `line ${i} of it`] as const),
  );
});

function refused(children: string): string {
  try {
    ask(archive, children);
  } catch (error) {
    return error instanceof StanzaError ? error.condition : String(error);
  }
  return "answered";
}

describe("pages", () => {
  it("hold 50 messages at most, oldest first (§4.3.1)", () => {
    const answer = ask(archive, "");
    expect(answer.uids).toEqual(uids.slice(0, 50));
    expect(answer).toMatchObject({ complete: false, first: uids[0], last: uids[49], count: undefined });
    expect(ask(archive, set("<max>1000000</max>")).uids).toHaveLength(50);
  });

  it("follow one another without gap or repeat, either way (§4.3.2)", () => {
    for (const [position, edge] of [
      ["after", "last"],
      ["before", "first"],
    ] as const) {
      const seen: string[][] = [];
      let answer = ask(archive, set(position === "after" ? "<max>7</max>" : "<max>7</max><before/>"));
      for (seen.push(answer.uids); !answer.complete; seen.push(answer.uids))
        answer = ask(archive, set(`<max>7</max><${position}>${answer[edge]}</${position}>`));
      expect((position === "after" ? seen : seen.reverse()).flat()).toEqual(uids);
    }
  });

  it("begin at the end with an empty before (§4.3.3)", () => {
    expect(ask(archive, set("<max>10</max><before/>"))).toMatchObject({
      uids: uids.slice(110),
      complete: false,
      first: uids[110],
      last: uids[119],
    });
  });

  it("are sent backwards when flipped, and hold the same (§4.3.4)", () => {
    expect(ask(archive, `${set(`<max>5</max><after>${uids[9]}</after>`)}<flip-page/>`)).toMatchObject({
      uids: uids.slice(10, 15).reverse(),
      first: uids[10],
      last: uids[14],
    });
  });

  it("have a count and an index where the whole set is on them, and a count where only that is wanted", () => {
    expect(ask(archive, form(field("with", NURSE.split("/")[0] ?? "")))).toMatchObject({
      complete: true,
      count: "12",
      index: "0",
    });
    expect(ask(archive, set("<max>0</max>"))).toMatchObject({ uids: [], count: "120", complete: false });
    expect(ask(archive, `${form(field("with", NURSE))}${set("<max>0</max>")}`)).toMatchObject({ count: "12" });
  });

  it("end early where messages are long, and go on from there", () => {
    const { archive } = shelf();
    const long = fill(
      archive,
      Array.from({ length: 5 }, () => [JULIET, "x".repeat(100_000)] as const),
    );
    expect(ask(archive, "")).toMatchObject({ uids: long.slice(0, 2), complete: false, last: long[1] });
    expect(ask(archive, set("<before/>"))).toMatchObject({ uids: long.slice(3), complete: false, first: long[3] });
  });

  it("are newest first on request (XEP-0413 §6)", () => {
    const order = `<order xmlns="urn:xmpp:order-by:1" by="creation" desc="true"/>`;
    expect(ask(archive, order + set("<max>3</max>")).uids).toEqual(uids.slice(117).reverse());
    expect(ask(archive, order + set(`<max>3</max><after>${uids[117]}</after>`)).uids).toEqual(
      uids.slice(114, 117).reverse(),
    );
    expect(ask(archive, order + set("<max>3</max><before/>"))).toMatchObject({
      uids: uids.slice(0, 3).reverse(),
      first: uids[2],
      last: uids[0],
    });
  });

  it("of nothing are empty and complete", () => {
    expect(ask(shelf().archive, "")).toMatchObject({ uids: [], complete: true, first: undefined, count: "0" });
    expect(ask(archive, set(`<after>${uids[119]}</after>`))).toMatchObject({ uids: [], complete: true });
  });
});

describe("filters", () => {
  it("by bare and by full address (§4.1.1)", () => {
    const nurse = uids.filter((_, i) => i % 10 === 3);
    expect(ask(archive, form(field("with", "Nurse@capulet.example"))).uids).toEqual(nurse);
    expect(ask(archive, form(field("with", NURSE))).uids).toEqual(nurse);
    expect(ask(archive, form(field("with", "nurse@capulet.example/cellar")))).toMatchObject({
      uids: [],
      complete: true,
    });
    expect(ask(archive, form(field("with", JULIET)) + set("<max>4</max><before/>")).uids).toEqual(uids.slice(116));
  });

  it("by time, both ends included (§4.1.2)", () => {
    const stamp = (i: number) => new Date(timeOfUid(archive, uids[i])).toISOString();
    expect(ask(archive, form(field("start", stamp(3)), field("end", stamp(5)))).uids).toEqual(uids.slice(3, 6));
    expect(ask(archive, form(field("start", "9999-12-31T23:59:59Z"))).uids).toEqual([]);
    expect(ask(archive, form(field("start", "0001-01-01T00:00:00Z"))).uids).toHaveLength(50);
  });

  it("by ids (§4.1.3)", () => {
    expect(ask(archive, form(field("after-id", uids[3] ?? ""), field("before-id", uids[6] ?? ""))).uids).toEqual(
      uids.slice(4, 6),
    );
    const some = [uids[90], uids[2], uids[40]].map(String);
    expect(ask(archive, form(field("ids", ...some)))).toMatchObject({
      uids: [uids[2], uids[40], uids[90]],
      complete: true,
      count: "3",
    });
    expect(ask(archive, form(field("ids", ...some)) + set("<max>2</max><before/>"))).toMatchObject({
      uids: [uids[40], uids[90]],
      complete: false,
    });
  });

  it("by words of the text, whatever their case and order (XEP-0431)", () => {
    expect(ask(archive, form(field("{urn:xmpp:fulltext:0}fulltext", "OF Line 77"))).uids).toEqual([uids[77]]);
    expect(ask(archive, form(field("{urn:xmpp:fulltext:0}fulltext", "body"))).uids).toEqual([]);
    const { archive: other } = shelf();
    const [uid] = fill(other, [[JULIET, "Grüße &amp; &lt;Küsse&gt;"]]);
    expect(ask(other, form(field("withtext", "&lt;küsse&gt; GRÜSSE &amp;".replace("GRÜSSE", "GRÜßE")))).uids).toEqual([
      uid,
    ]);
  });

  it("leave out what is hidden", () => {
    archive.sql`UPDATE archive SET hidden = 1 WHERE id > ${0} AND mid != 'm5'`;
    expect(ask(archive, "")).toMatchObject({ uids: [uids[5]], complete: true, count: "1" });
    expect(refused(set(`<after>${uids[6]}</after>`))).toBe("item-not-found");
  });
});

describe("a look-up that would take too long", () => {
  /** Juliet said the first thing, and somebody else all of the rest. */
  function crowd(n: number): { archive: Archive; first: string } {
    const { archive } = shelf();
    const start = (Date.now() - 86_400_000) * 1000;
    archive.sql`WITH RECURSIVE count(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM count WHERE i < ${n - 1})
      INSERT INTO archive SELECT 1, ${start} + i, iif(i = 0, 'juliet@capulet.example', 'nurse@capulet.example'), 0, 0, 'chat', '',
        ${JULIET}, ${NURSE}, '', iif(i = 0, '<body>the lark</body>', '<body>something</body>'), 7, 0 FROM count`;
    return { archive, first: archive.uid(start) };
  }

  it.each([
    ["by an address", 50_001, form(field("with", "juliet@capulet.example"))],
    ["by text", 10_001, form(field("{urn:xmpp:fulltext:0}fulltext", "lark"))],
  ])("%s stops, and says where to go on from", (_, n, filter) => {
    const { archive, first } = crowd(n);
    const answer = ask(archive, filter + set("<before/>"));
    expect(answer).toMatchObject({ uids: [], complete: false, count: undefined });
    expect(ask(archive, filter + set(`<before>${answer.first}</before>`))).toMatchObject({
      uids: [first],
      complete: true,
    });
  });

  it("by text that only this program understands, sooner", () => {
    const { archive } = crowd(3000);
    const filter = form(field("{urn:xmpp:fulltext:0}fulltext", "größe"));
    const answer = ask(archive, filter);
    expect(answer).toMatchObject({ uids: [], complete: false });
    expect(ask(archive, filter + set(`<after>${answer.last}</after>`))).toMatchObject({ uids: [], complete: true });
  });
});

describe("refusals", () => {
  it.each([
    ["an id that is not there", set("<after>zzz</after>"), "item-not-found"],
    ["one that is none at all", set("<before>&lt;</before>"), "item-not-found"],
    ["an id of the form that is not there", form(field("before-id", "abc")), "item-not-found"],
    ["an id wanted that is not there", form(field("ids", "abc")), "item-not-found"],
    ["a field unknown here (§4.1.5)", form(field("colour", "red")), "feature-not-implemented"],
    ["a time that is none", form(field("start", "yesterday")), "bad-request"],
    ["an address that is none", form(field("with", "@")), "jid-malformed"],
    ["a form of another kind", `<x xmlns="jabber:x:data" type="submit">${field("FORM_TYPE", "x")}</x>`, "bad-request"],
    ["a page by its index", set("<max>5</max><index>5</index>"), "feature-not-implemented"],
    ["an order unknown here", `<order xmlns="urn:xmpp:order-by:1" by="size"/>`, "feature-not-implemented"],
    ["too many ids", form(field("ids", ...Array.from({ length: 300 }, (_, i) => `${i}`))), "policy-violation"],
  ])("%s", (_, children, condition) => expect(refused(children)).toBe(condition));
});

describe("a result", () => {
  it("has the message as it was, its id, when it came, and the query's id (§4.2)", () => {
    const [result] = ask(archive, set("<max>1</max>"), "f&quot;27").results;
    expect(result?.attrs).toMatchObject({ from: "romeo@capulet.example" });
    const inner = result?.getChild("result");
    expect(inner?.attrs).toMatchObject({ queryid: 'f"27', id: uids[0] });
    const message = inner?.getChild("forwarded")?.getChild("message", "jabber:client");
    expect(message?.attrs).toMatchObject({ from: JULIET, to: "romeo@capulet.example", type: "chat", id: "m0" });
    expect(message?.getChildText("body")).toBe("line 0 of it");
    expect(inner?.getChild("forwarded")?.getChild("delay", "urn:xmpp:delay")?.attrs.stamp).toBe(
      new Date(timeOfUid(archive, uids[0])).toISOString(),
    );
  });
});
