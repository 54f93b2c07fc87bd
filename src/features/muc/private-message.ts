/** XEP-0045 §7.5: a message to one occupant — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { ownMessage } from "../../muc/forgery.ts";
import { room, type Whisper } from "../../muc/hooks.ts";
import type { Occupant, Session } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { occupantIdText, userText } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import type { Stanza } from "../../protocol/stanza.ts";

function whisper(room: Room, { stanza, nick, from }: Whisper): void {
  if (room.locked && !from) throw stanzaError("item-not-found", "This room is not open yet.");
  if (stanza.type === "groupchat") throw stanzaError("bad-request", "What one is told is no groupchat.");
  // An account's message comes by its archive, and by whichever of its clients sent it.
  if (!from) throw stanzaError("not-acceptable", "You are not in this room.");
  const target = room.occupants.get(nick);
  if (!target) throw stanzaError("item-not-found", "Nobody here has this nick.");
  checkAllowed(room, from.occupant);
  const passed = ownMessage(room.jid, stanza).with({ from: room.jid.with(from.occupant.nick), via: undefined });
  send(room, target, passed.with({ inner: passed.inner + userText("") + occupantIdText(from.occupant.id) }));
}

/** By the reader's account, which archives it; its other clients here get it straight, so that it is archived once. */
function send(room: Room, { sessions }: Occupant, stanza: Stanza): void {
  const [first, ...others] = sessions as [Session, ...Session[]];
  room.send(stanza.with({ to: first.jid }));
  for (const session of others) room.tell(session, session.sid ? stanza.with({ to: undefined }) : stanza);
}

function checkAllowed({ config }: Room, { role }: Occupant): void {
  const allowed =
    role === "moderator"
      ? config.allowPm !== "none"
      : config.allowPm === "anyone" || (config.allowPm === "participants" && role === "participant");
  if (!allowed) throw stanzaError("forbidden", "You may not send private messages in this room.");
}

export const privateMessage: Feature = {
  name: "private-message",
  implements: [{ id: "XEP-0045", note: "§7.5 private messages" }],
  handles: [room.hook("whisper", whisper)],
};
