/** RFC 6120 §4.8.3: the same stanza in jabber:client, as objects have it, and in jabber:server, as servers send it. */
import * as NS from "../protocol/ns.ts";
import type { Element } from "../xml/element.ts";
import { serialise } from "../xml/writer.ts";

/** A stanza of ours as it stands in a stream whose default namespace is jabber:server (or a component's). */
export function outward(stanza: string): string {
  // What is of the content namespace inside of other elements says so itself, and stays what it is.
  return stanza.replace(` xmlns="${NS.CLIENT}"`, "");
}

export function inward(stanza: Element, namespace: string = NS.SERVER): string {
  rename(stanza, namespace);
  return serialise(stanza);
}

function rename(element: Element, namespace: string): void {
  if (element.attrs.xmlns !== namespace) return;
  element.attrs.xmlns = NS.CLIENT;
  for (const child of element.getChildElements()) rename(child, namespace);
}

export const isStanza = ({ name, attrs }: Element, namespace: string = NS.SERVER) =>
  attrs.xmlns === namespace && (name === "message" || name === "presence" || name === "iq");
