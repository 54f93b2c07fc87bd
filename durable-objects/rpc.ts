/** The interfaces between objects and for the edge: plain data only, errors included. */
import type { AccountFacts, Note, SessionFacts } from "../src/account/operator.ts";
import type { AccountCalls, StreamCalls } from "../src/gate/calls.ts";
import type { Secrets } from "../src/kernel/entity.ts";
import type { Outcome } from "../src/kernel/outcome.ts";
import type { EntityCalls } from "../src/kernel/post.ts";
import type { Affiliation } from "../src/muc/affiliations.ts";
import type { Listing, RoomDirectory } from "../src/muc/listing.ts";
import type { AffiliationFacts, MessageFacts, OccupantFacts, Range, Utterance } from "../src/muc/operator.ts";
import type { RoomFacts, RoomRequest } from "../src/muc/rooms.ts";

export type GateRpc = StreamCalls;

export interface UserRpc extends AccountCalls, EntityCalls {
  /** Makes the account if there is none; without a password, one that only tokens open. */
  putAccount(jid: string, password?: string): Promise<Outcome<{ created: boolean }>>;
  removeAccount(jid: string): Promise<Outcome<void>>;
  account(jid: string): Promise<Outcome<AccountFacts>>;
  disable(jid: string, disabled: boolean): Promise<Outcome<void>>;
  /** No token issued before is good any more. */
  revoke(jid: string): Promise<Outcome<void>>;
  sessions(jid: string): Promise<Outcome<SessionFacts[]>>;
  /** Ends one session or all. */
  endSessions(jid: string, resource?: string): Promise<Outcome<void>>;
  /** A message from the server itself. */
  tell(jid: string, note: Note): Promise<Outcome<{ id: string }>>;
  /** A message of the account's. */
  speak(jid: string, to: string, note: Note): Promise<Outcome<{ id: string }>>;
}

export interface RoomRpc extends EntityCalls {
  /** What is known of a room; null when there is none. */
  room(jid: string): Promise<RoomFacts | null>;
  /** Makes a room, or changes the settings of one. */
  putRoom(jid: string, request: RoomRequest): Promise<Outcome<{ created: boolean }>>;
  removeRoom(jid: string, reason?: string): Promise<Outcome<void>>;
  affiliations(jid: string): Promise<Outcome<AffiliationFacts[]>>;
  /** Makes somebody owner, admin, member or outcast of a room, or none of these. */
  affiliate(jid: string, whom: string, affiliation: string, reason?: string): Promise<Outcome<void>>;
  /** The same at a login by a token that says so. */
  vouch(jid: string, whom: string, affiliation: Affiliation): Promise<Outcome<void>>;
  occupants(jid: string): Promise<Outcome<OccupantFacts[]>>;
  kick(jid: string, nick: string, reason?: string): Promise<Outcome<void>>;
  ban(jid: string, whom: { nick?: string; jid?: string }, reason?: string): Promise<Outcome<AffiliationFacts>>;
  say(jid: string, utterance: Utterance): Promise<Outcome<{ id?: string }>>;
  messages(jid: string, range: Range): Promise<Outcome<MessageFacts[]>>;
  retract(jid: string, uid: string, reason?: string): Promise<Outcome<void>>;
}

export interface PeerRpc extends EntityCalls {
  /** The question of that id, which some bridge has asked the remote server, was answered. */
  answered(id: string): Promise<void>;
  /** The remote server has proved itself on a stream to us: it is up. */
  heard(): Promise<void>;
}

export interface DoorRpc {
  /** How many stanzas of a server's stream are in custody; undefined when there was none of that name and domain. */
  custody(name: string, domain: string): Promise<number | undefined>;
}

export interface FileRpc {
  /** The file goes, and its slot is good for nothing until a time in ms; it may never have been put. */
  forget(until: number): Promise<void>;
}

/** Keys of the REST API. */
export interface KeyCalls {
  /** In the order of their making; `created` in ms. */
  keys(): Promise<{ id: string; name: string; scopes: string[]; created: number }[]>;
  /** Undefined when there are too many. The key itself is kept nowhere. */
  makeKey(name: string, scopes: string[]): Promise<{ id: string; key: string } | undefined>;
  removeKey(id: string): Promise<boolean>;
  /** What the key of that id may do, if its SHA-256 in base64url is this. */
  scopesOf(id: string, digest: string): Promise<string[] | undefined>;
}

export interface DirectoryRpc extends RoomDirectory, KeyCalls {
  /** The keys of this deployment, made when first asked for. */
  secrets(): Promise<Secrets>;
  /** Local parts in order, after the one given. */
  accounts(after?: string, limit?: number): Promise<string[]>;
  listed(jid: string, there: boolean): Promise<void>;
  /** Every room, public or not, by address after the one given. */
  allRooms(after?: string, limit?: number): Promise<Listing[]>;
  /** A token for one registration (XEP-0445), good for a week; and its use. */
  invite(): Promise<{ token: string; expires: number }>;
  redeem(token: string): Promise<boolean>;
  /** Asks a bridge to open a link to the Peer object of that domain; false when none is on line. */
  reach(domain: string): Promise<boolean>;
}
