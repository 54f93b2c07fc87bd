import { describe, expect, test } from "vitest";
import { pageElement, paginate, readPage } from "../../../src/protocol/rsm.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const query = (inner: string) =>
  read(`<query xmlns='urn:example'><set xmlns='http://jabber.org/protocol/rsm'>${inner}</set></query>`);

describe("XEP-0059: requests", () => {
  test.each([
    ["", { max: 50 }],
    ["<max>10</max>", { max: 10 }],
    ["<max> 0 </max>", { max: 0 }],
    ["<max>100000</max>", { max: 50 }],
    ["<max>10</max><after>peter</after>", { max: 10, after: "peter" }],
    ["<max>10</max><after/>", { max: 10 }],
    ["<max>10</max><before/>", { max: 10, before: "" }],
    ["<before>peter</before>", { max: 50, before: "peter" }],
    ["<max>10</max><index>371</index>", { max: 10, index: 371 }],
  ])("%j", (inner, page) => expect(readPage(query(inner), 50)).toEqual(page));

  test("no set at all", () => expect(readPage(read("<query xmlns='urn:example'/>"), 50)).toEqual({ max: 50 }));

  test.each(["<max>-1</max>", "<max>ten</max>", "<max/>", "<index>1.5</index>", "<max>99999999999</max>"])(
    "%j is a bad-request",
    (inner) => expect(() => readPage(query(inner), 50)).toThrow("bad-request"),
  );

  test("an id is an opaque text of limited length", () => {
    expect(readPage(query("<after>' or 1=1--</after>"), 50).after).toBe("' or 1=1--");
    expect(() => readPage(query(`<after>${"x".repeat(1025)}</after>`), 50)).toThrow("item-not-found");
  });
});

test("§2.2: results", () => {
  expect(serialise(pageElement({ first: "a", last: "b", index: 0, count: 800 }))).toBe(
    '<set xmlns="http://jabber.org/protocol/rsm"><first index="0">a</first><last>b</last><count>800</count></set>',
  );
  expect(serialise(pageElement({ count: 0 }))).toBe(
    '<set xmlns="http://jabber.org/protocol/rsm"><count>0</count></set>',
  );
});

describe("pages of a list", () => {
  const items = [..."abcdefg"];
  const page = (inner: string) => {
    const { items: found, set } = paginate(items, (item) => item, readPage(query(inner), 3));
    return [found.join(""), set.getChild("first")?.attrs.index];
  };

  test.each([
    ["", "abc", "0"],
    ["<after>c</after>", "def", "3"],
    ["<after>f</after>", "g", "6"],
    ["<after>g</after>", "", undefined],
    ["<before/>", "efg", "4"],
    ["<before>e</before>", "bcd", "1"],
    ["<before>b</before>", "a", "0"],
    ["<before>a</before>", "", undefined],
    ["<after>a</after><before>d</before>", "bc", "1"],
    ["<after>d</after><before>b</before>", "", undefined],
    ["<index>2</index><max>2</max>", "cd", "2"],
    ["<index>7</index>", "", undefined],
    ["<max>0</max>", "", undefined],
  ])("%j is %j", (inner, found, index) => expect(page(inner)).toEqual([found, index]));

  test("§2.4: an unknown id", () => expect(() => page("<after>z</after>")).toThrow("item-not-found"));
});
