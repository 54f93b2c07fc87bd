/** What the operator of the server does in a room, from outside it: nobody here has to be its owner. For the REST API. */
import type { Archive } from "../archive/archive.ts";
import { noteAdded } from "../archive/retention.ts";
import { RETRACT } from "../archive/retraction.ts";
import { type Archived, MAX_ID, timeOf } from "../archive/row.ts";
import { once } from "../kernel/once.ts";
import { formatDateTime } from "../protocol/datetime.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { CLIENT, OCCUPANT_ID } from "../protocol/ns.ts";
import { stanza as newStanza } from "../protocol/stanza.ts";
import { xml } from "../xml/element.ts";
import { readFragment } from "../xml/reader.ts";
import { type Affiliation, isAffiliation } from "./affiliations.ts";
import { nickKey, type Role } from "./occupants.ts";
import type { Room } from "./room.ts";

export interface OccupantFacts {
  nick: string;
  /** The real bare address. */
  jid: string;
  role: Role;
  affiliation: Affiliation;
  /** Clients that share the nick. */
  clients: number;
}

export interface AffiliationFacts {
  jid: string;
  affiliation: Affiliation;
  /** The nick that is reserved for them. */
  nick?: string;
  reason?: string;
}

export interface MessageFacts {
  /** XEP-0359: the stanza-id that the room gave it. */
  id: string;
  at: string;
  /** Absent: the room itself has said it. */
  nick?: string;
  /** The author's real bare address. */
  jid?: string;
  body?: string;
  subject?: string;
  /** It was taken back: this is its tombstone. */
  retracted?: true;
}

/** Something to be said. Without `jid` the room or the operator says it, under `nick` or as the room itself. */
export interface Utterance {
  body: string;
  jid?: string;
  nick?: string;
  /** Under which a repeat is no second message. */
  key?: string;
}

/** A page of messages; both cursors are ids and exclusive. */
export interface Range {
  before?: string;
  after?: string;
  limit: number;
}

export function occupants(room: Room): OccupantFacts[] {
  return [...room.occupants].map(({ nick, jid, role, sessions }) => ({
    nick,
    jid: jid.toString(),
    role,
    affiliation: room.affiliation(jid),
    clients: sessions.length,
  }));
}

export function affiliations(room: Room): AffiliationFacts[] {
  return (room.affiliations.since(undefined) ?? []).map(({ jid, affiliation, nick, reason }) => ({
    jid: jid.toString(),
    affiliation,
    ...(nick && { nick }),
    ...(reason && { reason }),
  }));
}

export function affiliate(room: Room, whom: string, affiliation: string, reason = ""): void {
  const jid = Jid.tryParse(whom)?.bare;
  if (!jid || !isAffiliation(affiliation)) throw stanzaError("bad-request", "This is no address, or no affiliation.");
  if (jid.local === "" && affiliation !== "outcast" && affiliation !== "none")
    throw stanzaError("not-allowed", "A whole domain can only be banned.");
  room.affiliate(jid, affiliation, { reason });
}

/** What a web app's token says of its user. It lifts no ban, and takes nobody's last owner away. */
export function vouch(room: Room, whom: string, affiliation: Affiliation): void {
  const jid = Jid.parse(whom);
  const before = room.affiliation(jid);
  if (before === "outcast" || (before === "owner" && room.affiliations.list("owner").length === 1)) return;
  room.affiliate(jid, affiliation);
}

/** §8.2 */
export function kick(room: Room, nick: string, reason = ""): void {
  const occupant = room.occupants.like(nick);
  if (!occupant) throw stanzaError("item-not-found", "Nobody here has this nick.");
  room.fire("role:set", { occupant, role: "none" });
  room.remove(occupant, { codes: [307], reason });
}

