import { describe, expect, it } from "vitest";
import { text, xml } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";
import { escapeAttribute, escapeText, inner, serialise } from "../../../src/xml/writer.ts";

describe("serialise", () => {
  it("writes xmlns only where it changes", () => {
    const iq = xml(
      "iq",
      { xmlns: "jabber:client", id: 1 },
      xml("query", { xmlns: "u" }, xml("item"), xml("x", { xmlns: "u" })),
    );
    expect(serialise(iq)).toBe('<iq xmlns="jabber:client" id="1"><query xmlns="u"><item/><x/></query></iq>');
    expect(serialise(iq, "jabber:client")).toBe('<iq id="1"><query xmlns="u"><item/><x/></query></iq>');
    expect(inner(iq)).toBe('<query xmlns="u"><item/><x/></query>');
    expect(inner(iq, "u")).toBe("<query><item/><x/></query>");
    expect(inner(xml("iq", {}, xml("a", { xmlns: "" })), "u")).toBe('<a xmlns=""/>');
  });

  it("keeps a prefixed attribute's declaration", () => {
    const written = '<a><b xmlns:p="u" p:c="d"/></a>';
    expect(serialise(read(written))).toBe(written);
  });
});

describe("escape", () => {
  it("writes what XML means otherwise as references", () => {
    expect(escapeText("<a b='c' d=\"e\">&\r\n\t]]>")).toBe("&lt;a b='c' d=\"e\"&gt;&amp;&#13;\n\t]]&gt;");
    expect(escapeAttribute("<'\">&\r\n\t")).toBe("&lt;&apos;&quot;&gt;&amp;&#13;&#10;&#9;");
  });

  it("leaves out what XML cannot say", () => {
    expect(escapeText("a\0b\x1bc\ufffed\ud800e\udc00f\u{1f600}")).toBe("abcdef\u{1f600}");
    expect(escapeAttribute("\x08&\uffff\ud83d")).toBe("&amp;");
  });
});

describe("xml", () => {
  it("leaves out what is not there", () => {
    const el = xml("a", { b: undefined, c: 0, d: "" }, undefined, null, false, "", "text", xml("e"));
    expect(serialise(el)).toBe('<a c="0" d="">text<e/></a>');
    expect(el.getChild("e")?.parent).toBe(el);
  });

  it("finds by the namespace inherited", () => {
    const el = xml("message", { xmlns: "jabber:client" }, xml("body", {}, "hi"));
    expect(text(el, "body", "jabber:client")).toBe("hi");
    expect(text(el, "body", "u")).toBeUndefined();
  });
});
