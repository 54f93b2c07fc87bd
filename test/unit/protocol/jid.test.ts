import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeLocal, isUsername, Jid, JidError, unescapeLocal } from "../../../src/protocol/jid.ts";

describe("RFC 7622 §3.5", () => {
  it.each([
    ["juliet@example.com", "juliet", "example.com", ""],
    ["juliet@example.com/foo", "juliet", "example.com", "foo"],
    ["juliet@example.com/foo bar", "juliet", "example.com", "foo bar"],
    ["juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"],
    ["foo\\20bar@example.com", "foo\\20bar", "example.com", ""],
    ["fussball@example.com", "fussball", "example.com", ""],
    ["fu\u00dfball@example.com", "fu\u00dfball", "example.com", ""],
    ["\u03c0@example.com", "\u03c0", "example.com", ""],
    ["\u03a3@example.com/foo", "\u03c3", "example.com", "foo"],
    ["\u03c3@example.com/foo", "\u03c3", "example.com", "foo"],
    ["\u03c2@example.com/foo", "\u03c2", "example.com", "foo"],
    ["king@example.com/\u265a", "king", "example.com", "\u265a"],
    ["example.com", "", "example.com", ""],
    ["example.com/foobar", "", "example.com", "foobar"],
    ["a.example.com/b@example.net", "", "a.example.com", "b@example.net"],
  ])("%s", (text, local, domain, resource) => {
    const jid = Jid.parse(text);
    expect([jid.local, jid.domain, jid.resource]).toEqual([local, domain, resource]);
  });

  it.each([
    ['"juliet"@example.com'],
    ["foo bar@example.com"],
    ["juliet@example.com/"],
    ["@example.com/"],
    ["juliet@"],
    ["/foobar"],
  ])("not %s", (text) => expect(Jid.tryParse(text)).toBeUndefined());

  it("takes another server's address as stringprep had it, and no such name for ours", () => {
    expect(Jid.parse("\u265a@example.com").local).toBe("\u265a");
    expect(Jid.parse("henry\u2163@example.com").local).toBe("henryiv");
    expect(Jid.parse("a\u2764\ufe0f@example.com/b\u200dc").toString()).toBe("a\u2764@example.com/bc");
    for (const name of ["\u265a", "henry\u2163", "a b", "a@b", "a'b", "", "x".repeat(1024)]) {
      expect(isUsername(name), name).toBe(false);
    }
    for (const name of ["juliet", "Juliet", "fu\u00dfball", "o\\27hara"]) expect(isUsername(name), name).toBe(true);
  });
});

describe("domainparts", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["localhost", "localhost"],
    ["127.0.0.1", "127.0.0.1"],
    ["[::1]", "[::1]"],
    ["[2001:DB8:0:0::1]", "[2001:db8::1]"],
    ["M\u00dcLLER.example", "m\u00fcller.example"],
    ["xn--mller-kva.example", "m\u00fcller.example"],
    ["XN--MLLER-KVA.example", "m\u00fcller.example"],
    ["fa\u00df.example", "fa\u00df.example"],
    ["\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "\u4f8b\u3048.\u30c6\u30b9\u30c8"],
    [
      "\u0431\u044a\u043b\u0433\u0430\u0440\u0438\u044f.example",
      "\u0431\u044a\u043b\u0433\u0430\u0440\u0438\u044f.example",
    ],
    ["\ud83d\ude00.example", "\ud83d\ude00.example"],
    ["a\uff0eb", "a.b"],
    ["conference_1.internal", "conference_1.internal"],
    ["a--b.example", "a--b.example"],
    [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
  ])("%s → %s", (text, domain) => expect(Jid.parse(text).domain).toBe(domain));

  it.each([
    "",
    ".",
    "a..b",
    ".a",
    "a.b..",
    "-a.b",
    "a-.b",
    "a b",
    "a\tb",
    " a",
    "a:5222",
    "a#b",
    "a?b",
    "a\\b",
    "a%41",
    "a&b",
    "a<b",
    "a\u0000b",
    "u@a@b",
    "[::1",
    "[]",
    "[::1]a",
    "[a]",
    "[127.0.0.1]",
    "1.2.3",
    "0x7f.1",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4.5",
    "a.1",
    "\uff11.\uff12.\uff13.\uff14",
    "xn--",
    "xn--a\u0308",
    "xn--zz--",
    "xn--a.example",
    "xn--99999999.example",
    "xn---.example",
    "xn--mller-kv.example",
    "xn--wca.example",
    "a\u200db.example",
    "a\ufffdb",
    "\uff0f.example",
    "\uff20.example",
    "\u05d0a.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(511)}ab`,
  ])("not %j", (text) => expect(Jid.tryParse(text)?.toString()).toBeUndefined());
});

