import fc from "fast-check";
import { type Child, Element, xml } from "../../../src/xml/element.ts";
import { serialise } from "../../../src/xml/writer.ts";

/** Names that could trip a parser or an object, beside ordinary ones. */
const name = fc.oneof(
  fc.constantFrom("body", "x", "message", "__proto__", "constructor", "xml", "a.b-c_1", "_"),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9._-]{0,8}$/),
);
const namespace = fc.constantFrom(
  "jabber:client",
  "urn:xmpp:sid:0",
  "http://www.w3.org/1999/xhtml",
  "a&b'c",
  "urn:ü",
  "",
);
/** Text as people and attackers write it; only what XML can express. */
export const text = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom("", "juliet@example.com", "Wherefore art thou?", "[a]", "< & >") },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          fc.constantFrom(..."&<>\"'\r\n\t \u{1f600}\ufffd", "\r\n", "]]>", "&amp;", "&#13;"),
          fc.string({ unit: "grapheme", maxLength: 6 }),
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join(""))
      .filter((run) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u.test(run)),
  },
);

interface Plan {
  name: string;
  ns: string;
  attrs: [string, string][];
  prefixed: [string, string, string][];
  children: (Plan | string)[];
}

const plan = fc.letrec<{ plan: Plan; child: Plan | string }>((tie) => ({
  plan: fc.record({
    name,
    ns: namespace,
    attrs: fc.array(fc.tuple(fc.oneof(name, fc.constant("xml:lang")), text), { maxLength: 4 }),
    prefixed: fc.oneof(
      { weight: 7, arbitrary: fc.constant<Plan["prefixed"]>([]) },
      { weight: 1, arbitrary: fc.tuple(fc.tuple(fc.constantFrom("p", "q"), fc.constantFrom("urn:p", "urn:q"), text)) },
    ),
    children: fc.array(tie("child"), { maxLength: 3 }),
  }),
  child: fc.oneof({ maxDepth: 4, depthIdentifier: "tree" }, text, tie("plan")),
})).plan;

/** A tree in the form that the reader gives: a namespace on each element, no empty and no adjacent texts. */
function build({ name, ns, attrs, prefixed, children }: Plan): Element {
  const element = xml(name, { xmlns: ns });
  for (const [key, value] of attrs) {
    if (key === "xmlns") continue;
    Object.defineProperty(element.attrs, key, { value, enumerable: true, writable: true, configurable: true });
  }
  for (const [prefix, uri, value] of prefixed) {
    element.attrs[`xmlns:${prefix}`] = uri;
    element.attrs[`${prefix}:a`] = value;
  }
  const nodes: Child[] = [];
  for (const child of children) {
    if (typeof child !== "string") {
      const node = build(child);
      node.parent = element;
      nodes.push(node);
    } else if (typeof nodes.at(-1) === "string") {
      nodes.push(`${nodes.pop()}${child}`);
    } else if (child !== "") {
      nodes.push(child);
    }
  }
  element.children = nodes;
  return element;
}

export const tree = plan.map(build);

/** A document with a few places overwritten: mostly malformed, sometimes in ways that parsers disagree on. */
export const spoilt = fc
  .tuple(
    tree.map((element) => serialise(element)),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(4),
        fc.oneof(
          text,
          fc.constantFrom(..."<>/='\"&;: \n]\0é", "xmlns", "&#10;", "<![CDATA[", "]]>", " p:b='c'", " xmlns:p='u'"),
        ),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([document, edits]) => {
    let edited = document;
    for (const [place, cut, put] of edits) {
      const at = place % (edited.length + 1);
      edited = edited.slice(0, at) + put + edited.slice(at + cut);
    }
    return edited;
  })
  .filter((document) => document.isWellFormed());

/** A tree as plain data, to compare: attributes in no order, parents checked and left out. */
export function shape(element: Element): unknown {
  return {
    name: element.name,
    attrs: Object.entries(element.attrs).sort(([a], [b]) => (a < b ? -1 : 1)),
    children: element.children.map((child) => {
      if (typeof child === "string") return child;
      if (child.parent !== element) throw new Error(`<${child.name}/> has a wrong parent`);
      if (child.constructor !== Element) throw new Error(`<${child.name}/> is of another class`);
      return shape(child);
    }),
  };
}
