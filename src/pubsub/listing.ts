/** XEP-0060 §5: what the pubsub host itself knows: which nodes there are, and who has a part in them. */
import { Entity, type HostObject } from "../kernel/entity.ts";
import { handlersAt, type Table } from "../kernel/feature.ts";
import type { NodeNotice } from "../kernel/post.ts";
import { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { PublicNodes } from "./public.ts";

/** One row for a node, one for each entity that has a part in it. */
export const INDEX_TABLES: readonly Table[] = [
  {
    name: "pubsub_listing",
    steps: [
      `CREATE TABLE pubsub_listing (
         node TEXT PRIMARY KEY, creator TEXT NOT NULL, title TEXT NOT NULL, access TEXT NOT NULL) WITHOUT ROWID`,
    ],
  },
  {
    name: "pubsub_member",
    steps: [
      `CREATE TABLE pubsub_member (
         jid TEXT NOT NULL, node TEXT NOT NULL, affiliation TEXT NOT NULL, subscriptions TEXT NOT NULL,
         PRIMARY KEY (jid, node)) WITHOUT ROWID`,
    ],
  },
];

export interface Listing {
  node: string;
  creator: string;
  title: string;
  access: string;
}

export interface Member {
  node: string;
  affiliation: string;
  subscriptions: [jid: string, subid: string, state: string][];
}

export class Index extends Entity {
  readonly place = "pubsub" as const;
  /** For requests about no node that need none. */
  readonly nodes: PublicNodes;
  /** The request at hand was handed on to a node, which answers it. */
  #passed = false;

  constructor(object: HostObject, nodes: PublicNodes) {
    super(object, Jid.parse(object.settings.pubsubDomain), 1);
    this.nodes = nodes;
  }

  /** Hands the request at hand on to a node. */
  pass(iq: Stanza, node: string): void {
    this.#passed = true;
    this.object.post.sendToNode(iq, node);
  }

  /** Whether the request that was at hand has been handed on. */
  passed(): boolean {
    const passed = this.#passed;
    this.#passed = false;
    return passed;
  }

  /** Nodes that everybody may know of, and those that this entity has a part in. */
  listings(asker: Jid, limit: number): Listing[] {
    const jid = asker.bare.toString();
    return this.sql<Listing>`SELECT node, creator, title, access FROM pubsub_listing
      WHERE access IN ('open', 'authorize') OR EXISTS
        (SELECT 1 FROM pubsub_member WHERE jid = ${jid} AND node = pubsub_listing.node AND affiliation <> 'outcast')
      ORDER BY node LIMIT ${limit}`;
  }

  memberships(asker: Jid): Member[] {
    const rows = this.sql<Omit<Member, "subscriptions"> & { subscriptions: string }>`
      SELECT node, affiliation, subscriptions FROM pubsub_member WHERE jid = ${asker.bare.toString()} ORDER BY node`;
    return rows.map((row) => ({ ...row, subscriptions: JSON.parse(row.subscriptions) }));
  }

  count(creator: Jid): number {
    return (
      this.sql<{ n: number }>`SELECT count(*) AS n FROM pubsub_listing WHERE creator = ${creator.bare.toString()}`[0]
        ?.n ?? 0
    );
  }

  /** A node tells what has become of it. */
  note({ listed, facts, members }: NodeNotice): void {
    const { sql } = this;
    if (!facts) {
      sql`DELETE FROM pubsub_listing WHERE node = ${listed}`;
      sql`DELETE FROM pubsub_member WHERE node = ${listed}`;
      return;
    }
    const { creator, title, access } = facts;
    const [old] = sql<Listing>`SELECT node, creator, title, access FROM pubsub_listing WHERE node = ${listed}`;
    if (old?.creator !== creator || old.title !== title || old.access !== access)
      sql`INSERT OR REPLACE INTO pubsub_listing VALUES (${listed}, ${creator}, ${title}, ${access})`;
    for (const { jid, affiliation, subscriptions } of members)
      if (affiliation === "none" && subscriptions.length === 0)
        sql`DELETE FROM pubsub_member WHERE jid = ${jid} AND node = ${listed}`;
      else
        sql`INSERT OR REPLACE INTO pubsub_member VALUES (${jid}, ${listed}, ${affiliation}, ${JSON.stringify(subscriptions)})`;
  }
}

/** Handlers of what is sent to the pubsub host itself. */
export const service = handlersAt<Index, Record<never, never>>("pubsub");
