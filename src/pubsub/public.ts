/** XEP-0060: the nodes that one object holds of the pubsub host, each in its own or a share of all of them. */
import { Entity, type HostObject } from "../kernel/entity.ts";
import { handlersAt } from "../kernel/feature.ts";
import type { NodeNotice, Sight } from "../kernel/post.ts";
import { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type AccessModel, PUBLIC } from "./config.ts";
import { pubsubError } from "./errors.ts";
import { type Node, Nodes } from "./nodes.ts";
import { ended, type Show } from "./options.ts";
import { Rosters, Unseen } from "./rosters.ts";
import type { Change, Relation, Service } from "./service.ts";
import { recheck } from "./subscribe.ts";
import { depart } from "./temporary.ts";

/** Every object holds nodes of one service only. */
const OWNER = 1;

/** After that long without an answer the service is told again. */
const AGAIN_MS = 30_000;

export class PublicNodes extends Entity implements Service {
  readonly place = "node" as const;
  readonly personal = false;
  #nodes: Nodes | undefined;
  readonly #after: (() => void)[] = [];
  readonly rosters: Rosters;

  constructor(object: HostObject) {
    super(object, Jid.parse(object.settings.pubsubDomain), OWNER);
    this.rosters = new Rosters(object.post);
  }

  get nodes(): Nodes {
    this.#nodes ??= new Nodes(this.sql, OWNER, PUBLIC);
    return this.#nodes;
  }

  /** What is in memory may be ahead of rows that were undone. */
  forget(): void {
    this.#nodes = undefined;
    this.#after.length = 0;
  }

  inherent(): undefined {
    return undefined;
  }

  /** @throws {Unseen} when the roster that decides is not here yet */
  relation(node: Node, jid: Jid): Relation {
    const owner = rosterOwner(node);
    return owner === undefined ? { sees: false, groups: [] } : this.rosters.relation(node.name, owner, jid);
  }

  checkAccess(node: Node, access: AccessModel): void {
    if (isByRoster(access) && rosterOwner(node) === undefined)
      throw pubsubError("unsupported-access-model", "Who made the node does not own it any more.");
  }

  sees({ domain }: Jid): boolean {
    return domain === this.settings.domain;
  }

  watch({ name }: Node, jids: readonly string[]): void {
    this.object.post.watch(name, "leaving", jids);
  }

  /** An account tells what a node wanted to know of it. */
  heard({ seen: name, of, roster }: Sight): void {
    const node = this.nodes.get(name);
    if (!roster) {
      if (node) depart(this, node, of);
      return;
    }
    if (node && isByRoster(node.config.access) && rosterOwner(node) === of) {
      this.rosters.put(name, roster);
      this.after(() => recheck(this, node));
    } else {
      this.rosters.drop(name);
      this.object.post.watch(name, "nothing", [of]);
    }
  }

  missing(): void {}
  checkRoom(): void {}

  cast(message: Stanza, to: readonly string[], shows?: readonly Show[]): void {
    this.object.post.cast(message, to, shows && { shows });
  }

  /** Nobody gets what it did not subscribe to. */
  implicit(): void {}

  after(run: () => void): void {
    this.#after.push(run);
  }

  finish(): void {
    while (this.#after.length > 0)
      for (const run of this.#after.splice(0))
        try {
          run();
        } catch (error) {
          // It is done again when the roster is here.
          if (!(error instanceof Unseen)) throw error;
          this.rosters.ask(error);
        }
  }

  /** The service lists its nodes, and everybody's part in them. */
  changed({ node, member, deleted, published, retracted, purged }: Change): void {
    if (!published && !retracted && !purged) this.#list(node.name, deleted ? undefined : node, member);
  }

  /** Tells the service what is to be known of a node; again, should this object be lost before the service knows it. */
  #list(name: string, node: Node | undefined, member: string | undefined): void {
    const facts = node ? { creator: node.creator, title: node.config.title, access: node.config.access } : null;
    const members = node && member !== undefined ? [this.#memberOf(node, Jid.parse(member).bare.toString())] : [];
    const due: Unlisted = { name, ...(member !== undefined && { member }) };
    const key = JSON.stringify(due);
    let same: boolean | undefined;
    same = this.object.post.list({ listed: name, facts, members }, (error) => {
      if (same === false && !error) this.cancel("list", key);
    });
    if (!same) this.wake("list", this.now + AGAIN_MS, due, key);
  }

  #memberOf(node: Node, jid: string): NodeNotice["members"][number] {
    const own = [...node.subscriptions.values()].filter((subscription) => {
      const { jid: address } = subscription;
      return (address === jid || address.startsWith(`${jid}/`)) && !ended(subscription, this.now);
    });
    const subscriptions = own.map(({ jid, subid, state }): [string, string, string] => [jid, subid, state]);
    return { jid, affiliation: node.affiliations.get(jid) ?? "none", subscriptions };
  }

  /** What the service may not have heard is said again. */
  relist({ name, member }: Unlisted): void {
    this.#list(name, this.nodes.get(name), member);
  }
}

const isByRoster = (access: AccessModel): boolean => access === "presence" || access === "roster";

/**
 * Whose roster decides: that of the account which made the node, while it owns it. Others are made owners without being
 * asked, and who is in which of their groups is nobody's business.
 */
const rosterOwner = ({ creator, affiliations }: Node): string | undefined =>
  affiliations.get(creator) === "owner" ? creator : undefined;

/** What the service is to know of a node. */
export interface Unlisted {
  name: string;
  member?: string;
}

/** Handlers of what is sent to a node of the pubsub host. */
export const node = handlersAt<PublicNodes, Record<never, never>>("node");
