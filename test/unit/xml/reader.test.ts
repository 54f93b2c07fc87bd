import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { DEFAULT_LIMITS, PRE_AUTH_LIMITS, read, readFragment, XmlError } from "../../../src/xml/reader.ts";
import { scan } from "../../../src/xml/scan.ts";
import { TreeParser } from "../../../src/xml/tree.ts";
import { inner, serialise } from "../../../src/xml/writer.ts";
import { shape, spoilt, tree } from "./arbitrary.ts";
import { MALFORMED } from "./malformed.ts";

function refusal(act: () => unknown): XmlError {
  try {
    act();
  } catch (error) {
    if (error instanceof XmlError) return error;
    throw error;
  }
  throw new Error("It was accepted.");
}

describe("read refuses", () => {
  it.each(MALFORMED)("%s", (_title, condition, document) => {
    const error = refusal(() => read(document));
    expect([error.condition, error.message]).toEqual([condition, expect.stringMatching(/./)]);
  });

  it("the next text is read as if nothing had happened", () => {
    for (const [, , document] of MALFORMED) {
      refusal(() => read(document));
      expect(serialise(read("<p:a xmlns:p='u'>b</p:a>"))).toBe('<a xmlns="u">b</a>');
    }
  });

  it.each([
    ["bytes", `<a>${"b".repeat(9_994)}</a>`],
    ["elements", `<a>${"<b/>".repeat(32)}</a>`],
    ["depth", `${"<a>".repeat(17)}${"</a>".repeat(17)}`],
    ["attributes", `<a${Array.from({ length: 33 }, (_, i) => ` b${i}=''`).join("")}/>`],
  ])("before authentication: %s", (_what, document) => {
    expect(refusal(() => read(document, PRE_AUTH_LIMITS)).condition).toBe("policy-violation");
    read(document);
  });
});

describe("read accepts", () => {
  it.each([
    ["a declaration", "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<a/>\n", "<a/>"],
    ["white space around", " \r\n<a />\t", "<a/>"],
    ["both quotes", `<a b='"' c="'"/>`, '<a b="&quot;" c="&apos;"/>'],
    ["references", "<a b='&lt;&#x41;&#9;'>&amp;&#x1F600;&gt;</a>", '<a b="&lt;A&#9;">&amp;\u{1f600}&gt;</a>'],
    ["CDATA as text, merged", "<a>b<![CDATA[<c>]]&]]>d</a>", "<a>b&lt;c&gt;]]&amp;d</a>"],
    ["line ends as line feeds", "<a>b\r\nc\rd</a>", "<a>b\nc\nd</a>"],
    ["a return by reference", "<a>b&#13;</a>", "<a>b&#13;</a>"],
    ["white space in attributes as spaces", "<a b='c\nd\te'/>", '<a b="c d e"/>'],
    ["spaces in tags", "<a\n b = 'c' ></a\t>", '<a b="c"/>'],
    ["a prefix, which goes", "<p:a xmlns:p='u'><p:b/><c/></p:a>", '<a xmlns="u"><b/><c xmlns=""/></a>'],
    [
      "a prefixed attribute, with its prefix",
      "<a xmlns:p='u' xmlns:q='v'><b p:c='d'/></a>",
      '<a><b xmlns:p="u" p:c="d"/></a>',
    ],
    ["xml:lang", "<a xml:lang='de'/>", '<a xml:lang="de"/>'],
    ["the xml prefix declared", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a/>"],
    [
      "names off the object's prototype",
      "<__proto__ constructor='' __proto__='b'/>",
      '<__proto__ constructor="" __proto__="b"/>',
    ],
    ["64 deep", `${"<a>".repeat(63)}<a/>${"</a>".repeat(63)}`, `${"<a>".repeat(63)}<a/>${"</a>".repeat(63)}`],
    ["a document type that is text", "<a><![CDATA[<!DOCTYPE b>]]></a>", "<a>&lt;!DOCTYPE b&gt;</a>"],
  ])("%s", (_title, document, written) => {
    const element = read(document);
    expect(serialise(element)).toBe(written);
    expect(shape(read(written))).toEqual(shape(element));
  });

  it("a stream's own elements on top", () => {
    expect(read("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").name).toBe("close");
  });
});

describe("the tree", { timeout: 30_000 }, () => {
  it("says each element's namespace, and knows none from the parent's", () => {
    const message = read("<message xmlns='jabber:client'><body xmlns=''/><p:body xmlns:p='u'/><body/></message>");
    expect(message.children.map((child) => (child as Element).attrs.xmlns)).toEqual(["", "u", "jabber:client"]);
    expect(message.getChild("body", "jabber:client")).toBe(message.children[2]);
    expect(message.getChild("body", "u")).toBe(message.children[1]);
    expect(message.getChildren("body").length).toBe(3);
  });

  it("read(serialise(t)) ≡ t", () => {
    const round = (element: Element) => {
      expect(shape(read(serialise(element)))).toEqual(shape(element));
    };
    fc.assert(fc.property(tree, round), { numRuns: 400 });
  });

  it("readFragment(inner(t)) ≡ the elements of t", () => {
    const elements = (element: Element) => element.getChildElements().map(shape);
    fc.assert(
      fc.property(tree, fc.constantFrom("jabber:client", "urn:other"), (element, ns) => {
        expect(readFragment(inner(element, ns), ns).map(shape)).toEqual(elements(element));
      }),
      { numRuns: 200 },
    );
  });

  it("a fragment is not left", () => {
    expect(refusal(() => readFragment("<a/></_><_>", "u")).condition).toBe("not-well-formed");
  });
});

describe("scan", { timeout: 30_000 }, () => {
  /** What the parser proper makes of a text: its tree, or undefined. */
  function parsed(document: string): unknown {
    let root: Element | undefined;
    try {
      const parser = new TreeParser({ top: (element) => (root = element) }, DEFAULT_LIMITS, 1);
      parser.write(document);
      parser.end();
    } catch {
      return undefined;
    }
    return root && shape(root);
  }

  const scanned = (document: string) => {
    const element = scan(document, DEFAULT_LIMITS);
    return element && shape(element);
  };

  it("takes the plain", () => {
    const document = `<message xmlns="jabber:client" to='a@b' xml:lang="en"><body>&lt;b]</body><x xmlns="u"/></message>`;
    expect(scanned(document)).toEqual(parsed(document));
    expect(scanned(document)).toBeDefined();
  });

  it.each(MALFORMED.filter(([title, , document]) => document.isWellFormed() && !/\bbytes?\b/.test(title)))(
    "leaves %s",
    (_title, _condition, document) => {
      expect(scanned(document)).toBeUndefined();
    },
  );

  it("takes nothing but what the parser reads to the same tree", () => {
    fc.assert(
      fc.property(spoilt, (document) => {
        const quick = scanned(document);
        if (quick !== undefined) expect(parsed(document)).toEqual(quick);
      }),
      { numRuns: 2000 },
    );
  });
});
