/** XEP-0045 §8.2–8.6, §9, §10.3–10.8: roles and affiliations, asked for and changed — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { type Affiliation, isAffiliation, rank } from "../../muc/affiliations.ts";
import { room } from "../../muc/hooks.ts";
import { nickKey, type Occupant, ROLES, type Role } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Jid } from "../../protocol/jid.ts";
import { MUC_ADMIN } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

/** Changes in one request. */
const MOST = 500;

interface Actor {
  jid: Jid;
  affiliation: Affiliation;
  role: Role;
  /** As the others know it; absent for who is not here. */
  nick: string | undefined;
}

interface Change {
  apply(): void;
}

function actorOf(room: Room, { from }: Stanza): Actor {
  const here = room.occupants.session(from)?.occupant ?? room.occupants.of(from)[0];
  const affiliation = room.affiliation(from);
  return { jid: from.bare, affiliation, role: here?.role ?? "none", nick: here?.nick };
}

const isAdmin = ({ affiliation }: Actor) => rank(affiliation) >= rank("admin");

function get(room: Room, iq: Stanza): Element {
  const items = iq.payload.getChildren("item", MUC_ADMIN);
  const [item] = items;
  if (!item || items.length > 1) throw stanzaError("bad-request", "Ask for one list.");
  const { affiliation, role } = item.attrs;
  const actor = actorOf(room, iq);
  const list = role === undefined ? affiliated(room, actor, affiliation) : playing(room, actor, role);
  return xml("query", { xmlns: MUC_ADMIN }, ...list);
}

function affiliated(room: Room, actor: Actor, affiliation: string | undefined): Element[] {
  if (!isAffiliation(affiliation)) throw stanzaError("bad-request", "There is no such affiliation.");
  if (!room.mayList(actor, affiliation)) throw stanzaError("forbidden", "You may not see this list.");
  return room.affiliations
    .list(affiliation)
    .filter(() => affiliation !== "none")
    .map(({ jid, nick, reason }) =>
      xml("item", { affiliation, jid: jid.toString(), nick: nick || undefined }, reason && xml("reason", {}, reason)),
    );
}

function playing(room: Room, actor: Actor, role: string): Element[] {
  if (!ROLES.includes(role as Role)) throw stanzaError("bad-request", "There is no such role.");
  // §9.8: moderators are the affair of administrators; §8.5: voice that of moderators.
  if (role === "moderator" ? !isAdmin(actor) : actor.role !== "moderator" && !isAdmin(actor))
    throw stanzaError("forbidden", "You may not see this list.");
  return [...room.occupants]
    .filter((occupant) => occupant.role === role)
    .map(({ nick, jid, sessions }) =>
      xml("item", { nick, role, affiliation: room.affiliation(jid), jid: sessions[0]?.jid.toString() }),
    );
}

/** All of it or nothing (§9.2): every change is judged before the first is made. */
function set(room: Room, iq: Stanza): undefined {
  const items = iq.payload.getChildren("item", MUC_ADMIN);
  if (items.length === 0 || items.length > MOST) throw stanzaError("bad-request", "Say what is to change.");
  const actor = actorOf(room, iq);
  const changes = items.map((item) => judge(room, actor, item));
  checkOwners(room, items);
  for (const change of changes) change.apply();
}

function judge(room: Room, actor: Actor, item: Element): Change {
  const { affiliation, role, nick, jid } = item.attrs;
  const reason = item.getChildText("reason", MUC_ADMIN) ?? "";
  // §17.4
  if ((affiliation === undefined) === (role === undefined))
    throw stanzaError("bad-request", "An item changes a role or an affiliation.");
  if (role !== undefined) return judgeRole(room, actor, nick, role, reason);
  if (!isAffiliation(affiliation)) throw stanzaError("bad-request", "There is no such affiliation.");
  return judgeAffiliation(room, actor, whom(room, jid, nick), affiliation, nick, jid !== undefined, reason);
}

/** By address, as it should be; some clients know only the nick. */
function whom(room: Room, jid: string | undefined, nick: string | undefined): Jid {
  if (jid !== undefined) {
    const parsed = Jid.tryParse(jid);
    if (!parsed) throw stanzaError("jid-malformed", "This is no address.");
    return parsed.bare;
  }
  const occupant = room.occupants.get(nick ?? "");
  if (!occupant) throw stanzaError(nick === undefined ? "bad-request" : "item-not-found", "Whom do you mean?");
  return occupant.jid;
}

