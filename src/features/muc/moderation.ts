/**
 * XEP-0425: Moderated Message Retraction, v0.3 — https://xmpp.org/extensions/xep-0425.html
 * and XEP-0424 v0.4.2: the author's own. Either leaves a tombstone in the archive.
 */
import { RETRACT, retractedId, tombstoneElement } from "../../archive/retraction.ts";
import type { Archived } from "../../archive/row.ts";
import type { Feature } from "../../kernel/feature.ts";
import { type Passage, room } from "../../muc/hooks.ts";
import type { Occupant } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Jid } from "../../protocol/jid.ts";
import { CLIENT, OCCUPANT_ID } from "../../protocol/ns.ts";
import { stanza as newStanza, type Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";
import { readFragment } from "../../xml/reader.ts";

const MODERATE = "urn:xmpp:message-moderate:1";

function moderate(room: Room, iq: Stanza): undefined {
  const { occupant } = room.member(iq);
  if (occupant.role !== "moderator") throw stanzaError("forbidden", "Only moderators take back what others said.");
  const { payload } = iq;
  if (!payload.getChild("retract", RETRACT)) throw stanzaError("feature-not-implemented", "Messages can be retracted.");
  const uid = payload.attrs.id ?? "";
  if (!uid || !takeBack(room, uid, payload.getChildText("reason", MODERATE) ?? "", occupant))
    throw stanzaError("item-not-found", "There is no such message in the archive.");
}

/** By a moderator, or by the server's operator, who has no place in the room. @returns whether there is such a message */
function takeBack(room: Room, uid: string, reason: string, occupant?: Occupant): boolean {
  const row = room.archive.find(uid);
  if (!row || row.inner.includes(`<retracted xmlns="${RETRACT}"`)) return row !== undefined;
  const told = () => {
    const by = occupant ? room.jid.with(occupant.nick) : room.jid;
    const moderated = xml("moderated", { by: by.toString(), xmlns: MODERATE }, occupant && occupantId(occupant.id));
    return [moderated, reason ? xml("reason", { xmlns: RETRACT }, reason) : undefined];
  };
  const header = { type: "groupchat", id: crypto.randomUUID(), from: room.jid };
  const message = newStanza("message", header, xml("retract", { xmlns: RETRACT, id: uid }, ...told()));
  bury(room, row, tombstoneElement(header.id, room.now, ...told()));
  // Everybody, the moderator too (§3.1).
  if (room.logs)
    room.say(message, room.archive.add({ peer: room.jid, outgoing: true, hidden: false, stanza: message }));
  else room.broadcast(message);
  return true;
}

const occupantId = (id: string) => xml("occupant-id", { xmlns: OCCUPANT_ID, id });

/** Who said it stays (§4); what was said goes. */
function bury(room: Room, row: Archived, tombstone: Element): void {
  const author = readFragment(row.inner, CLIENT).filter(({ attrs }) => attrs.xmlns === OCCUPANT_ID);
  room.archive.tombstone(row.id, ...author, tombstone);
}

/** One's own words only, by the id the room gave them (XEP-0424 §4). */
function retract(room: Room, { stanza, occupant }: Passage): void {
  if (!stanza.inner.includes(RETRACT)) return;
  const uid = retractedId(stanza);
  const row = uid ? room.archive.find(uid) : undefined;
  if (!row) return;
  if (!Jid.parse(row.peer).equals(occupant.jid)) throw stanzaError("forbidden", "Somebody else said this.");
  bury(room, row, tombstoneElement(stanza.id || undefined, room.now));
}

export const moderation: Feature = {
  name: "moderation",
  implements: [
    { id: "XEP-0425", version: "0.3.0" },
    { id: "XEP-0424", version: "0.4.2", note: "in rooms" },
  ],
  advertises: { room: [MODERATE, RETRACT, `${RETRACT}#tombstone`] },
  handles: [
    room.iq("set", MODERATE, "moderate", moderate),
    room.hook("groupchat", retract),
    room.hook("message:retract", (room, { uid, reason }) => (takeBack(room, uid, reason) ? "handled" : undefined)),
  ],
};
