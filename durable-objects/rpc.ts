/** The interfaces between objects and for the edge: plain data only, errors included. */
import type { AccountCalls, StreamCalls } from "../src/gate/calls.ts";
import type { Secrets } from "../src/kernel/entity.ts";
import type { EntityCalls } from "../src/kernel/post.ts";
import type { RoomDirectory } from "../src/muc/listing.ts";
import type { RoomFacts, RoomRequest } from "../src/muc/rooms.ts";

export type GateRpc = StreamCalls;

export interface UserRpc extends AccountCalls, EntityCalls {
  /** Makes the account if there is none. */
  setPassword(jid: string, password: string): Promise<{ ok: true; created: boolean } | { error: string }>;
  removeAccount(jid: string): Promise<{ ok: true } | { error: string }>;
  /** What is known of an account; null when there is none. */
  account(jid: string): Promise<{ jid: string } | null>;
}

export interface RoomRpc extends EntityCalls {
  /** What is known of a room; null when there is none. */
  room(jid: string): Promise<RoomFacts | null>;
  /** Makes a room, or changes the settings of one. */
  putRoom(jid: string, request: RoomRequest): Promise<{ ok: true; created: boolean }>;
  /** Makes somebody owner, admin, member or outcast of a room, or none of these. */
  affiliate(jid: string, whom: string, affiliation: string): Promise<{ ok: true } | { error: string }>;
  removeRoom(jid: string, reason?: string): Promise<{ ok: true } | { error: string }>;
}

export interface DirectoryRpc extends RoomDirectory {
  /** The keys of this deployment, made when first asked for. */
  secrets(): Promise<Secrets>;
  /** Local parts in order, after the one given. */
  accounts(after?: string, limit?: number): Promise<string[]>;
  listed(jid: string, there: boolean): Promise<void>;
  /** A token for one registration (XEP-0445), good for a week; and its use. */
  invite(): Promise<{ token: string; expires: number }>;
  redeem(token: string): Promise<boolean>;
}
