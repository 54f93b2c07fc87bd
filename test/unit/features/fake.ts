/** A site in memory: accounts in one object over node:sqlite, and clients that see what their streams are handed. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { ACCOUNT, type Account } from "../../../src/account/account.ts";
import { Accounts } from "../../../src/account/accounts.ts";
import { CONTACT } from "../../../src/account/contacts.ts";
import { Logins } from "../../../src/account/logins.ts";
import { RESOURCE } from "../../../src/account/resources.ts";
import { TOKEN, USED_TOKEN } from "../../../src/account/tokens.ts";
import { ARCHIVE } from "../../../src/archive/row.ts";
import { features } from "../../../src/features/index.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import type { HostObject } from "../../../src/kernel/entity.ts";
import { answerAtHost } from "../../../src/kernel/host.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { ONCE } from "../../../src/kernel/once.ts";
import { type Delivery, type Item, Post, type Sight } from "../../../src/kernel/post.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import { Stanza } from "../../../src/protocol/stanza.ts";
import { parseSettings } from "../../../src/settings.ts";
import type { Element } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";

const GATE = "weur:0";

/** One client. What it sends takes effect at once; `takes` returns what it has received since, as elements. */
export class Client {
  readonly jid: Jid;
  readonly sid: string;
  readonly inbox: Element[] = [];
  /** How its stream was ended, if it was. */
  end: string | undefined;
  /** The highest mark that its gate has seen. */
  newest = 0;
  readonly #site: Site;
  #ids = 0;

  constructor(site: Site, jid: Jid, sid: string) {
    this.#site = site;
    this.jid = jid;
    this.sid = sid;
  }

  async sends(text: string): Promise<void> {
    const element = read(text.replace(/^<(\w+)/, '<$1 xmlns="jabber:client"'));
    const to = element.attrs.to ? Jid.parse(element.attrs.to) : undefined;
    this.#site.submit(Stanza.read(element, this.jid, to, [GATE, this.sid]));
    await this.#site.settled();
  }

  /** Everything received since the last time. */
  takes(): Element[] {
    return this.inbox.splice(0);
  }

  /** The answer to an IQ; what else came stays in the inbox. */
  async asks(type: "get" | "set", payload: string, to?: string): Promise<Element> {
    const id = `q${++this.#ids}`;
    await this.sends(`<iq type="${type}" id="${id}"${to ? ` to="${to}"` : ""}>${payload}</iq>`);
    const at = this.inbox.findIndex((el) => el.name === "iq" && el.attrs.id === id);
    const [answer] = at < 0 ? [] : this.inbox.splice(at, 1);
    if (!answer) throw new Error(`no answer to ${payload}`);
    return answer;
  }
}

export class Site {
  readonly settings;
  readonly kernel = new Kernel(features);
  readonly clients = new Map<string, Client>();
  /** Stanzas for addresses that other objects answer for. */
  readonly elsewhere: Stanza[] = [];
  /** What accounts tell nodes of the pubsub service that watch them. */
  readonly sights: Sight[] = [];
  /** Other objects cannot be called. */
  alone = false;
  /** What is delivered is lost: the object dies before its gate hears of it. */
  dying = false;
  /** Calls to the gate. */
  calls = 0;
  deliveries = 0;
  /** ms by the clock of the site; starts at some Monday. */
  readonly object: HostObject;
  accounts: Accounts;
  logins: Logins;
  readonly failures: unknown[] = [];
  readonly #post: Post;
  #sids = 0;

