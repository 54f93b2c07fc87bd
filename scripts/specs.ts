/** What this server implements, as its features say it, and what its streams, edge and protocol parts do beside them. */
import { features } from "../src/features/index.ts";
import { rooms } from "../src/features/rooms.ts";
import type { Spec } from "../src/kernel/feature.ts";

export interface Implemented {
  readonly id: Spec["id"];
  readonly title: string;
  /** The version of the XEP that was followed; "" of an RFC. */
  readonly version: string;
  readonly note: string;
}

/** What is no feature of an account or room, since it works below them. */
const BELOW: readonly Spec[] = [
  { id: "RFC 5802", note: "SCRAM with SHA-1; RFC 7677 with SHA-256; SHA-512 likewise" },
  { id: "RFC 6120", note: "streams, SASL, binding and routing, over WebSocket" },
  { id: "RFC 7395" },
  { id: "RFC 7622", note: "addresses by PRECIS, RFC 8264 to 8266" },
  { id: "XEP-0004", version: "2.13.2" },
  { id: "XEP-0068", version: "1.3.0" },
  { id: "XEP-0077", version: "2.4", note: "before login" },
  { id: "XEP-0082", version: "1.1.1" },
  { id: "XEP-0124", version: "1.11.2" },
  { id: "XEP-0156", version: "1.4.0" },
  { id: "XEP-0185", version: "1.0" },
  {
    id: "XEP-0198",
    version: "1.6.3",
    note: "between servers, too; resumption from any gate, and of servers by WebSocket",
  },
  { id: "XEP-0206", version: "1.4" },
  { id: "XEP-0220", version: "1.1.1" },
  { id: "XEP-0288", version: "1.0.1", note: "over TCP" },
  { id: "XEP-0297", version: "1.0" },
  { id: "XEP-0334", version: "1.0.0" },
  { id: "XEP-0352", version: "1.0.0" },
  { id: "XEP-0386", version: "1.1.0" },
  { id: "XEP-0388", version: "1.0.4" },
  { id: "XEP-0445", version: "0.2.0", note: "tokens of invitations" },
  { id: "XEP-0468", version: "0.1.0", note: "in and out, with dialback" },
  { id: "XEP-0474", version: "0.5.0" },
  { id: "XEP-0484", version: "0.2.0", note: "without 0-RTT and channel binding" },
];

const TITLES: Readonly<Record<string, string>> = {
  "RFC 5802": "Salted Challenge Response Authentication Mechanism",
  "RFC 6120": "XMPP: Core",
  "RFC 6121": "XMPP: Instant Messaging and Presence",
  "RFC 7395": "An XMPP Subprotocol for WebSocket",
  "RFC 7622": "XMPP: Address Format",
  "XEP-0004": "Data Forms",
  "XEP-0012": "Last Activity",
  "XEP-0030": "Service Discovery",
  "XEP-0045": "Multi-User Chat",
  "XEP-0048": "Bookmarks",
  "XEP-0049": "Private XML Storage",
  "XEP-0050": "Ad-Hoc Commands",
  "XEP-0054": "vcard-temp",
  "XEP-0059": "Result Set Management",
  "XEP-0060": "Publish-Subscribe",
  "XEP-0068": "Field Standardization for Data Forms",
  "XEP-0077": "In-Band Registration",
  "XEP-0082": "XMPP Date and Time Profiles",
  "XEP-0084": "User Avatar",
  "XEP-0092": "Software Version",
  "XEP-0114": "Jabber Component Protocol",
  "XEP-0115": "Entity Capabilities",
  "XEP-0124": "Bidirectional-streams Over Synchronous HTTP (BOSH)",
  "XEP-0128": "Service Discovery Extensions",
  "XEP-0153": "vCard-Based Avatars",
  "XEP-0156": "Discovering Alternative XMPP Connection Methods",
  "XEP-0157": "Contact Addresses for XMPP Services",
  "XEP-0160": "Best Practices for Handling Offline Messages",
  "XEP-0163": "Personal Eventing Protocol",
  "XEP-0175": "Best Practices for Use of SASL ANONYMOUS",
  "XEP-0185": "Dialback Key Generation and Validation",
  "XEP-0191": "Blocking Command",
  "XEP-0198": "Stream Management",
  "XEP-0199": "XMPP Ping",
  "XEP-0202": "Entity Time",
  "XEP-0203": "Delayed Delivery",
  "XEP-0206": "XMPP Over BOSH",
  "XEP-0215": "External Service Discovery",
  "XEP-0220": "Server Dialback",
  "XEP-0222": "Persistent Storage of Public Data via PubSub",
  "XEP-0223": "Persistent Storage of Private Data via PubSub",
  "XEP-0237": "Roster Versioning",
  "XEP-0280": "Message Carbons",
  "XEP-0288": "Bidirectional Server-to-Server Connections",
  "XEP-0297": "Stanza Forwarding",
  "XEP-0313": "Message Archive Management",
  "XEP-0317": "Hats",
  "XEP-0334": "Message Processing Hints",
  "XEP-0352": "Client State Indication",
  "XEP-0357": "Push Notifications",
  "XEP-0359": "Unique and Stable Stanza IDs",
  "XEP-0368": "SRV records for XMPP over TLS",
  "XEP-0363": "HTTP File Upload",
  "XEP-0386": "Bind 2",
  "XEP-0388": "Extensible SASL Profile",
  "XEP-0390": "Entity Capabilities 2.0",
  "XEP-0398": "User Avatar to vCard-Based Avatars Conversion",
  "XEP-0402": "PEP Native Bookmarks",
  "XEP-0410": "MUC Self-Ping (Schrödinger's Chat)",
  "XEP-0411": "Bookmarks Conversion",
  "XEP-0413": "Order-By",
  "XEP-0421": "Occupant identifiers for semi-anonymous MUCs",
  "XEP-0424": "Message Retraction",
  "XEP-0425": "Moderated Message Retraction",
  "XEP-0431": "Full Text Search in MAM",
  "XEP-0433": "Extended Channel Search",
  "XEP-0440": "SASL Channel-Binding Type Capability",
  "XEP-0441": "Message Archive Management Preferences",
  "XEP-0445": "Pre-Authenticated In-Band Registration",
  "XEP-0463": "MUC Affiliations Versioning",
  "XEP-0468": "WebSocket S2S",
  "XEP-0474": "SASL SCRAM Downgrade Protection",
  "XEP-0478": "Stream Limits Advertisement",
  "XEP-0484": "Fast Authentication Streamlining Tokens",
  "XEP-0486": "MUC Avatars",
  "XEP-0490": "Message Displayed Synchronization",
  "XEP-0500": "MUC Slow Mode",
};

/** Everything once, RFCs first, with the notes of all who have a part in it. */
export function implemented(): Implemented[] {
  const found = new Map<Spec["id"], { version: string; notes: Set<string> }>();
  for (const { id, version = "", note } of [...BELOW, ...[...features, ...rooms].flatMap((one) => one.implements)]) {
    const spec = found.get(id) ?? { version: "", notes: new Set<string>() };
    if (version) spec.version = version;
    if (note) spec.notes.add(note);
    found.set(id, spec);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { version, notes }]) => {
      const title = TITLES[id];
      if (!title) throw new Error(`scripts/specs.ts has no title for ${id}.`);
      return { id, title, version, note: [...notes].join("; ") };
    });
}

/** Where to read it. */
export function addressOf(id: string): string {
  const number = id.slice(4);
  return id.startsWith("XEP")
    ? `https://xmpp.org/extensions/xep-${number}.html`
    : `https://www.rfc-editor.org/rfc/rfc${number}`;
}
