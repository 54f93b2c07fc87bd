/** RFC 7395 §3.3, RFC 6120 §11: the XML a browser client needs: a tree, its builder and its serialiser. */

export type Attrs = Record<string, string | number | undefined>;
export type Child = Element | string | undefined | null | false;

/**
 * One element. `name` is the local name; what the reader makes always has `attrs.xmlns`, what `xml()` makes may omit it and
 * inherits its parent's.
 */
export class Element {
  name: string;
  attrs: Record<string, string>;
  children: (Element | string)[] = [];

  constructor(name: string, attrs: Record<string, string>) {
    this.name = name;
    this.attrs = attrs;
  }

  /** The first child element with this name (any, when empty) in this namespace (any, when absent). */
  child(name: string, ns?: string): Element | undefined {
    return this.all(name, ns)[0];
  }

  all(name?: string, ns?: string): Element[] {
    return this.children.filter(
      (child): child is Element =>
        typeof child === "object" && (!name || child.name === name) && (!ns || child.attrs.xmlns === ns),
    );
  }

  /** Its own text, or that of the named child: undefined when there is no such child. */
  text(name?: string, ns?: string): string | undefined {
    return name
      ? this.child(name, ns)?.text()
      : this.children.map((child) => (typeof child === "string" ? child : "")).join("");
  }

  /** XML text; xmlns is written only where it differs from `inherited`. */
  toString(inherited = ""): string {
    const ns = this.attrs.xmlns ?? inherited;
    let out = `<${this.name}`;
    for (const key in this.attrs) {
      if (key !== "xmlns" || ns !== inherited) out += ` ${key}="${escaped(this.attrs[key]!)}"`;
    }
    const inner = this.children
      .map((child) => (typeof child === "string" ? escaped(child) : child.toString(ns)))
      .join("");
    return inner ? `${out}>${inner}</${this.name}>` : `${out}/>`;
  }
}

/** Undefined attributes and empty children are left out. */
export function xml(name: string, attrs?: Attrs | null, ...children: Child[]): Element {
  const element = new Element(name, Object.create(null));
  for (const key in attrs) if (attrs[key] !== undefined) element.attrs[key] = String(attrs[key]);
  element.children = children.filter((child): child is Element | string => !!child);
  return element;
}

/** Everything outside the XML 1.0 Char production, lone surrogates included. */
export const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  return text.replace(ILLEGAL, "").replace(/[&<>"'\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
