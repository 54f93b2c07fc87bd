/** What the engine knows of the place whose nodes it keeps: an account's own service (XEP-0163), or the pubsub host (XEP-0060). */
import type { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { AccessModel } from "./config.ts";
import type { Affiliation, Node, Nodes } from "./nodes.ts";
import type { Show } from "./options.ts";

/** How an entity stands to one whose roster decides. */
export interface Relation {
  /** It may see its presence. */
  sees: boolean;
  groups: readonly string[];
}

/** What has happened at a node: for whoever keeps something elsewhere that follows from it. */
export interface Change {
  node: Node;
  published?: readonly { id: string; payload: string }[];
  retracted?: readonly string[];
  purged?: true;
  deleted?: true;
  /** Whose subscription or affiliation has changed, bare or full. */
  member?: string;
}

export interface Service {
  readonly jid: Jid;
  /** Belongs to one account, whose presence says who may see what. */
  readonly personal: boolean;
  readonly nodes: Nodes;
  readonly settings: Settings;
  readonly now: number;
  /** An affiliation that no row says: that of the owner of a personal service. */
  inherent(jid: Jid): Affiliation | undefined;
  /** How an entity stands to the owner of a node whose roster decides. */
  relation(node: Node, jid: Jid): Relation;
  /** Refuses an access model that cannot be judged at a node. */
  checkAccess(node: Node, access: AccessModel): void;
  /** Whether it is known when somebody goes off line. */
  sees(jid: Jid): boolean;
  /** Asks to be told when these addresses go off line. */
  watch(node: Node, jids: readonly string[]): void;
  /** Refuses to talk about a node that is not there with one who must not know what is. */
  missing(asker: Jid): void;
  /** Refuses to make one more node. */
  checkRoom(creator: Jid): void;
  send(stanza: Stanza): void;
  /** Sends the same message to many addresses; with `shows`, to clients only that show one of these. */
  cast(message: Stanza, to: readonly string[], shows?: readonly Show[]): void;
  /** Sends an event to those who get it without a subscription: the owner's own clients, and contacts. */
  implicit(message: Stanza, node: Node, except: readonly string[]): void;
  /** Does something once the request at hand has been answered. */
  after(run: () => void): void;
  changed(change: Change): void;
}
