/** What a message is for, read once where it enters: RFC 6121 §5, XEP-0334 v0.4, XEP-0313 v1.1.3 §5 — https://xmpp.org/extensions/xep-0313.html */
import type { Element } from "../xml/element.ts";
import * as NS from "./ns.ts";

/** Bits of a message's traits. */
export const Trait = {
  /** Has a body that is not empty. */
  BODY: 1,
  /** Belongs into the archive of an account. */
  STORE: 2,
  /** Waits for its reader when nobody is there (never a groupchat, headline or error); without STORE, only until it is read. */
  OFFLINE: 4,
  /** Is copied to the account's other resources (XEP-0280). */
  CARBON: 8,
  /** Nothing but a chat state: may be held back or dropped (XEP-0352). */
  STATE: 16,
  /** Belongs into a room's archive, when it is said there. */
  ROOM: 32,
} as const;

const HINTS = "urn:xmpp:hints";
const CHAT_STATES = "http://jabber.org/protocol/chatstates";
const CARBONS = "urn:xmpp:carbons:2";
const MUC_USER = "http://jabber.org/protocol/muc#user";

/** Payloads whose words only their readers can see. */
export const ENCRYPTED = [
  "urn:xmpp:eme:0",
  "eu.siacs.conversations.axolotl",
  "urn:xmpp:omemo:2",
  "urn:xmpp:openpgp:0",
  "jabber:x:encrypted",
] as const;

/** Bodiless payloads that readers want again from the archive (XEP-0313 §5.1.1). */
const KEPT = new Set<string>([
  "urn:xmpp:receipts",
  "urn:xmpp:chat-markers:0",
  "urn:xmpp:reactions:0",
  "urn:xmpp:message-retract:1",
  "urn:xmpp:message-correct:0",
  "urn:xmpp:jingle-message:0",
  "urn:xmpp:call-invites:0",
  ...ENCRYPTED,
  "jabber:x:conference",
  "jabber:x:oob",
  "urn:xmpp:fasten:0",
  "urn:xmpp:sfs:0",
]);

/** A message's traits by its type and children. */
export function traitsOf(type: string, children: readonly Element[]): number {
  let body = false;
  let kept = false;
  let state = false;
  let other = false;
  let muc = false;
  let store: "always" | "never" | "until read" | undefined;
  let copy = true;
  for (const child of children) {
    const ns = child.attrs.xmlns;
    if (ns === NS.CLIENT || ns === undefined) {
      if (child.name === "body") body ||= child.children.length > 0;
      else if (child.name === "subject") kept = true;
      else if (child.name !== "thread") other = true;
    } else if (ns === HINTS) {
      // XEP-0334 §4: whoever asks for less gets it.
      if (child.name === "no-store") store = "never";
      else if (child.name === "no-permanent-store" && store !== "never") store = "until read";
      else if (child.name === "store") store ??= "always";
      else if (child.name === "no-copy") copy = false;
    } else if (ns === CHAT_STATES) state = true;
    else if (ns === CARBONS && child.name === "private") copy = false;
    else if (KEPT.has(ns)) kept = true;
    else {
      if (ns === MUC_USER) muc = true;
      other = true;
    }
  }
  // A mediated invitation has no body of its own but must not be missed.
  const worth = store === "always" || body || kept || muc;
  let traits = body ? Trait.BODY : 0;
  if (type === "" || type === "chat") {
    if (worth && store !== "never") traits |= Trait.OFFLINE;
    if (worth && store !== "never" && store !== "until read") traits |= Trait.STORE;
  } else if (type === "headline") {
    if (store === "always") traits |= Trait.STORE; // §4.4: whatever is no error
  } else if (type === "groupchat") {
    if ((store ?? "always") === "always" && (store === "always" || body || kept)) traits |= Trait.ROOM;
  }
  // XEP-0280 §6.1: every chat message, and normal ones that carry something a person said or did.
  if (copy && (type === "chat" || (type === "" && (body || kept)))) traits |= Trait.CARBON;
  if (state && !body && !kept && !other && store !== "always") traits |= Trait.STATE;
  return traits;
}
