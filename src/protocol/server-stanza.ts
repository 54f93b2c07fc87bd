/** RFC 6120 §4.8.3: stanzas are of jabber:client among objects and of jabber:server between servers — https://www.rfc-editor.org/rfc/rfc6120#section-4.8.3 */
import type { Element } from "../xml/element.ts";
import { serialise } from "../xml/writer.ts";
import * as NS from "./ns.ts";

export const isStanza = ({ name, attrs }: Element, namespace: string = NS.SERVER): boolean =>
  attrs.xmlns === namespace && (name === "message" || name === "presence" || name === "iq");

/** Turns a stanza that was read into one of jabber:client; content of other namespaces stays what it is. */
export function asClient(element: Element, namespace: string = NS.SERVER): Element {
  if (element.attrs.xmlns !== namespace) return element;
  element.attrs.xmlns = NS.CLIENT;
  for (const child of element.getChildElements()) asClient(child, namespace);
  return element;
}

export const inward = (stanza: Element, namespace?: string): string => serialise(asClient(stanza, namespace));

/** The text of a stanza of ours in another content namespace; none: the stream's own. */
export function outward(stanza: string, namespace?: string): string {
  // What is of the content namespace inside of other elements says so itself, and stays what it is.
  return stanza.replace(` xmlns="${NS.CLIENT}"`, namespace === undefined ? "" : ` xmlns="${namespace}"`);
}
