/** XML 1.0: the plain part of it, which is nearly all that clients send, read in a third of the time — https://www.w3.org/TR/xml/ */
import { Element } from "./element.ts";
import type { Limits } from "./limits.ts";
import { FRAMING, NAMESPACE_REFUSED } from "./names.ts";

/*
 * This judges nothing. Whatever it does not know for certain, from a prefix to an error, is "undefined", and the parser
 * proper reads the text from its beginning. So it has to be right about what it takes, and may leave what it likes; a
 * property test holds the two together.
 */

/** 1: begins a name, 2: goes on in one. */
const NAME_CHARS = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  NAME_CHARS[code] = /[A-Za-z_]/.test(char) ? 3 : /[0-9.-]/.test(char) ? 2 : 0;
}

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const GREATER = 0x3e;

/** In text and in attributes: to be decoded, normalised or refused. */
const SPECIAL_IN_TEXT = /[&\]\r\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const SPECIAL_IN_ATTRIBUTE = /[&<\0-\x1f\ufffe\uffff]/;
const UNKNOWN_IN_TEXT = /\]\]>|[\r\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|apos);)/;
const UNKNOWN_IN_ATTRIBUTE = /[<\0-\x1f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|apos);)/;
/** The namespaces that only their own prefixes may have. */
const RESERVED = /^http:\/\/www\.w3\.org\/(?:XML|2000\/xmlns)/;
const ENTITIES: { readonly [reference: string]: string } = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

const decode = (text: string): string => text.replace(/&[a-z]+;/g, (reference) => ENTITIES[reference]!);

/** The document's element if it is plain and within the limits. The text is well-formed Unicode. */
export function scan(text: string, limits: Limits): Element | undefined {
  const { length } = text;
  let current: Element | null = null;
  let depth = 0;
  let elements = 0;
  let at = 0;
  for (;;) {
    // Before markup: text, in an element.
    const tag = text.indexOf("<", at);
    if (tag === -1) return undefined;
    if (tag > at) {
      if (current === null) return undefined;
      let run = text.slice(at, tag);
      if (SPECIAL_IN_TEXT.test(run)) {
        if (UNKNOWN_IN_TEXT.test(run)) return undefined;
        run = decode(run);
      }
      current.children.push(run);
    }
    at = tag + 1;

    let closed: boolean;
    if (text.charCodeAt(at) === SLASH) {
      if (current === null) return undefined;
      const { name } = current;
      if (!text.startsWith(name, at + 1) || text.charCodeAt(at + 1 + name.length) !== GREATER) return undefined;
      at += name.length + 2;
      closed = true;
    } else {
      const nameEnd = endOfName(text, at);
      if (nameEnd === at || nameEnd - at > limits.name) return undefined;
      if (++depth > limits.depth || ++elements > limits.elements) return undefined;
      const element: Element = new Element(text.slice(at, nameEnd));
      const { attrs } = element;
      const inherited: string = current === null ? "" : current.attrs.xmlns!;
      attrs.xmlns = inherited;
      if (current !== null) {
        element.parent = current;
        current.children.push(element);
      }
      current = element;
      at = nameEnd;

      let code = text.charCodeAt(at);
      let declared = false;
      for (let count = 1; code === SPACE; count++) {
        if (count > limits.attributes) return undefined;
        const end = text.startsWith("xml:lang", at + 1) ? at + 9 : endOfName(text, at + 1);
        const name = text.slice(at + 1, end);
        const quote = text.charCodeAt(end + 1);
        if (end === at + 1 || name.length > limits.name || text.charCodeAt(end) !== EQUALS) return undefined;
        if (quote !== DOUBLE_QUOTE && quote !== SINGLE_QUOTE) return undefined;
        const close = text.indexOf(quote === DOUBLE_QUOTE ? '"' : "'", end + 2);
        if (close === -1) return undefined;
        let value = text.slice(end + 2, close);
        if (SPECIAL_IN_ATTRIBUTE.test(value)) {
          if (UNKNOWN_IN_ATTRIBUTE.test(value)) return undefined;
          value = decode(value);
        }
        if (name === "xmlns") {
          if (declared || NAMESPACE_REFUSED.test(value) || RESERVED.test(value)) return undefined;
          declared = true;
        } else if (attrs[name] !== undefined) {
          return undefined; // given twice, or on every object
        }
        attrs[name] = value;
        at = close + 1;
        code = text.charCodeAt(at);
      }
      if (depth > 1 && FRAMING.has(attrs.xmlns)) return undefined;

      closed = code === SLASH;
      if (closed) code = text.charCodeAt(++at);
      if (code !== GREATER) return undefined;
      at++;
    }

    if (closed) {
      depth--;
      if (current.parent === null) {
        for (let rest = at; rest < length; rest++) if (text.charCodeAt(rest) !== SPACE) return undefined;
        return current;
      }
      current = current.parent;
    }
  }
}

/** Where the ASCII name without prefix ends that begins here, or here if none does. */
function endOfName(text: string, start: number): number {
  if ((NAME_CHARS[text.charCodeAt(start)]! & 1) === 0) return start;
  let at = start + 1;
  while (NAME_CHARS[text.charCodeAt(at)]! & 2) at++;
  return text.charCodeAt(at) === 0x3a ? start : at;
}
