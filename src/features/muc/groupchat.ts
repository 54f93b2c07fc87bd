/**
 * XEP-0045 §7.4: what one says and all hear — https://xmpp.org/extensions/xep-0045.html
 * One row in the archive, which is its custody, and one delivery for each gate. XEP-0359 v0.7.0, XEP-0421 v1.0.1.
 */
import type { Feature } from "../../kernel/feature.ts";
import { ownMessage } from "../../muc/forgery.ts";
import { type Passage, room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { occupantIdText } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Trait } from "../../protocol/message.ts";
import { OCCUPANT_ID, STANZA_ID } from "../../protocol/ns.ts";

const STABLE_ID = "http://jabber.org/protocol/muc#stable_id";
/** Messages by which a repeat is known. */
const RECENT = 200;
/** How far back one is looked for that a gate says again: it does so within seconds. */
const LOST_MS = 60_000;
const ORIGIN = /<origin-id xmlns="urn:xmpp:sid:0" id="([^"]+)"/;

/** The newest messages by author and origin-id: what a client sends again after a lost stream is no second message. */
class Recent {
  readonly #ids = new Map<string, number>();

  constructor(room: Room) {
    for (const { id, peer, inner } of room.archive.newest(RECENT)) {
      const origin = ORIGIN.exec(inner)?.[1];
      if (origin) this.#ids.set(`${peer} ${origin}`, id);
    }
  }

  get(key: string): number | undefined {
    return this.#ids.get(key);
  }

  set(key: string, id: number): void {
    this.#ids.set(key, id);
    if (this.#ids.size > RECENT) this.#ids.delete(this.#ids.keys().next().value as string);
  }
}

/** §7.5: without voice one listens. */
function checkVoice(_: Room, { occupant }: Passage): void {
  if (occupant.role === "visitor") throw stanzaError("forbidden", "You have no voice in this room.");
}

function reflect(room: Room, { stanza, occupant, session, again }: Passage): void {
  const clean = ownMessage(room.jid, stanza);
  const origin = ORIGIN.exec(clean.inner)?.[1];
  const key = origin && `${occupant.jid} ${origin}`;
  const recent = key ? room.memo(Recent, () => new Recent(room)) : undefined;
  const known = key ? recent?.get(key) : undefined;
  const message = clean.with({
    from: room.jid.with(occupant.nick),
    to: undefined,
    via: undefined,
    id: stanza.id || crypto.randomUUID(),
    inner: clean.inner + occupantIdText(occupant.id),
  });
  const archived = message.with({ to: session.jid });
  // Its gate does not know whether the room took it before it was lost: then everybody hears it, its author, too.
  if (again && stanza.id && room.archive.sentAs(archived, room.now - LOST_MS) !== undefined) return;
  // Its author has not seen it come back, so it comes back once more, and to nobody else.
  if (known !== undefined) return room.tell(session, room.identified(message, known));
  if (!(stanza.traits & Trait.ROOM) || !room.logs) return room.broadcast(message);
  const id = room.archive.add({ peer: occupant.jid, outgoing: true, hidden: false, stanza: archived });
  if (key) recent?.set(key, id);
  room.say(message, id);
}

export const voice: Feature = {
  name: "voice",
  implements: [{ id: "XEP-0045", note: "§5.1 roles" }],
  handles: [room.hook("groupchat", checkVoice)],
};

export const groupchat: Feature = {
  name: "groupchat",
  implements: [
    { id: "XEP-0045", note: "§7.4 messages" },
    { id: "XEP-0359", version: "0.7.0" },
    { id: "XEP-0421", version: "1.0.1" },
  ],
  advertises: { room: [STABLE_ID, STANZA_ID, OCCUPANT_ID], rooms: [STABLE_ID, OCCUPANT_ID] },
  handles: [room.hook("groupchat", reflect)],
};