function judgeRole(room: Room, actor: Actor, nick: string | undefined, role: string, reason: string): Change {
  if (actor.role !== "moderator" && !isAdmin(actor)) throw stanzaError("forbidden", "Only moderators may do this.");
  if (role !== "none" && !ROLES.includes(role as Role)) throw stanzaError("bad-request", "There is no such role.");
  const occupant = room.occupants.get(nick ?? "");
  if (!occupant) throw stanzaError(nick === undefined ? "bad-request" : "item-not-found", "Nobody here has this nick.");
  const theirs = rank(room.affiliation(occupant.jid));
  const ours = rank(actor.affiliation);
  const refuse = (text: string) => stanzaError("not-allowed", text);
  if (role === "none") {
    if (occupant.jid.equals(actor.jid)) throw stanzaError("conflict", "To leave, just leave."); // §8.2
    if (theirs > ours) throw refuse("They stand above you.");
    if (occupant.role === "moderator" && !isAdmin(actor)) throw refuse("Only administrators send moderators out.");
  } else if (role === "moderator") {
    if (!isAdmin(actor)) throw stanzaError("forbidden", "Only administrators make moderators."); // §9.6
  } else if (role !== occupant.role) {
    // §8.4, §9.7: what administrators and owners may do nobody takes from them.
    if (theirs >= rank("admin")) throw refuse("Administrators and owners are always moderators.");
    if (occupant.role === "moderator" && !isAdmin(actor)) throw refuse("Only administrators unmake moderators.");
    // §8.4: nor a member's voice another member; without any affiliation there is no level to compare.
    if (role === "visitor" && theirs >= ours && theirs > rank("none")) throw refuse("They do not stand below you.");
  }
  const by = actor.nick;
  return {
    apply: () => {
      if (role === "none") kick(room, occupant, by, reason);
      else room.play(occupant, role as Role, by, reason);
    },
  };
}

function kick(room: Room, occupant: Occupant, actor: string | undefined, reason: string): void {
  room.fire("role:set", { occupant, role: "none" });
  room.remove(occupant, { codes: [307], actor, reason });
}

function judgeAffiliation(
  room: Room,
  actor: Actor,
  jid: Jid,
  affiliation: Affiliation,
  nick: string | undefined,
  byJid: boolean,
  reason: string,
): Change {
  if (!isAdmin(actor)) throw stanzaError("forbidden", "Only administrators may do this.");
  const before = room.affiliation(jid);
  const self = jid.equals(actor.jid);
  if (affiliation === "outcast" && self) throw stanzaError("conflict", "You cannot ban yourself."); // §9.1
  if (actor.affiliation !== "owner") {
    if (rank(affiliation) >= rank("admin") && affiliation !== before)
      throw stanzaError("forbidden", "Only owners appoint administrators and owners."); // §10.3–10.8
    // One may step down, but from where one stands nobody of the same rank is moved.
    if (rank(before) >= rank("admin") && !self && affiliation !== before)
      throw stanzaError("not-allowed", "Only owners may do this to administrators and owners.");
  }
  // security.md F9: no owner is thrown out at a stroke, by whomever.
  if (before === "owner" && affiliation === "outcast") throw stanzaError("not-allowed", "An owner cannot be banned.");
  if (jid.local === "" && affiliation !== "outcast" && affiliation !== "none")
    throw stanzaError("not-allowed", "A whole domain can only be banned.");
  const reserved = byJid ? nick : undefined;
  if (reserved) {
    const keeper = room.affiliations.reserved(reserved, nickKey);
    if (keeper && !keeper.jid.equals(jid)) throw stanzaError("conflict", "This nick is kept for somebody else.");
  }
  return {
    apply: () =>
      room.affiliate(jid, affiliation, {
        actor: actor.nick,
        reason,
        ...(reserved !== undefined && { nick: reserved }),
      }),
  };
}

/** §10.4: a room without an owner would be nobody's. */
function checkOwners(room: Room, items: readonly Element[]): void {
  const owners = new Set(room.affiliations.list("owner").map(({ jid }) => jid.toString()));
  if (owners.size === 0) return;
  for (const { attrs } of items) {
    const jid = attrs.affiliation === undefined ? undefined : whom(room, attrs.jid, attrs.nick).toString();
    if (jid === undefined) continue;
    if (attrs.affiliation === "owner") owners.add(jid);
    else owners.delete(jid);
  }
  if (owners.size === 0) throw stanzaError("conflict", "A room has at least one owner.");
}

export const administration: Feature = {
  name: "administration",
  implements: [{ id: "XEP-0045", note: "§8 moderators, §9 administrators" }],
  handles: [room.iq("get", MUC_ADMIN, "query", get), room.iq("set", MUC_ADMIN, "query", set)],
};
