import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Element, xml } from "../../../src/web/client/element.ts";
import { read } from "../../../src/web/client/reader.ts";

describe("RFC 6120 §11: what is refused", () => {
  test.each([
    "",
    "text",
    "<a>",
    "<a/><b/>",
    "<a/>trailing",
    "<a></b>",
    "</a>",
    "<a b=c/>",
    "<a b='1' b='2'/>",
    "<a b='<'/>",
    "<a>&</a>",
    "<a>&nbsp;</a>",
    "<a>&constructor;</a>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>",
    "<a>\u0000</a>",
    "<a>\ud800</a>",
    "<a>]]></a>",
    "<a><![CDATA[x</a>",
    "<p:a/>",
    "<a p:b='1'/>",
    "<constructor:a/>",
    "<a xmlns:p=''/>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<a><!-- c --></a>",
    "<a><?pi?></a>",
    "<?xml version='1.0'?><a/>",
    "<𐀀/>",
    "<é/>",
    "<1a/>",
    "<a:b:c xmlns:a='u'/>",
  ])("%j", (text) => expect(() => read(text)).toThrow());
});

test("namespaces are resolved, prefixes dropped, and every element knows its own", () => {
  const root = read("<s:a xmlns:s='urn:s' xmlns='urn:d' to='x' xml:lang='en'><b/><s:c><d xmlns=''/></s:c></s:a>");
  expect([root.name, root.attrs.xmlns, root.attrs["xml:lang"]]).toEqual(["a", "urn:s", "en"]);
  expect(root.child("b", "urn:d")).toBeDefined();
  expect(root.child("c", "urn:s")?.child("d", "")?.attrs.xmlns).toBe("");
});

test("text is decoded once, and pieces of it are one child", () => {
  const root = read("<a b='&#10;&amp;amp;&quot;\n'>&lt;x&gt;<![CDATA[<&>]]>&#x1F600;\r\n</a>");
  expect(root.attrs.b).toBe('\n&amp;" ');
  expect(root.children).toEqual(["<x><&>😀\n"]);
});

test("__proto__ is a name like others", () => {
  const root = read("<a __proto__='1'><__proto__/></a>");
  expect(Reflect.get(root.attrs, "__proto__")).toBe("1");
  expect(root.child("__proto__")).toBeInstanceOf(Element);
});

test("a long frame of attributes and spaces takes no time", () => {
  const start = performance.now();
  expect(() => read(`<a ${" ".repeat(100_000)} b`)).toThrow();
  expect(() => read(`<a ${"b='' ".repeat(20_000)}<`)).toThrow();
  expect(performance.now() - start).toBeLessThan(1000);
});

const name = fc.stringMatching(/^[a-zA-Z_][\w.-]{0,8}$/).filter((text) => !/^xml/i.test(text));
const anyText = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const { element } = fc.letrec<{ element: Element }>((tie) => ({
  element: fc
    .tuple(name, fc.dictionary(name, anyText), fc.array(fc.oneof({ depthSize: "small" }, anyText, tie("element"))))
    .map(([tag, attrs, children]) => xml(tag, { xmlns: `urn:${tag}`, ...attrs }, ...children)),
}));

test("read(serialise(t)) is t, for every tree XML can carry", () => {
  // What XML cannot carry is dropped, so the second pass is where it must hold exactly.
  fc.assert(
    fc.property(element, (tree) => {
      const once = read(String(tree));
      expect(String(read(String(once)))).toBe(String(once));
    }),
    { numRuns: 300 },
  );
});
