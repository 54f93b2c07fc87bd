/** XEP-0500: MUC Slow Mode, v0.1 — https://xmpp.org/extensions/xep-0500.html; security.md D8: nor too many changes of presence */
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { type Passage, room } from "../../muc/hooks.ts";
import type { Occupant } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Trait } from "../../protocol/message.ts";

/** Changes of presence that one may make at once; one more every second. */
const BURST = 10;

/** When everybody last spoke, by account; rebuilt from the archive when the room was forgotten meanwhile. */
class Spoken {
  readonly at = new Map<string, number>();

  constructor(room: Room) {
    const since = room.now - room.config.slowMode * 1000;
    for (const { peer, id, traits } of room.archive.newest(1000, since))
      if (traits & Trait.BODY) this.at.set(peer, Math.floor(id / 1000));
  }
}

function pace(room: Room, { stanza, occupant, again }: Passage): void {
  const { slowMode } = room.config;
  if (slowMode === 0 || again || !(stanza.traits & Trait.BODY) || rank(room.affiliation(occupant.jid)) >= rank("admin"))
    return;
  const { at } = room.memo(Spoken, () => new Spoken(room));
  const who = occupant.jid.toString();
  const left = (at.get(who) ?? 0) + slowMode * 1000 - room.now;
  if (left > 0) {
    const text = `In this room ${slowMode} s pass between two messages of one person; wait ${Math.ceil(left / 1000)} s.`;
    throw stanzaError("policy-violation", text, undefined, { type: "wait" });
  }
  at.set(who, room.now);
  if (at.size > 10_000) for (const [other, time] of at) if (time + slowMode * 1000 < room.now) at.delete(other);
}

/** Changes of presence, in seconds of allowance used up. A cache: who was quiet has the whole of it. */
class Restless {
  readonly until = new WeakMap<Occupant, number>();
}

function calm(room: Room, occupant: Occupant): void {
  if (!room.settings.limits) return;
  const { until } = room.memo(Restless, () => new Restless());
  const next = Math.max(until.get(occupant) ?? 0, room.now) + 1000;
  if (next - room.now > BURST * 1000)
    throw stanzaError("resource-constraint", "You change your presence too often.", undefined, { type: "wait" });
  until.set(occupant, next);
}

export const slowMode: Feature = {
  name: "slow-mode",
  implements: [{ id: "XEP-0500", version: "0.1.0" }],
  handles: [
    room.hook("groupchat", pace),
    room.hook("config:changed", (room) => room.forget(Spoken)),
    room.hook("presence:change", calm),
  ],
};