describe("parts", () => {
  it.each([
    '"',
    "&",
    "'",
    "/",
    ":",
    "<",
    ">",
    "@",
    " ",
    "\uff02",
    "\uff06",
    "\uff07",
    "\uff0f",
    "\uff1a",
    "\uff1c",
    "\uff1e",
    "\uff20",
    "\u3000",
    "\u2100",
    "\0",
    "\x7f",
  ])("a localpart never has %j", (char) => {
    expect(() => Jid.of(`a${char}b`, "example.com").toString()).toThrow(JidError);
  });

  it("have at most 1023 bytes", () => {
    const longest = "x".repeat(1023);
    const domain = `${"a.".repeat(511)}a`;
    expect(Jid.parse(`${longest}@${domain}/${longest}`).resource).toBe(longest);
    expect(Jid.tryParse(`${longest}x@a`)).toBeUndefined();
    expect(Jid.tryParse(`a/${longest}x`)).toBeUndefined();
    expect(Jid.tryParse(`a/${"\u00e9".repeat(512)}`)).toBeUndefined();
    expect(Jid.parse(`a/${"\u00e9".repeat(511)}`).resource.length).toBe(511);
    expect(Jid.tryParse(`a/${"\u20ac".repeat(100_000)}`)).toBeUndefined();
  });
});

describe("Jid", { timeout: 30_000 }, () => {
  it("is the same object for the same address", () => {
    const jid = Jid.parse("Juliet@Capulet.example/Balcony");
    expect(Jid.parse("juliet@capulet.example/Balcony")).toBe(jid);
    expect(Jid.of("juliet", "capulet.example", "Balcony")).toBe(jid);
    expect(Jid.parse("juliet@capulet.example")).toBe(jid.bare);
    expect(jid.bare.with("Balcony")).toBe(jid);
    expect(jid.with("")).toBe(jid.bare);
    expect(jid.bare.bare).toBe(jid.bare);
    expect([jid.full, jid.bare.full]).toEqual([true, false]);
    expect(`${jid}`).toBe("juliet@capulet.example/Balcony");
    expect(JSON.stringify({ jid })).toBe('{"jid":"juliet@capulet.example/Balcony"}');
  });

  it("is equal when it is not the same object", () => {
    const before = Jid.parse("romeo@montague.example/garden");
    for (let i = 0; i < 20_000; i++) Jid.parse(`${i}@montague.example`);
    const after = Jid.parse("romeo@montague.example/garden");
    expect(after.equals(before)).toBe(true);
    expect(after.equals(before.bare)).toBe(false);
    expect(after.equals(undefined)).toBe(false);
    expect(after.bare.equals(before.bare)).toBe(true);
  });

  it("with refuses what is no resource", () => {
    expect(() => Jid.parse("a@b").with("\0")).toThrow(JidError);
    expect(Jid.parse("a@b").with("c/d@e").resource).toBe("c/d@e");
  });

  it("parse(parse(x)) ≡ parse(x)", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom("a", "@", "/", "\uff20", "\u00df", "\u0130", "xn--mller-kva", "."),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const jid = Jid.tryParse(parts.join(""));
        if (jid === undefined) return;
        const again = Jid.parse(jid.toString());
        expect([again.local, again.domain, again.resource]).toEqual([jid.local, jid.domain, jid.resource]);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("XEP-0106", () => {
  it.each([
    ["space cadet", "space\\20cadet"],
    ['call me "ishmael"', "call\\20me\\20\\22ishmael\\22"],
    ["at&t guy", "at\\26t\\20guy"],
    ["d'artagnan", "d\\27artagnan"],
    ["/.fanboy", "\\2f.fanboy"],
    ["::foo::", "\\3a\\3afoo\\3a\\3a"],
    ["<foo>", "\\3cfoo\\3e"],
    ["user@host", "user\\40host"],
    ["c:\\net", "c\\3a\\net"],
    ["c:\\\\net", "c\\3a\\\\net"],
    ["c:\\cool stuff", "c\\3a\\cool\\20stuff"],
    ["c:\\5commas", "c\\3a\\5c5commas"],
    ["\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"],
  ])("%s ⇄ %s", (text, local) => {
    expect(escapeLocal(text)).toBe(local);
    expect(unescapeLocal(local)).toBe(text);
    expect(isUsername(local)).toBe(true);
  });

  it("begins and ends with no space", () => {
    expect([escapeLocal(" a"), escapeLocal("a ")]).toEqual([undefined, undefined]);
    expect(unescapeLocal("\\20a\\20b\\20")).toBe("\\20a b\\20");
  });
});
