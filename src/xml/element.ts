/** RFC 6120 §4.8: the element tree. ltx's, with namespaces that can be trusted — https://www.rfc-editor.org/rfc/rfc6120#section-4.8 */
import LtxElement from "ltx/src/Element.js";

/** What an element contains: other elements and runs of text. */
export type Child = Element | string;

/**
 * ltx's element. `name` carries no prefix; an element made by the reader always says its namespace in `attrs.xmlns`,
 * one built here may omit it and so inherits its parent's.
 */
export class Element extends LtxElement {
  declare attrs: { [name: string]: string };
  declare children: Child[];
  declare parent: Element | null;

  /** The namespace in scope; ltx climbs past `xmlns=""`, and would take an element without namespace for its parent's. */
  override getNS(): string {
    let el: Element | null = this;
    while (el !== null) {
      const ns = el.attrs.xmlns;
      if (ns !== undefined) return ns;
      el = el.parent;
    }
    return "";
  }

  override is(name: string, ns?: string): boolean {
    return this.name === name && (ns === undefined || this.getNS() === ns);
  }

  override getName(): string {
    return this.name;
  }

  override getChild(name: string, ns?: string): Element | undefined {
    for (const child of this.children) if (typeof child !== "string" && child.is(name, ns)) return child;
    return undefined;
  }

  override getChildren(name: string, ns?: string): Element[] {
    const found: Element[] = [];
    for (const child of this.children) if (typeof child !== "string" && child.is(name, ns)) found.push(child);
    return found;
  }

  override getChildElements(): Element[] {
    return this.children.filter((child) => typeof child !== "string");
  }

  override c(name: string, attrs?: { [name: string]: string }): Element {
    return this.cnode(new Element(name, attrs));
  }
}

/** Attribute values a builder accepts; `undefined` leaves the attribute out. */
export type Attributes = { readonly [name: string]: string | number | undefined };

/** Builds an element: `xml("iq", { type: "result", id }, xml("ping", { xmlns: NS }))`. Empty children are left out. */
export function xml(
  name: string,
  attrs?: Attributes | null,
  ...children: readonly (Child | undefined | null | false)[]
): Element {
  const el = new Element(name);
  for (const key in attrs) {
    const value = attrs[key];
    if (value !== undefined) el.attrs[key] = typeof value === "number" ? String(value) : value;
  }
  for (const child of children) {
    if (typeof child === "string") {
      if (child !== "") el.children.push(child);
    } else if (child) {
      child.parent = el;
      el.children.push(child);
    }
  }
  return el;
}

/** The text of the first child of that name, or undefined where there is none. */
export function text(el: Element, name: string, ns?: string): string | undefined {
  return el.getChild(name, ns)?.getText();
}
