import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nickname, nicknameKey, opaqueString, usernameCaseMapped } from "../../../src/protocol/precis.ts";

describe("RFC 8265 §3.5: UsernameCaseMapped", () => {
  it.each([
    ["juliet@example.com", "juliet@example.com"],
    ["fussball", "fussball"],
    ["fußball", "fußball"],
    ["π", "π"],
    ["Σ", "σ"],
    ["σ", "σ"],
    ["ς", "ς"],
    ["Juliet", "juliet"],
    ["ＡＢ１", "ab1"],
    ["ｱﾊﾟ", "アパ"],
    ["e\u0301", "é"],
    ["İ", "i\u0307"],
    ["l·l", "l·l"],
    ["͵α", "͵α"],
    ["ア・イ", "ア・イ"],
    ["אב׳", "אב׳"],
    ["שלום1", "שלום1"],
    ["٠١", undefined],
    ["ا٠١", "ا٠١"],
    ["می\u200cخواهم", "می\u200cخواهم"],
    ["क\u094d\u200d", "क\u094d\u200d"],
  ])("%s → %s", (text, name) => expect(usernameCaseMapped(text)).toBe(name));

  it.each([
    ["nothing", ""],
    ["a space", "foo bar"],
    ["a wide space", "foo\u3000bar"],
    ["a Roman numeral", "henry\u2163"],
    ["a chess king", "♚"],
    ["a ligature", "ﬁ"],
    ["an emoji", "a😀"],
    ["a control", "a\u0000"],
    ["a soft hyphen", "a\u00adb"],
    ["a zero width space", "a\u200bb"],
    ["ZWJ between Latin letters", "a\u200db"],
    ["ZWNJ between Latin letters", "a\u200cb"],
    ["ZWNJ after a letter that does not join", "د\u200cب"],
    ["a middle dot elsewhere", "a·b"],
    ["a keraia before Latin", "͵a"],
    ["a geresh without Hebrew", "a׳"],
    ["a katakana dot without kana", "a・b"],
    ["two kinds of Arabic digits", "ا٠۰"],
    ["a tatweel", "ا\u0640"],
    ["old Hangul", "\u1100"],
    ["left to right within right to left", "אaא"],
    ["right to left within left to right", "aא"],
    ["European and Arabic numbers", "א1٠"],
    ["a digit before Hebrew", "1א"],
    ["punctuation at the end of Hebrew", "א-"],
    ["unassigned", "\u0378"],
    ["private use", "\ue000"],
    ["a noncharacter", "\ufdd0"],
    ["half a surrogate pair", "\ud800"],
  ])("not %s", (_what, text) => expect(usernameCaseMapped(text)).toBeUndefined());
});

describe("RFC 8265 §4.3: OpaqueString", () => {
  it.each([
    ["correct horse battery staple", "correct horse battery staple"],
    ["Correct Horse Battery Staple", "Correct Horse Battery Staple"],
    ["πßå", "πßå"],
    ["Jack of ♦s", "Jack of ♦s"],
    ["foo\u1680bar", "foo bar"],
    ["a\u0301", "á"],
    ["Ⅳﬁ", "Ⅳﬁ"],
    ["אaא", "אaא"],
    ["", undefined],
    ["my cat is a \u0009by", undefined],
    ["a\u200db", undefined],
  ])("%j → %j", (text, secret) => expect(opaqueString(text)).toBe(secret));
});

describe("RFC 8266 §3: Nickname", () => {
  it.each([
    ["Foo", "Foo", "foo"],
    ["Foo Bar", "Foo Bar", "foo bar"],
    [" Foo  \u00a0Bar ", "Foo Bar", "foo bar"],
    ["Σ", "Σ", "σ"],
    ["ς", "ς", "ς"],
    ["Richard \u2163", "Richard IV", "richard iv"],
    ["♚", "♚", "♚"],
    ["  ", undefined, undefined],
    ["a\u200bb", undefined, undefined],
  ])("%j is shown as %j and compared as %j", (text, shown, key) => {
    expect([nickname(text), nicknameKey(text)]).toEqual([shown, key]);
  });
});

describe("each profile", { timeout: 30_000 }, () => {
  const unicode = fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), fc.string({ unit: "grapheme", maxLength: 5 }));
  it.each([
    ["UsernameCaseMapped", usernameCaseMapped],
    ["OpaqueString", opaqueString],
    ["Nickname", nickname],
    ["Nickname's key", nicknameKey],
  ])("leaves its own result as it is: %s", (_name, enforce) => {
    fc.assert(
      fc.property(unicode, (text) => {
        const once = enforce(text);
        if (once !== undefined) expect(enforce(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});