/** §9.1: by nick or by address. A guest is banned by where they come from, so while they are here. */
export function ban(room: Room, { nick, jid }: { nick?: string; jid?: string }, reason = ""): AffiliationFacts {
  const occupant = nick === undefined ? undefined : room.occupants.like(nick);
  const whom = occupant?.jid.toString() ?? jid;
  if (whom === undefined) throw stanzaError("item-not-found", "Nobody here has this nick.");
  affiliate(room, whom, "outcast", reason);
  return { jid: whom, affiliation: "outcast", ...(reason && { reason }) };
}

/** @returns the id of the message in the archive; absent where the room keeps none */
export function say(room: Room, { key, ...utterance }: Utterance): { id?: string } {
  return once(room.sql, room.id, key, utterance, () => speak(room, utterance));
}

function speak(room: Room, { body, jid, nick }: Utterance): { id?: string } {
  const author = jid === undefined ? undefined : Jid.parse(jid).bare;
  if (author && room.affiliation(author) === "outcast")
    throw stanzaError("forbidden", "They are banned from this room.");
  const name = author ? nameOf(room, author, nick) : nick;
  if (name !== undefined) checkNick(room, name, author);
  const from = name === undefined ? room.jid : room.jid.with(name);
  const id = author && xml("occupant-id", { xmlns: OCCUPANT_ID, id: room.occupantId(author) });
  const message = newStanza("message", { type: "groupchat", id: crypto.randomUUID(), from }, xml("body", {}, body), id);
  if (!room.logs) {
    room.broadcast(message);
    return {};
  }
  const archived = author ? message.with({ to: author }) : message;
  const mark = room.archive.add({ peer: author ?? room.jid, outgoing: true, hidden: false, stanza: archived });
  noteAdded(room);
  room.say(message, mark);
  return { id: room.archive.uid(mark) };
}

/** The nick by which a user is known here. */
function nameOf(room: Room, author: Jid, nick: string | undefined): string {
  return room.occupants.of(author)[0]?.nick ?? (room.affiliations.nick(author) || (nick ?? author.local));
}

/** Nobody is spoken for who is here, or whose nick it is. */
function checkNick(room: Room, nick: string, author: Jid | undefined): void {
  if (!Jid.tryParse(`${room.jid}/${nick}`)?.full) throw stanzaError("bad-request", "This cannot be a nick.");
  const holder = room.occupants.like(nick)?.jid ?? room.affiliations.reserved(nick, nickKey)?.jid;
  if (holder && !(author && holder.equals(author))) throw stanzaError("conflict", "This nick is somebody else's.");
}

/** Oldest first: the newest page, the one before a message, or the one after it. */
export function messages(room: Room, { before, after, limit }: Range): MessageFacts[] {
  const { archive } = room;
  const rows =
    after === undefined
      ? archive.newest(limit, 0, before === undefined ? MAX_ID : cursor(archive, before))
      : archive.sent(cursor(archive, after), limit);
  return rows.map((row) => factsOf(row, archive.uid(row.id)));
}

function cursor(archive: Archive, uid: string): number {
  const id = archive.position(uid);
  if (id === undefined) throw stanzaError("bad-request", "before and after are ids of messages.");
  return id;
}

function factsOf({ id, sender, peer, receiver, inner }: Archived, uid: string): MessageFacts {
  const { resource } = Jid.parse(sender);
  const facts: MessageFacts = { id: uid, at: formatDateTime(timeOf(id)) };
  if (resource) facts.nick = resource;
  // What the room itself has said has no author.
  if (receiver) facts.jid = peer;
  for (const child of inner ? readFragment(inner, CLIENT) : []) {
    const { name, attrs } = child;
    if (name === "retracted" && attrs.xmlns === RETRACT) facts.retracted = true;
    else if ((name === "body" || name === "subject") && attrs.xmlns === CLIENT) facts[name] ??= child.getText();
  }
  return facts;
}

/** XEP-0425: takes a message back, whoever said it. */
export function retract(room: Room, uid: string, reason = ""): void {
  if (room.fire("message:retract", { uid, reason }) !== "handled")
    throw stanzaError("item-not-found", "There is no such message in the archive.");
}