  constructor(env: Record<string, string> = {}) {
    this.settings = parseSettings({ XMPP_DOMAIN: "capulet.example", PLACEMENT: "shared:1", ...env });
    const database = new DatabaseSync(":memory:");
    const storage: SqlStorage = {
      exec: (query, ...values) => {
        const rows = database.prepare(query).all(...(values as SQLInputValue[]));
        return { toArray: () => rows };
      },
    };
    migrate(storage, [DUE, ONCE, ACCOUNT, RESOURCE, CONTACT, ARCHIVE, TOKEN, USED_TOKEN, ...this.kernel.tables]);
    this.#post = new Post({
      settings: this.settings,
      self: { kind: "USER", name: "shared-0" },
      calls: ({ kind }) => ({
        receive: async (batch: Item[]) => {
          if (this.alone) throw new Error("alone");
          for (const item of batch)
            if ("e" in item) this.elsewhere.push(Stanza.open(item.e));
            else if ("seen" in item) this.sights.push(item);
        },
        deliver: async (batch: Delivery[]) => {
          if (kind !== "GATE") throw new Error(`${kind} is no gate`);
          return this.#deliver(batch);
        },
      }),
      local: (item) => this.accounts.inbox.put(item),
      log: { warn: () => {}, error: (_message, error) => this.failures.push(error) },
      delivered: (result, batch) => this.accounts.delivered(result, batch),
    });
    const sql = sqlOver(storage);
    this.object = {
      name: "shared-0",
      settings: this.settings,
      secrets: {
        salt: "salt",
        occupant: "occupant",
        dialback: "dialback",
        archive: "archive",
        upload: "dialback",
        address: "address",
      },
      kernel: this.kernel,
      sql,
      post: this.#post,
      alarms: new Alarms(sql, () => {}),
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
    this.accounts = new Accounts(this.object, { listed: () => {}, missing: async () => [] });
    this.logins = new Logins(this.object, this.accounts, async () => {});
  }

  #deliver(batch: Delivery[]) {
    this.calls++;
    const gone: string[] = [];
    if (this.dying) return { gone, moved: [], acked: [] };
    for (const { e, to, bare, end, mark, again } of batch) {
      this.deliveries++;
      for (const sid of to) {
        const client = this.clients.get(sid);
        if (!client || client.end) gone.push(sid);
        else if (end) client.end = end;
        else if (e && !(again && mark !== undefined && mark <= client.newest)) {
          client.newest = mark ?? client.newest;
          const address = e.to || String(bare ? client.jid.bare : client.jid);
          client.inbox.push(read(Stanza.open(e).text(address)));
        }
      }
    }
    return { gone, moved: [], acked: [] };
  }

  /** An account with a password that no test needs. */
  user(name: string): Jid {
    const jid = Jid.of(name, this.settings.domain);
    this.object.sql`INSERT INTO account (jid, keys, created) VALUES (${jid.toString()}, '{}', ${Date.now()})`;
    return jid;
  }

  account(jid: Jid | string): Account {
    return this.accounts.account(String(jid));
  }

  /** A bound resource; with `online`, after its initial presence, and with an empty inbox. */
  async client(jid: Jid | string, resource: string, online = false): Promise<Client> {
    const sid = `s${++this.#sids}`;
    const bound = await this.logins.bind(String(jid), { gate: GATE, sid, resource });
    if (!bound.ok) throw new Error(bound.text);
    const client = new Client(this, Jid.parse(`${jid}/${bound.resource}`), sid);
    this.clients.set(sid, client);
    if (online) await client.sends("<presence/>");
    client.takes();
    return client;
  }

  submit(stanza: Stanza): void {
    const { to, from, asks } = stanza;
    const server = to?.toString() === this.settings.domain;
    const own = !to || server || to.equals(from.bare);
    const place = own && this.kernel.answers("stream", stanza) ? "stream" : "host";
    if (asks && (place === "stream" || (server && this.kernel.answers(place, stanza))))
      this.#handBack(answerAtHost(this.kernel, this.settings, this.object.log, stanza, place), stanza);
    else this.accounts.inbox.put({ e: stanza.pack(), out: true });
  }

  #handBack(answer: Stanza, { via }: Stanza): void {
    const client = this.clients.get(via?.[1] ?? "");
    client?.inbox.push(read(answer.text()));
  }

  /** Something from another server. */
  async arrives(text: string): Promise<void> {
    const element = read(text.replace(/^<(\w+)/, '<$1 xmlns="jabber:client"'));
    const { from = "", to = "" } = element.attrs;
    const stanza = Stanza.read(element, Jid.parse(from), Jid.parse(to));
    this.accounts.inbox.put({ e: stanza.pack() });
    await this.settled();
  }

  /** A stream ends for good. */
  async leaves(client: Client): Promise<void> {
    this.accounts.inbox.put({ of: client.jid.bare.toString(), sid: client.sid, acked: 0, ended: true });
    this.clients.delete(client.sid);
    await this.settled();
  }

  /** Everything in memory is forgotten, as when the object was evicted, which it is not before its timers have run. */
  evict(): void {
    this.accounts.save();
    this.dies();
  }

  /** Everything in memory is lost. */
  dies(): void {
    this.accounts = new Accounts(this.object, { listed: () => {}, missing: async () => [] });
    this.logins = new Logins(this.object, this.accounts, async () => {});
  }

  /** What was sent to other servers since the last time, as text. */
  sent(): string[] {
    return this.elsewhere.splice(0).map((stanza) => stanza.text());
  }

  async settled(): Promise<void> {
    await this.#post.drained(GATE);
    // What is for other objects rides in outboxes of their own, which answer within a few microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    const [failure] = this.failures.splice(0);
    if (failure) throw failure;
  }

  /** Makes two accounts see each other. */
  async befriends(a: Jid, b: Jid): Promise<void> {
    const set = (of: Jid, other: Jid) => {
      const account = this.account(of);
      const contact = account.contacts.obtain(other);
      Object.assign(contact, { subscription: "both", listed: true });
      account.contacts.put(contact, true);
    };
    set(a, b);
    set(b, a);
    await this.settled();
  }
}

/** A short form of elements for comparison: attributes sorted, ids left out unless wanted. */
export function brief(el: Element): string {
  const { type, from, to } = el.attrs;
  const children = el.getChildElements().map((child) => child.name);
  return [el.name, type ?? "", from ?? "", to ?? "", ...children].join(" ").trim();
}

export const condition = (el: Element): string | undefined => el.getChild("error")?.getChildElements()[0]?.name;
