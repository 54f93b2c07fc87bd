/** RFC 6120 §11: XML read strictly, by every door alike — https://www.rfc-editor.org/rfc/rfc6120#section-11 */
import type { Element } from "./element.ts";
import { checkSize, DEFAULT_LIMITS, type Limits, TRUSTED_LIMITS, XmlError } from "./limits.ts";
import { scan } from "./scan.ts";
import { checkProlog, TreeParser } from "./tree.ts";
import { escapeAttribute } from "./writer.ts";

export { DEFAULT_LIMITS, type Limits, PRE_AUTH_LIMITS, SERVER_LIMITS, XmlError } from "./limits.ts";

let root: Element | undefined;
const sink = {
  top(element: Element) {
    root = element;
  },
};
/** Made once, for making one costs as much as reading a stanza; dropped when an error has left it halfway. */
let idle: TreeParser | undefined;

/**
 * Reads a document of one element. Every element in it has its local name and its namespace in `attrs.xmlns`.
 * Throws XmlError.
 */
export function read(text: string, limits: Limits = DEFAULT_LIMITS): Element {
  checkSize(text, limits.bytes);
  // The parser takes a lone surrogate and the character after it for one.
  if (!text.isWellFormed()) throw new XmlError("not-well-formed", "This is not Unicode: a surrogate stands alone.");
  const plain = scan(text, limits);
  if (plain !== undefined) return plain;
  checkProlog(text);
  const parser = idle ?? new TreeParser(sink, limits, 1);
  idle = undefined;
  parser.limits = limits;
  root = undefined;
  parser.write(text);
  parser.end();
  idle = parser;
  if (root === undefined) throw new XmlError("not-well-formed", "There is no element.");
  return root;
}

/** The elements of text that our own writer made where `ns` was the default namespace: an envelope's children. */
export function readFragment(inner: string, ns: string): Element[] {
  const children: Element[] = [];
  for (const child of read(`<_ xmlns="${escapeAttribute(ns)}">${inner}</_>`, TRUSTED_LIMITS).children) {
    if (typeof child === "string") continue;
    child.parent = null;
    children.push(child);
  }
  return children;
}
