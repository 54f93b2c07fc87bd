/** XEP-0334: Message Processing Hints, v1.0 — https://xmpp.org/extensions/xep-0334.html. What they do is message.ts. */
import { type Element, xml } from "../xml/element.ts";
import { HINTS } from "./ns.ts";

export type Hint = "no-permanent-store" | "no-store" | "no-copy" | "store";

export function hint(name: Hint): Element {
  return xml(name, { xmlns: HINTS });
}

export function hasHint(children: readonly Element[], name: Hint): boolean {
  return children.some((child) => child.name === name && child.attrs.xmlns === HINTS);
}
