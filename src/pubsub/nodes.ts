/** XEP-0060 §4: the nodes of one service, in rows and, once read, in memory — https://xmpp.org/extensions/xep-0060.html#preliminaries */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Config, Schema } from "./config.ts";
import { Items } from "./items.ts";
import { isPlain, type Options } from "./options.ts";

export type Affiliation = "owner" | "publisher" | "publish-only" | "member" | "none" | "outcast";

/** §4.2. No subscription of ours waits for being configured. */
export interface Subscription {
  /** The address that events go to, bare or full. */
  readonly jid: string;
  readonly subid: string;
  state: "subscribed" | "pending";
  options: Partial<Options>;
}

/** Subscriptions by what has to be asked before they are told of an event. */
export interface Audience {
  all: string[];
  choosy: Subscription[];
}

/** One row for an item, one for a subscription, one for an affiliation; `owner` is the entity whose nodes they are. */
export const PUBSUB_TABLES: readonly Table[] = [
  {
    name: "pubsub_node",
    steps: [
      `CREATE TABLE pubsub_node (
         owner INTEGER NOT NULL, name TEXT NOT NULL, config TEXT NOT NULL, creator TEXT NOT NULL, created INTEGER NOT NULL,
         redirect TEXT, PRIMARY KEY (owner, name)) WITHOUT ROWID`,
    ],
  },
  {
    name: "pubsub_item",
    steps: [
      `CREATE TABLE pubsub_item (
         owner INTEGER NOT NULL, node TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
         publisher TEXT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (owner, node, id)) WITHOUT ROWID`,
    ],
  },
  {
    name: "pubsub_subscription",
    steps: [
      `CREATE TABLE pubsub_subscription (
         owner INTEGER NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, subid TEXT NOT NULL, state TEXT NOT NULL,
         options TEXT NOT NULL, PRIMARY KEY (owner, node, jid)) WITHOUT ROWID`,
    ],
  },
  {
    name: "pubsub_affiliation",
    steps: [
      `CREATE TABLE pubsub_affiliation (
         owner INTEGER NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL,
         PRIMARY KEY (owner, node, jid)) WITHOUT ROWID`,
    ],
  },
];

interface Row {
  name: string;
  config: string;
  creator: string;
  created: number;
  redirect: string | null;
}

export class Node {
  readonly name: string;
  /** Bare JID. */
  readonly creator: string;
  readonly created: number;
  readonly #sql: Sql;
  readonly #owner: number;
  #config: Config;
  #items: Items | undefined;
  #subscriptions: Map<string, Subscription> | undefined;
  #affiliations: Map<string, Affiliation> | undefined;
  #audience: Audience | undefined;

  constructor(sql: Sql, owner: number, row: Omit<Row, "config" | "redirect">, config: Config) {
    this.#sql = sql;
    this.#owner = owner;
    this.name = row.name;
    this.creator = row.creator;
    this.created = row.created;
    this.#config = config;
  }

  get config(): Config {
    return this.#config;
  }

  get items(): Items {
    this.#items ??= new Items(this.#sql, this.#owner, this.name);
    return this.#items;
  }

