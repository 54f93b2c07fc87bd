/** XEP-0045 §17.3, §18.1.2: who cannot be reached is not here — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { room, type Whisper } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { readError, type StanzaCondition } from "../../protocol/errors.ts";
import { CLIENT } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";

const UNREACHABLE: ReadonlySet<StanzaCondition> = new Set([
  "gone",
  "item-not-found",
  "recipient-unavailable",
  "redirect",
  "remote-server-not-found",
  "remote-server-timeout",
] as const);

/** Errors to what the room sent somebody: from the very address, or from the server in the name of its account. */
function failed(room: Room, stanza: Stanza): void {
  if (stanza.type !== "error") return;
  if (!UNREACHABLE.has(readError(stanza.child("error", CLIENT)).condition)) return;
  const found = room.occupants.session(stanza.from);
  if (found) room.leave(found.occupant, found.session, { codes: [333] });
}

/** The error goes back to whose message it was, as from the occupant who could not be reached. */
function returned(room: Room, { stanza, nick, from }: Whisper): "handled" | undefined {
  if (stanza.type !== "error") return undefined;
  const sender = room.occupants.get(nick);
  if (sender && from) {
    const passed = stanza.with({ from: room.jid.with(from.occupant.nick), to: undefined, via: undefined });
    room.tellOccupant(sender, passed);
  }
  failed(room, stanza);
  return "handled";
}

export const ghosts: Feature = {
  name: "ghosts",
  implements: [{ id: "XEP-0045", note: "§18.1.2 ghosts" }],
  handles: [
    room.hook("presence:error", failed),
    room.hook("message", (room, stanza) => {
      if (stanza.type !== "error") return undefined;
      failed(room, stanza);
      return "handled";
    }),
    room.hook("whisper", returned),
  ],
};
