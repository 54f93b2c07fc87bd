/** XEP-0045 §7.2.5–7.2.10: who may enter a room, and as what — https://xmpp.org/extensions/xep-0045.html */
import { timingSafeEqual } from "node:crypto";
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { type Entry, room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { MUC } from "../../protocol/ns.ts";

/** Owners and administrators still get in when the room is full, so many of them (§7.2.9). */
const RESERVE = 50;
/** People who may come in within a second (security.md D8). */
const RATE = 10;

/** A cache: a room that was forgotten had nobody at its door. */
class Door {
  second = 0;
  count = 0;
}

function admit(room: Room, entry: Entry): void {
  const { affiliation, jid, x } = entry;
  const { config, occupants } = room;
  // §9.1; of guests, who have another name each time, it is the address that is banned.
  if (affiliation === "outcast" || (entry.guest && room.affiliations.banned(entry.address)))
    throw stanzaError("forbidden", "You are banned from this room.");
  if (room.locked && affiliation !== "owner") throw stanzaError("item-not-found", "This room is not open yet."); // §7.2.10
  if (config.membersOnly && affiliation === "none")
    throw stanzaError("registration-required", "Only members may enter this room.");
  if (
    config.passwordProtected &&
    rank(affiliation) < rank("owner") &&
    !matches(x.getChildText("password", MUC), config.password)
  )
    throw stanzaError("not-authorized", "This room has a password.");
  if (occupants.session(jid)) return;
  const most = Number(config.maxUsers);
  const full = occupants.size >= (rank(affiliation) >= rank("admin") ? most + RESERVE : most);
  if (full && !occupants.get(entry.nick)?.jid.equals(jid.bare))
    throw stanzaError("service-unavailable", "This room is full.", undefined, { type: "wait" });
  if (room.settings.limits && rank(affiliation) < rank("admin")) pace(room);
  // §7.10: who has registered a nick is known by it.
  const kept = room.affiliations.nick(jid);
  if (kept && kept !== entry.nick) {
    entry.nick = kept;
    entry.codes.add(210);
  }
  if (room.locked) entry.codes.add(201);
}

function matches(given: string | null, password: string): boolean {
  const a = Buffer.from(given ?? "");
  const b = Buffer.from(password);
  return a.length === b.length && timingSafeEqual(a, b);
}

function pace(room: Room): void {
  const door = room.memo(Door, () => new Door());
  const second = Math.floor(room.now / 1000);
  if (door.second !== second) Object.assign(door, { second, count: 0 });
  if (++door.count > RATE)
    throw stanzaError("resource-constraint", "Too many people are coming in; try again.", undefined, { type: "wait" });
}

export const admission: Feature = {
  name: "admission",
  implements: [{ id: "XEP-0045", note: "§7.2.5–7.2.10 who may enter" }],
  handles: [room.hook("join:admit", admit)],
};
