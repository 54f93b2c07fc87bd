/** Namespaces that more than one part of the server speaks. A namespace one feature owns lives in that feature's file. */

/** RFC 6120: streams and stanzas. */
export const CLIENT = "jabber:client";
export const SERVER = "jabber:server";
export const STREAMS = "http://etherx.jabber.org/streams";
export const STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
export const STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
export const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
export const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
export const TLS = "urn:ietf:params:xml:ns:xmpp-tls";
export const XML = "http://www.w3.org/XML/1998/namespace";
/** RFC 3921 §3: kept as a no-op for old clients. */
export const SESSION = "urn:ietf:params:xml:ns:xmpp-session";

/** RFC 7395 and XEP-0468: WebSocket framing. */
export const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
export const FRAMING_SERVER = "urn:ietf:params:xml:ns:xmpp-framing-server";

/** XEP-0388, XEP-0386, XEP-0484, XEP-0440: one-trip stream start. */
export const SASL2 = "urn:xmpp:sasl:2";
export const BIND2 = "urn:xmpp:bind:0";
export const FAST = "urn:xmpp:fast:0";
export const CHANNEL_BINDING = "urn:xmpp:sasl-cb:0";

/** XEP-0198, XEP-0352, XEP-0280: the life of a stream. */
export const SM = "urn:xmpp:sm:3";
export const CSI = "urn:xmpp:csi:0";
export const CARBONS = "urn:xmpp:carbons:2";

/** XEP-0114 and XEP-0220: other ends. */
export const COMPONENT = "jabber:component:accept";
export const DIALBACK = "jabber:server:dialback";
export const BIDI = "urn:xmpp:bidi";
export const BIDI_FEATURE = "urn:xmpp:features:bidi";

/** RFC 6121. */
export const ROSTER = "jabber:iq:roster";

/** Building blocks without behaviour. */
export const DISCO_INFO = "http://jabber.org/protocol/disco#info";
export const DISCO_ITEMS = "http://jabber.org/protocol/disco#items";
export const FORMS = "jabber:x:data";
export const RSM = "http://jabber.org/protocol/rsm";
export const DELAY = "urn:xmpp:delay";
export const FORWARD = "urn:xmpp:forward:0";
export const HINTS = "urn:xmpp:hints";
export const CAPS = "http://jabber.org/protocol/caps";
export const CAPS2 = "urn:xmpp:caps";
export const STANZA_ID = "urn:xmpp:sid:0";
export const OCCUPANT_ID = "urn:xmpp:occupant-id:0";
export const CHAT_STATES = "http://jabber.org/protocol/chatstates";
export const RECEIPTS = "urn:xmpp:receipts";
export const MARKERS = "urn:xmpp:chat-markers:0";

/** Services several features speak of. */
export const MAM = "urn:xmpp:mam:2";
export const MUC = "http://jabber.org/protocol/muc";
export const MUC_USER = "http://jabber.org/protocol/muc#user";
export const MUC_ADMIN = "http://jabber.org/protocol/muc#admin";
export const MUC_OWNER = "http://jabber.org/protocol/muc#owner";
export const PUBSUB = "http://jabber.org/protocol/pubsub";
export const PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";
export const PUBSUB_OWNER = "http://jabber.org/protocol/pubsub#owner";
export const PUBSUB_ERRORS = "http://jabber.org/protocol/pubsub#errors";
export const COMMANDS = "http://jabber.org/protocol/commands";
