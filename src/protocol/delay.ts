/** XEP-0203: Delayed Delivery, v2.0 — https://xmpp.org/extensions/xep-0203.html */
import { type Element, xml } from "../xml/element.ts";
import { formatDateTime, parseDateTime } from "./datetime.ts";
import { DELAY } from "./ns.ts";

export interface Delay {
  /** When the stanza was first sent. */
  stamp: Date;
  /** JID of whoever held it back. */
  from?: string | undefined;
  reason?: string | undefined;
}

export function delayElement(delay: Delay): Element {
  return xml("delay", { xmlns: DELAY, from: delay.from, stamp: formatDateTime(delay.stamp) }, delay.reason);
}

/** The first `<delay/>` among `children` whose stamp can be read; anybody may have written it. */
export function readDelay(children: readonly Element[]): Delay | undefined {
  for (const child of children) {
    if (child.name !== "delay" || child.attrs.xmlns !== DELAY) continue;
    const stamp = parseDateTime(child.attrs.stamp ?? "");
    if (stamp) return { stamp, from: child.attrs.from, reason: child.getText() || undefined };
  }
  return undefined;
}
