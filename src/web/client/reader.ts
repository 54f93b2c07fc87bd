/** RFC 6120 §11, RFC 7395 §3.3: a strict reader of one WebSocket frame, small enough for a page: no DOM, so no Trusted Types policy. */
import { Element, ILLEGAL } from "./element.ts";

const TOKEN =
  /<(?:\/([\w:.-]+)\s*|([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?))>|<!\[CDATA\[([\s\S]*?)\]\]>|([^<]+)/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const NAME = /^(?:([a-z_][\w.-]*):)?([a-z_][\w.-]*)$/i;
const ENTITIES: Record<string, string> = { __proto__: null!, lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

type Scope = Record<string, string>;
const ROOT: Scope = { __proto__: null!, xml: "http://www.w3.org/XML/1998/namespace" };
interface Open {
  tag: string;
  scope: Scope;
  element: Element;
}

/** The frame's single root; throws SyntaxError for anything not well-formed, and for doctype, comment, PI and non-ASCII names. */
export function read(text: string): Element {
  const stack: Open[] = [];
  let root: Element | undefined;
  TOKEN.lastIndex = 0;
  if (text.search(ILLEGAL) >= 0) fail();
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const [, close, tag, attributes = "", selfClosed, cdata, chars] = TOKEN.exec(text) ?? fail(at);
    const parent = stack.at(-1);
    if (tag) {
      if (!parent && root) fail(at);
      const open = start(tag, attributes, parent?.scope ?? ROOT);
      if (parent) parent.element.children.push(open.element);
      else root = open.element;
      if (!selfClosed) stack.push(open);
    } else if (close) {
      if (stack.pop()?.tag !== close) fail(at);
    } else if (parent) {
      const { children } = parent.element;
      if (chars?.includes("]]>")) fail(at);
      const piece = cdata ?? decode(chars!);
      if (typeof children.at(-1) === "string") children.push(children.pop() + piece);
      else if (piece) children.push(piece);
    } else if (!chars || /\S/.test(chars)) fail(at);
  }
  return stack.length || !root ? fail(text.length) : root;
}

function start(tag: string, source: string, outer: Scope): Open {
  const attrs: Record<string, string> = Object.create(null);
  const scope: Scope = Object.create(outer);
  for (const [, key = "", double, single] of source.matchAll(ATTRIBUTE)) {
    if (key in attrs) fail();
    const value = (attrs[key] = decode((double ?? single)!.replace(/[\t\n\r]/g, " ")));
    if (key === "xmlns") scope[""] = value;
    else if (key.startsWith("xmlns:")) scope[key.slice(6)] = value || fail();
  }
  for (const key in attrs) if (key !== "xmlns" && !key.startsWith("xmlns:")) resolve(key, scope);
  const [ns, name] = resolve(tag, scope);
  attrs.xmlns = ns;
  return { tag, scope, element: new Element(name, attrs) };
}

function resolve(qualified: string, scope: Scope): [ns: string, name: string] {
  const [, prefix = "", name = ""] = NAME.exec(qualified) ?? fail();
  return [scope[prefix] ?? (prefix ? fail() : ""), name];
}

function decode(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/&(?:#(\d+|x[\da-f]+)|(\w+));|&/gi, (_, code, entity) => {
    if (!code) return ENTITIES[entity] ?? fail();
    const char = String.fromCodePoint(Number(code[0] === "x" ? `0${code}` : code));
    return char.search(ILLEGAL) < 0 ? char : fail();
  });
}

function fail(at = 0): never {
  throw new SyntaxError(`not well-formed near ${at}`);
}
