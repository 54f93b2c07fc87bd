/** RFC 6120 §11: writing XML that every receiver reads as the same tree — https://www.rfc-editor.org/rfc/rfc6120#section-11 */
import type { Element } from "./element.ts";

/**
 * The element as text. `xmlns` is written only where it differs from the namespace in scope: `inherited` for the
 * outermost element, then each parent's.
 */
export function serialise(el: Element, inherited = ""): string {
  const { name, attrs, children } = el;
  let out = `<${name}`;
  let ns = inherited;
  for (const key in attrs) {
    const value = attrs[key];
    if (value === undefined) continue;
    if (key === "xmlns") {
      if (value === inherited) continue;
      ns = value;
    }
    out += ` ${key}="${escapeAttribute(value)}"`;
  }
  if (children.length === 0) return `${out}/>`;
  out += ">";
  for (const child of children) out += typeof child === "string" ? escapeText(child) : serialise(child, ns);
  return `${out}</${name}>`;
}

/** The children as text, for a place where `inherited` is the default namespace: the element's own, unless told. */
export function inner(el: Element, inherited: string = el.getNS()): string {
  let out = "";
  for (const child of el.children) out += typeof child === "string" ? escapeText(child) : serialise(child, inherited);
  return out;
}

const MARKUP = /[&<>\r]/;
const MARKUP_ALL = /[&<>\r]/g;
const ATTRIBUTE = /[&<>"'\t\n\r]/;
const ATTRIBUTE_ALL = /[&<>"'\t\n\r]/g;
/** What XML 1.0 has no way to say, surrogates aside; https://www.w3.org/TR/xml/#charsets */
const ILLEGAL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const ILLEGAL_ALL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;

const REFERENCES: { readonly [char: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};
const reference = (char: string): string => REFERENCES[char] ?? "";

/** Character data. A carriage return is written as a reference, or the reader would make a line feed of it. */
export function escapeText(text: string): string {
  const legal = expressible(text);
  return MARKUP.test(legal) ? legal.replace(MARKUP_ALL, reference) : legal;
}

/** An attribute's value. White space other than the space is written as references, or the reader would make it one. */
export function escapeAttribute(value: string): string {
  const legal = expressible(value);
  return ATTRIBUTE.test(legal) ? legal.replace(ATTRIBUTE_ALL, reference) : legal;
}

/** Leaves out what no XML 1.0 document may contain: one such character would cost its receivers their streams. */
function expressible(text: string): string {
  return ILLEGAL.test(text) || !text.isWellFormed() ? text.replace(ILLEGAL_ALL, "") : text;
}
