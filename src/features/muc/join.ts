/** XEP-0045 §7.1–7.2, §7.6, §7.7: entering a room, changing the nick, changing presence — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { ownPresence } from "../../muc/forgery.ts";
import { type Arrival, type Entry, room } from "../../muc/hooks.ts";
import { nickKey, type Occupant, type Role, type Session } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { itemText, occupantIdText, statusText, userText } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { MUC } from "../../protocol/ns.ts";
import { Stanza } from "../../protocol/stanza.ts";

/** Nicks have at most so many characters (security.md D8). */
const NICK = 256;
/** Presence is for many readers: so many characters of it are enough. */
const PRESENCE = 8192;

function available(room: Room, stanza: Stanza): void {
  const nick = stanza.to?.resource ?? "";
  const x = stanza.child("x", MUC);
  const found = room.occupants.session(stanza.from);
  if (stanza.inner.length > PRESENCE) throw stanzaError("policy-violation", "This presence says too much.");
  if (!found) {
    if (!x) return adrift(room, stanza);
    return enter(room, stanza, nick, x);
  }
  checkNick(nick);
  const { occupant, session } = found;
  if (occupant.nick !== nick) rename(room, stanza, occupant, session, nick);
  else if (x)
    enter(room, stanza, nick, x); // §7.2.1: it has lost track
  else update(room, stanza, occupant, session);
}

/** §7.2.17: a presence update of somebody who is not here: it believes to be, and learns that it is not. */
function adrift(room: Room, stanza: Stanza): void {
  if (!stanza.to?.full) throw stanzaError("jid-malformed", "Entering a room takes a nick.");
  const item = itemText({ affiliation: room.affiliation(stanza.from), role: "none" });
  const inner = userText(item + statusText([110, 307, 333])) + occupantIdText(room.occupantId(stanza.from));
  room.answer(
    stanza,
    new Stanza({ kind: "presence", type: "unavailable", from: stanza.to, to: stanza.from, inner, id: stanza.id }),
  );
}

function checkNick(nick: string): void {
  if (nickKey(nick) === "") throw stanzaError("jid-malformed", "Entering a room takes a nick.");
  if (nick.length > NICK) throw stanzaError("not-acceptable", `A nick has at most ${NICK} characters.`);
}

/** §7.2.8, §7.10: a nick belongs to one person, who is here or for whom it is kept. */
function checkFree(room: Room, nick: string, { from }: Stanza): void {
  const here = room.occupants.like(nick);
  if (here && !here.jid.equals(from.bare)) throw stanzaError("conflict", "Somebody here has this nick.");
  const keeper = room.affiliations.reserved(nick, nickKey);
  if (keeper && !keeper.jid.equals(from.bare)) throw stanzaError("conflict", "This nick is kept for somebody.");
}

function enter(room: Room, stanza: Stanza, nick: string, x: Entry["x"]): void {
  checkNick(nick);
  const { from, via } = stanza;
  const affiliation = room.affiliation(from);
  const guest = room.isGuest(from);
  const role = roleOf(room, affiliation);
  const codes = new Set<number>();
  const address = via?.[2] ?? "";
  const entry: Entry = { stanza, jid: from, nick, x, affiliation, guest, address, role, codes, extra: "" };
  room.fire("join:admit", entry);
  checkFree(room, entry.nick, stanza);

  const { occupants } = room;
  // Two clients of one account that write their nick a little differently are one occupant.
  const alike = occupants.like(entry.nick);
  if (alike && alike.nick !== entry.nick) {
    entry.nick = alike.nick;
    codes.add(210);
  }
  const again = occupants.session(from);
  if (again) occupants.remove(again.occupant, again.session);
  const present = occupants.get(entry.nick);
  const session: Session = {
    jid: from,
    gate: via?.[0] ?? "",
    sid: via?.[1] ?? "",
    address,
    shown: room.now,
    presence: ownPresence(stanza),
  };
  // Everybody who was here is shown to the one who comes, in one delivery.
  const others: Stanza[] = [];
  const open = room.config.whois === "anyone" || (present?.role ?? entry.role) === "moderator";
  for (const other of occupants)
    if (other !== present && room.shows(other.role)) {
      const shown = room.presence(other);
      others.push(open ? shown.open : shown.closed);
    }
  const arrival: Arrival = Object.assign(entry, { session });
  room.fire("join:before", arrival);
  const occupant = occupants.add(
    entry.nick,
    room.occupantId(from),
    present?.role ?? again?.occupant.role ?? entry.role,
    session,
  );
  room.tell(session, ...others);
  if (!again || again.session.presence !== session.presence || present) {
    if (room.shows(occupant.role)) room.show(room.presence(occupant), occupant);
    for (const other of occupant.sessions) if (other !== session) room.tell(other, room.self(occupant, other));
  }
  if (room.config.whois === "anyone") codes.add(100);
  if (room.logs) codes.add(170); // §7.2.12
  room.tell(session, room.self(occupant, session, { codes: [...codes], extra: entry.extra, id: stanza.id }));
  room.fire("join:after", arrival);
  if (!present && !again) room.fire("occupant:entered", occupant);
}

