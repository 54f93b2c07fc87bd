/** XEP-0297: Stanza Forwarding, v1.0 — https://xmpp.org/extensions/xep-0297.html */
import { formatDateTime } from "./datetime.ts";
import { DELAY, FORWARD } from "./ns.ts";

/**
 * Wraps the text of a stanza, which must carry its own `xmlns` (§3.2: else it would take on that of `<forwarded/>`).
 * Text in, text out: what is forwarded comes from an archive row or a stanza in transit and is never parsed for it.
 * `stamp`: when this server received the stanza.
 */
export function forwarded(stanza: string, stamp?: Date): string {
  const delay = stamp === undefined ? "" : `<delay xmlns="${DELAY}" stamp="${formatDateTime(stamp)}"/>`;
  return `<forwarded xmlns="${FORWARD}">${delay}${stanza}</forwarded>`;
}
