/** The moments of a room that its features answer, and what they are given. */
import { handlersAt, type Inquiry } from "../kernel/feature.ts";
import type { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import type { Affiliation } from "./affiliations.ts";
import type { Config } from "./config.ts";
import type { Occupant, Role, Session } from "./occupants.ts";
import type { Room } from "./room.ts";

export interface Subject {
  /** The message's children as text, and who sent it. */
  inner: string;
  text: string;
  from: string;
  at: number;
}

/** Somebody at the door. Handlers throw to refuse, and later ones see what earlier ones decided. */
export interface Entry {
  readonly stanza: Stanza;
  readonly jid: Jid;
  nick: string;
  /** `<x/>` of the join. */
  readonly x: Element;
  readonly affiliation: Affiliation;
  readonly guest: boolean;
  readonly address: string;
  role: Role;
  /** Status codes of its self-presence (§7.2.2). */
  readonly codes: Set<number>;
  /** More for `<x/>` of its self-presence, as text. */
  extra: string;
}

/** Somebody who was let in, from this stream. */
export interface Arrival extends Entry {
  readonly session: Session;
}

/** A message to everybody, on its way through the room. */
export interface Passage {
  stanza: Stanza;
  readonly occupant: Occupant;
  readonly session: Session;
  /** It may have come before (its last sender does not know). */
  readonly again: boolean;
}

/** Something sent to somebody's place in the room, by somebody else in it. */
export interface Whisper {
  readonly stanza: Stanza;
  readonly nick: string;
  readonly from: { occupant: Occupant; session: Session } | undefined;
}

export interface RoomHooks {
  /** Whether somebody may come in; who refuses, throws. */
  "join:admit": Entry;
  /** Before anybody's presence is sent to who comes in (XEP-0463). */
  "join:before": Arrival;
  /** After its own presence: history, subject. */
  "join:after": Arrival;
  /** A client has changed its presence or its nick; who refuses, throws. */
  "presence:change": Occupant;
  /** Available presence of anybody: a join, a change of nick or of what is shown (§7.2, §7.6, §7.7). */
  "presence:available": Stanza;
  /** A presence that could not be delivered. */
  "presence:error": Stanza;
  /** Every presence of an occupant: handlers add children, as text. */
  "presence:extend": { occupant: Occupant; texts: string[] };
  "occupant:entered": Occupant;
  "occupant:left": Occupant;
  /** A groupchat message of an occupant (§7.4). */
  groupchat: Passage;
  /** A message to the room itself that is not for everybody: invitations, requests (§7.8, §7.13). */
  message: Stanza;
  /** A message to one occupant (§7.5). */
  whisper: Whisper;
  /** An IQ to one occupant, or an answer to one (§17.4). */
  "iq:occupant": Whisper;
  /** disco#info of the room or a node of it: what is found is listed. */
  "disco:info": Inquiry;
  "disco:items": Inquiry;
  /** Fields of muc#roominfo. */
  "disco:fields": Record<string, string | readonly string[] | undefined>;
  "affiliation:changed": Promotion;
  /** A moderator has given somebody another role; "none": sent it out. */
  "role:set": { occupant: Occupant; role: Role };
  /** The server's operator takes a message back; "handled" when there was one. */
  "message:retract": { uid: string; reason: string };
  "config:changed": { before: Config };
  /** What the Directory says of the room has changed. */
  "room:listing": undefined;
  "room:destroyed": undefined;
}

/** Handlers at a room that exists. */
export const room = handlersAt<Room, RoomHooks>("room");

/** Somebody's affiliation has changed, or its reserved nick. */
export interface Promotion {
  jid: Jid;
  before: Affiliation;
  after: Affiliation;
  /** The version of all affiliations before it (XEP-0463). */
  since: number;
  actor?: string | undefined;
  reason?: string;
}

/** Why an occupant is out (§7.14, §8.2, §9.1, §17.3). */
export interface Removal {
  codes?: readonly number[];
  actor?: string | undefined;
  reason?: string | undefined;
  /** Children of the occupant's last presence, as text. */
  presence?: string;
  affiliation?: Affiliation;
}
