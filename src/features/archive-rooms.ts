/** XEP-0313: Message Archive Management, v1.1.3 §6.1.2: a room's — https://xmpp.org/extensions/xep-0313.html#business-storeret-muc-archives */
import { answerQuery, metadataElement, metadataOf } from "../archive/answer.ts";
import type { Filter } from "../archive/page.ts";
import { FULLTEXT, ORDER, type Query, queryForm, readQuery } from "../archive/query.ts";
import { ALARM, keep, noteAdded } from "../archive/retention.ts";
import { type Archived, textOf } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import { rank } from "../muc/affiliations.ts";
import { room } from "../muc/hooks.ts";
import type { Room } from "../muc/room.ts";
import { itemText, userText } from "../muc/wire.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { MAM } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";

/** Who may read: those who are in the room, and those who could come in without being asked for anything. */
function admit(room: Room, { from, via }: Stanza): void {
  const { config, affiliations } = room;
  const affiliation = room.affiliation(from);
  const guest = room.isGuest(from);
  if (affiliation === "outcast" || (guest && via?.[2] && affiliations.banned(via[2])))
    throw stanzaError("forbidden", "You are banned from this room.");
  if (room.locked && affiliation !== "owner") throw stanzaError("item-not-found", "This room is not open yet.");
  if (!room.logs) throw stanzaError("service-unavailable", "This room keeps no archive.");
  if (room.occupants.session(from) || affiliation === "owner") return;
  if (config.membersOnly && affiliation === "none") throw stanzaError("forbidden", "Only members may read this.");
  if (config.passwordProtected) throw stanzaError("forbidden", "This room has a password: enter it first.");
  if (guest && config.guests === "none") throw stanzaError("forbidden", "Guests may not enter this room.");
}

/** Whether the asker may know who is behind a nick. */
function seesReal(room: Room, { from }: Stanza): boolean {
  if (room.config.whois === "anyone" || rank(room.affiliation(from)) >= rank("admin")) return true;
  return room.occupants.session(from)?.occupant.role === "moderator";
}

/** §4.1.1: by occupant JID, or by the real one for those who may know it. */
function filterOf(room: Room, { with: author }: Query, real: boolean): Filter {
  if (!author || author.equals(room.jid)) return {};
  if (author.bare.equals(room.jid) || !real) return { sender: author.toString() };
  const peer = author.bare.toString();
  return author.full ? { peer, party: author.toString() } : { peer };
}

function query(room: Room, iq: Stanza): Element {
  admit(room, iq);
  const query = readQuery(iq.payload, room.archive);
  const real = seesReal(room, iq);
  const text = (row: Archived) => {
    // What the room itself has said has no author.
    if (!real || !row.receiver) return textOf(row, false);
    const jid = Jid.parse(row.receiver);
    return textOf(row, false, userText(itemText({ affiliation: room.affiliation(jid), jid })));
  };
  return answerQuery(room.archive, query, {
    from: room.jid,
    filter: filterOf(room, query, real),
    text,
    deliver: (result) => room.answer(iq, result.with({ to: iq.from })),
  });
}

const NAMES = [MAM, `${MAM}#extended`, FULLTEXT, ORDER, `${ORDER}@${MAM}`];

/** Stands behind groupchat in the list of features. */
export const roomArchive: Feature = {
  name: "archive-rooms",
  when: ({ archive }) => archive,
  implements: [{ id: "XEP-0313", version: "1.1.3", note: "rooms" }],
  advertises: { room: NAMES },
  handles: [
    room.iq("set", MAM, "query", query),
    room.iq("get", MAM, "query", (room, iq) => {
      admit(room, iq);
      return queryForm();
    }),
    room.iq("get", MAM, "metadata", (room, iq) => {
      admit(room, iq);
      return metadataElement(metadataOf(room.archive));
    }),
    room.hook("groupchat", (room) => {
      if (room.logs) noteAdded(room);
    }),
    room.alarm<null>(ALARM, keep),
  ],
};
