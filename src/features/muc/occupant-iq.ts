/** XEP-0410: MUC Self-Ping, v1.1.0 — https://xmpp.org/extensions/xep-0410.html; XEP-0045 §6.6, §17.4: requests through a room */
import { createHmac } from "node:crypto";
import type { Feature } from "../../kernel/feature.ts";
import { room, type Whisper } from "../../muc/hooks.ts";
import type { Occupant, Session } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import type { Jid } from "../../protocol/jid.ts";
import { DISCO_INFO, DISCO_ITEMS } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";

const PING = "urn:xmpp:ping ping";
/** What is asked of the person, not of the client. */
const OF_ACCOUNT = new Set(["vcard-temp vCard", "http://jabber.org/protocol/pubsub pubsub"]);
const KEY = 16;

interface Place {
  occupant: Occupant;
  session: Session;
}

function take(room: Room, { stanza, nick, from }: Whisper): void {
  if (!stanza.asks) return back(room, stanza, nick);
  if (!from) {
    const disco = stanza.about.startsWith(DISCO_INFO) || stanza.about.startsWith(DISCO_ITEMS);
    throw stanzaError(disco ? "bad-request" : "not-acceptable", "You are not in this room."); // §6.6; XEP-0410 §3.2
  }
  const target = room.occupants.get(nick);
  if (!target) throw stanzaError("item-not-found", "Nobody here has this nick.");
  // XEP-0410 §4: whether one is here, the room knows without asking.
  if (stanza.about === PING && target === from.occupant) return room.reply(stanza, undefined);
  ask(room, stanza, from, target);
}

/**
 * §17.4: neither learns who the other is. Which client asked is in the id: a keyed hash that nobody else can make, so
 * that nothing has to be remembered.
 */
function ask(room: Room, stanza: Stanza, asker: Place, { nick, sessions, jid }: Occupant): void {
  const [session] = sessions;
  if (!session) return;
  const account = OF_ACCOUNT.has(stanza.about) && jid.local !== "" && !room.isGuest(jid);
  const id = keyOf(room, asker.session.jid, nick) + stanza.id;
  const to = account ? jid : session.jid;
  room.send(stanza.with({ from: room.jid.with(asker.occupant.nick), to, id, via: undefined }));
}

function back(room: Room, stanza: Stanza, nick: string): void {
  const asker = room.occupants.get(nick);
  const key = stanza.id.slice(0, KEY);
  for (const answering of asker ? room.occupants.of(stanza.from) : [])
    for (const session of asker?.sessions ?? []) {
      if (keyOf(room, session.jid, answering.nick) !== key) continue;
      const from = room.jid.with(answering.nick);
      const to = session.sid ? undefined : session.jid;
      return room.tell(session, stanza.with({ from, to, id: stanza.id.slice(KEY), via: undefined }));
    }
}

function keyOf(room: Room, asker: Jid, nick: string): string {
  const text = `${room.jid}\0${asker}\0${nick}`;
  return createHmac("sha256", room.object.secrets.occupant).update(text).digest("base64url").slice(0, KEY);
}

export const occupantIq: Feature = {
  name: "occupant-iq",
  implements: [
    { id: "XEP-0410", version: "1.1.0" },
    { id: "XEP-0045", note: "§17.4 requests to occupants" },
  ],
  advertises: { room: ["http://jabber.org/protocol/muc#self-ping-optimization"] },
  handles: [room.hook("iq:occupant", take)],
};
