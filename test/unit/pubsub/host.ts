/** The pubsub host in memory: its objects over node:sqlite, one each or shared, and what they send to others. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { pubsub } from "../../../src/features/pubsub.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import type { HostObject } from "../../../src/kernel/entity.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { type Item, Post, type Sight, type Watch } from "../../../src/kernel/post.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import { Stanza } from "../../../src/protocol/stanza.ts";
import { INDEX_TABLES } from "../../../src/pubsub/listing.ts";
import { PUBSUB_TABLES } from "../../../src/pubsub/nodes.ts";
import { Shard } from "../../../src/pubsub/shard.ts";
import { parseSettings } from "../../../src/settings.ts";
import type { Element } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";

export class Host {
  readonly settings;
  /** What was sent, in order, by full or bare address. */
  readonly sent: { to: string; stanza: Stanza }[] = [];
  readonly failures: unknown[] = [];
  /** Items for other objects: calls are at most that many. */
  items = 0;
  /** Which presence some stanzas were meant for. */
  readonly shows: (readonly string[])[] = [];
  /** The service hears nothing of its nodes. */
  deaf = false;
  /** What nodes have asked accounts to tell. */
  readonly watches: Watch[] = [];
  /** Accounts cannot be asked. */
  blind = false;
  readonly #shards = new Map<string, Shard>();
  readonly #objects = new Map<string, HostObject>();
  readonly #kernel = new Kernel([pubsub]);
  #ids = 0;

  constructor(env: Record<string, string> = {}) {
    this.settings = parseSettings({ XMPP_DOMAIN: "capulet.example", ...env });
  }

  shard(name: string): Shard {
    let shard = this.#shards.get(name);
    if (!shard) {
      shard = new Shard(this.#object(name));
      this.#shards.set(name, shard);
    }
    return shard;
  }

  /** How many objects there are. */
  get size(): number {
    return this.#objects.size;
  }

  #object(name: string): HostObject {
    const known = this.#objects.get(name);
    if (known) return known;
    const database = new DatabaseSync(":memory:");
    const storage: SqlStorage = {
      exec: (query, ...values) => {
        const rows = database.prepare(query).all(...(values as SQLInputValue[]));
        return { toArray: () => rows };
      },
    };
    migrate(storage, [DUE, ...PUBSUB_TABLES, ...INDEX_TABLES]);
    const object: HostObject = {
      name,
      settings: this.settings,
      secrets: { salt: "", occupant: "", dialback: "", archive: "", upload: "", address: "" },
      kernel: this.#kernel,
      sql: sqlOver(storage),
      post: this.#post({ kind: "NODE", name }),
      alarms: new Alarms(sqlOver(storage), () => {}),
      log: { warn: () => {}, error: (_message, error) => this.failures.push(error) },
      stored: () => {},
      atomically: (run) => {
        database.exec("SAVEPOINT atomic");
        try {
          const result = run();
          database.exec("RELEASE atomic");
          return result;
        } catch (error) {
          database.exec("ROLLBACK TO atomic; RELEASE atomic");
          throw error;
        }
      },
    };
    this.#objects.set(name, object);
    return object;
  }

  #post(self: { kind: "NODE" | "PEER" | "USER"; name: string }): Post {
    const post: Post = new Post({
      settings: this.settings,
      self,
      calls: (target) => ({
        receive: async (batch: Item[]) => {
          if (this.deaf && batch.some((item) => "listed" in item)) throw new Error("deaf");
          if (this.blind && batch.some((item) => "watch" in item)) throw new Error("blind");
          if (target.kind === "NODE") return this.shard(target.name).inbox.put(...batch);
          for (const item of batch) this.#takes(item);
        },
        deliver: async () => ({ gone: [], moved: [], acked: [] }),
      }),
      local: (item) => this.shard(self.name).inbox.put(item),
      log: { warn() {}, error() {} },
    });
    return post;
  }

  #takes(item: Item): void {
    this.items++;
    if ("watch" in item) this.watches.push(item);
    if (!("e" in item)) return;
    if (item.shows) this.shows.push(item.shows);
    const stanza = Stanza.open(item.e);
    for (const to of item.each ?? [item.e.to]) this.sent.push({ to, stanza: stanza.with({ to: Jid.parse(to) }) });
  }

  /** Somebody sends something to the host. */
  async sends(from: string, text: string): Promise<void> {
    const element = read(text.replace(/^<(\w+)/, '<$1 xmlns="jabber:client"'));
    const stanza = Stanza.read(element, Jid.parse(from), Jid.parse(this.settings.pubsubDomain));
    this.#post({ kind: "PEER", name: "test" }).send(stanza);
    await this.settled();
  }

  /** An account tells a node what it has asked for. */
  async sees(sight: Sight): Promise<void> {
    this.#post({ kind: "USER", name: "test" }).sight(sight);
    await this.settled();
  }

  async asks(from: string, type: "get" | "set", payload: string): Promise<Element> {
    const id = `q${++this.#ids}`;
    await this.sends(from, `<iq type="${type}" id="${id}">${payload}</iq>`);
    const at = this.sent.findIndex(({ stanza }) => stanza.kind === "iq" && stanza.id === id);
    const [answer] = at < 0 ? [] : this.sent.splice(at, 1);
    if (!answer) throw new Error(`no answer to ${payload}`);
    return read(answer.stanza.text());
  }

  /** What somebody has got since the last time. */
  takes(to: string): Element[] {
    const got = this.sent.filter((one) => one.to === to);
    for (const one of got) this.sent.splice(this.sent.indexOf(one), 1);
    return got.map(({ stanza }) => read(stanza.text()));
  }

  /** Everything in memory is forgotten. */
  evict(): void {
    this.#shards.clear();
  }

  /** Everything that is due is done. */
  async later(): Promise<void> {
    const now = Date.now();
    const clock = Date.now;
    Date.now = () => now + 86_400_000;
    for (const name of this.#objects.keys()) this.shard(name).alarm();
    Date.now = clock;
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const [failure] = this.failures.splice(0);
    if (failure) throw failure;
  }
}
