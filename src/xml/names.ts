/** RFC 6120 §11, XEP-0468: names and namespaces that no stanza may carry — https://www.rfc-editor.org/rfc/rfc6120#section-11 */

/** These frame a stream. Inside a stanza they could make a receiver take content for framing. */
export const FRAMING: ReadonlySet<string> = new Set([
  "http://etherx.jabber.org/streams",
  "urn:ietf:params:xml:ns:xmpp-framing",
  "urn:ietf:params:xml:ns:xmpp-framing-server",
]);

/** Fewer names than XML has: expat, which reads XML for most of our receivers, knows only those of 1.0's 4th edition. */
export const NAME = /^(?:[A-Za-z_][A-Za-z0-9._-]*:)?[A-Za-z_][A-Za-z0-9._-]*$/;

/** Never in a namespace: expat joins it to the name with such a character. */
export const NAMESPACE_REFUSED = /[\s\p{Cc}\ufffd]/u;