  /** By the subscribed JID. */
  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subs();
  }

  /** Who is told of every event, and who has chosen something or waits. The lists are new ones when a subscription changes. */
  get audience(): Audience {
    if (this.#audience) return this.#audience;
    const audience: Audience = { all: [], choosy: [] };
    for (const subscription of this.subscriptions.values())
      if (subscription.state === "subscribed" && isPlain(subscription)) audience.all.push(subscription.jid);
      else audience.choosy.push(subscription);
    this.#audience = audience;
    return audience;
  }

  #subs(): Map<string, Subscription> {
    this.#subscriptions ??= new Map(
      this.#sql<{ jid: string; subid: string; state: Subscription["state"]; options: string }>`
        SELECT jid, subid, state, options FROM pubsub_subscription WHERE owner = ${this.#owner} AND node = ${this.name}`.map(
        (row) => [row.jid, { ...row, options: JSON.parse(row.options) }],
      ),
    );
    return this.#subscriptions;
  }

  /** By bare JID; who has none is not in it. */
  get affiliations(): ReadonlyMap<string, Affiliation> {
    return this.#affs();
  }

  #affs(): Map<string, Affiliation> {
    this.#affiliations ??= new Map(
      this.#sql<{ jid: string; affiliation: Affiliation }>`SELECT jid, affiliation FROM pubsub_affiliation
        WHERE owner = ${this.#owner} AND node = ${this.name}`.map(({ jid, affiliation }) => [jid, affiliation]),
    );
    return this.#affiliations;
  }

  subscribe(subscription: Subscription): void {
    const { jid, subid, state, options } = subscription;
    this.#subs().set(jid, subscription);
    this.#audience = undefined;
    this
      .#sql`INSERT OR REPLACE INTO pubsub_subscription VALUES (${this.#owner}, ${this.name}, ${jid}, ${subid}, ${state},
      ${JSON.stringify(options)})`;
  }

  unsubscribe(jid: string): void {
    this.#subs().delete(jid);
    this.#audience = undefined;
    this.#sql`DELETE FROM pubsub_subscription WHERE owner = ${this.#owner} AND node = ${this.name} AND jid = ${jid}`;
  }

  affiliate(jid: string, affiliation: Affiliation): void {
    if (affiliation === "none") {
      this.#affs().delete(jid);
      this.#sql`DELETE FROM pubsub_affiliation WHERE owner = ${this.#owner} AND node = ${this.name} AND jid = ${jid}`;
    } else {
      this.#affs().set(jid, affiliation);
      this
        .#sql`INSERT OR REPLACE INTO pubsub_affiliation VALUES (${this.#owner}, ${this.name}, ${jid}, ${affiliation})`;
    }
  }

  configure(config: Config): void {
    this.#config = config;
    this
      .#sql`UPDATE pubsub_node SET config = ${JSON.stringify(config)} WHERE owner = ${this.#owner} AND name = ${this.name}`;
  }
}

export class Nodes {
  readonly schema: Schema;
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #all = new Map<string, Node>();
  /** Where deleted nodes have moved to (§8.4.1). */
  readonly #redirects = new Map<string, string>();

  constructor(sql: Sql, owner: number, schema: Schema) {
    this.schema = schema;
    this.#sql = sql;
    this.#owner = owner;
    for (const row of sql<Row>`SELECT name, config, creator, created, redirect FROM pubsub_node WHERE owner = ${owner}`)
      if (row.redirect !== null) this.#redirects.set(row.name, row.redirect);
      else this.#all.set(row.name, new Node(sql, owner, row, { ...schema.defaults, ...JSON.parse(row.config) }));
  }

  [Symbol.iterator](): IterableIterator<Node> {
    return this.#all.values();
  }

  get size(): number {
    return this.#all.size;
  }

  get(name: string): Node | undefined {
    return this.#all.get(name);
  }

  redirect(name: string): string | undefined {
    return this.#redirects.get(name);
  }

  create(name: string, config: Config, creator: string, created: number): Node {
    const node = new Node(this.#sql, this.#owner, { name, creator, created }, config);
    this.#redirects.delete(name);
    this.#all.set(name, node);
    this.#sql`INSERT OR REPLACE INTO pubsub_node VALUES (${this.#owner}, ${name}, ${JSON.stringify(config)}, ${creator},
      ${created}, NULL)`;
    return node;
  }

  delete({ name, items }: Node, redirect?: string): void {
    items.clear();
    const [sql, owner] = [this.#sql, this.#owner];
    this.#all.delete(name);
    sql`DELETE FROM pubsub_subscription WHERE owner = ${owner} AND node = ${name}`;
    sql`DELETE FROM pubsub_affiliation WHERE owner = ${owner} AND node = ${name}`;
    if (redirect === undefined) sql`DELETE FROM pubsub_node WHERE owner = ${owner} AND name = ${name}`;
    else {
      this.#redirects.set(name, redirect);
      sql`UPDATE pubsub_node SET redirect = ${redirect} WHERE owner = ${owner} AND name = ${name}`;
    }
  }

  clear(): void {
    for (const node of [...this]) this.delete(node);
    this.#sql`DELETE FROM pubsub_node WHERE owner = ${this.#owner}`;
  }
}
