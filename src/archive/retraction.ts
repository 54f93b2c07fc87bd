/** XEP-0424: Message Retraction, v0.4.2 — https://xmpp.org/extensions/xep-0424.html. What stands in a retracted message's place. */
import { formatDateTime } from "../protocol/datetime.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";

export const RETRACT = "urn:xmpp:message-retract:1";

/** The id of the message that this one retracts; undefined when it retracts none. */
export function retractedId(message: Stanza): string | undefined {
  return message.child("retract", RETRACT)?.attrs.id || undefined;
}

/** `id`: of the retraction; `more`: who moderated it and why (XEP-0425 §5), and what is kept besides. */
export function tombstoneElement(
  id: string | undefined,
  at: number,
  ...more: readonly (Element | undefined)[]
): Element {
  return xml("retracted", { xmlns: RETRACT, id, stamp: formatDateTime(at) }, ...more);
}
