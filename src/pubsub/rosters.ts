/** XEP-0060 §4.5: the rosters of those who made nodes, where these decide who may see them — https://xmpp.org/extensions/xep-0060.html#accessmodels */
import type { Post, Sight } from "../kernel/post.ts";
import type { Jid } from "../protocol/jid.ts";
import type { Relation } from "./service.ts";

/** A request that cannot be judged before an account has told a node who is in its roster. */
export class Unseen extends Error {
  readonly node: string;
  /** Bare JID. */
  readonly owner: string;

  constructor(node: string, owner: string) {
    super("A roster has not been seen yet.");
    this.node = node;
    this.owner = owner;
  }
}

const STRANGER: Relation = { sees: false, groups: [] };

/**
 * What accounts have told nodes of this object of their rosters: a cache, since an account that is asked tells it, and tells
 * it again when it changes, for as long as the node wants to know.
 */
export class Rosters {
  readonly #post: Post;
  /** By node, each its own: the account knows which nodes it has told. */
  readonly #known = new Map<string, ReadonlyMap<string, Relation>>();

  constructor(post: Post) {
    this.#post = post;
  }

  /** How somebody stands to a node's owner. @throws {Unseen} */
  relation(node: string, owner: string, jid: Jid): Relation {
    const roster = this.#known.get(node);
    if (!roster) throw new Unseen(node, owner);
    return roster.get(jid.bare.toString()) ?? STRANGER;
  }

  /** Asks for what was missing. `failed` runs when the account cannot be reached. */
  ask({ node, owner }: Unseen, failed: () => void = () => {}): void {
    this.#post.watch(node, "roster", [owner], (error) => error && failed());
  }

  put(node: string, roster: NonNullable<Sight["roster"]>): void {
    this.#known.set(node, new Map(roster.map(([jid, sees, groups]) => [jid, { sees, groups }])));
  }

  drop(node: string): void {
    this.#known.delete(node);
  }
}