/** §5.1.2: what role comes with an affiliation. */
export function roleOf(room: Room, affiliation: Entry["affiliation"]): Role {
  if (rank(affiliation) >= rank("admin")) return "moderator";
  return room.config.moderated && affiliation === "none" ? "visitor" : "participant";
}

function rename(room: Room, stanza: Stanza, occupant: Occupant, session: Session, wanted: string): void {
  room.fire("presence:change", occupant);
  checkFree(room, wanted, stanza);
  const alike = room.occupants.like(wanted);
  const nick = alike && alike !== occupant ? alike.nick : wanted;
  const kept = room.affiliations.nick(stanza.from);
  if (kept && kept !== nick) throw stanzaError("not-acceptable", `You are registered as ${kept} here.`);
  const others = occupant.sessions.filter((other) => other !== session);
  if (others.length > 0 && alike === occupant)
    throw stanzaError("conflict", "Your other client here writes this nick differently.");
  const target = room.occupants.get(nick);
  session.presence = ownPresence(stanza);
  session.shown = room.now;
  // One of several clients goes its own way: it leaves one nick and comes under another.
  if (others.length > 0 || target) {
    const { role } = occupant;
    room.occupants.remove(occupant, session);
    const moved = room.occupants.add(nick, occupant.id, target?.role ?? role, session);
    room.tell(session, departure(room, occupant, session, nick));
    if (others.length > 0) room.announce(occupant);
    else if (room.shows(role)) room.show(renamed(room, occupant, session, nick));
    room.announce(moved);
    return;
  }
  const shown = renamed(room, occupant, session, nick);
  const own = departure(room, occupant, session, nick);
  room.occupants.rename(occupant, nick);
  room.occupants.save(occupant, session);
  if (room.shows(occupant.role)) room.show(shown, occupant);
  room.tell(session, own);
  room.announce(occupant);
}

/** §7.6: the old nick goes, and says what it becomes. */
function departure(room: Room, { nick: old, id, role, jid: bare }: Occupant, { jid }: Session, nick: string): Stanza {
  const item = itemText({ affiliation: room.affiliation(bare), role, jid, nick });
  const inner = userText(item + statusText([110, 303])) + occupantIdText(id);
  return new Stanza({ kind: "presence", type: "unavailable", from: room.jid.with(old), inner });
}

function renamed(room: Room, { nick: old, id, role, jid: bare }: Occupant, { jid }: Session, nick: string) {
  const from = room.jid.with(old);
  const affiliation = room.affiliation(bare);
  const write = (seen: Session["jid"] | undefined) => {
    const item = itemText({ affiliation, role, jid: seen, nick });
    const inner = userText(item + statusText([303])) + occupantIdText(id);
    return new Stanza({ kind: "presence", type: "unavailable", from, inner });
  };
  return { open: write(jid), closed: write(undefined) };
}

function update(room: Room, stanza: Stanza, occupant: Occupant, session: Session): void {
  room.fire("presence:change", occupant);
  const presence = ownPresence(stanza);
  session.shown = room.now;
  session.presence = presence;
  room.occupants.update(occupant, session);
  room.announce(occupant);
}

export const join: Feature = {
  name: "join",
  implements: [{ id: "XEP-0045", version: "1.35", note: "§7.2 entering, §7.6 nicks, §7.7 presence" }],
  handles: [room.hook("presence:available", available)],
};
