/** The accounts of one object, and what is sent to and from them. */

import type { HostObject } from "../kernel/entity.ts";
import { Inbox } from "../kernel/inbox.ts";
import { type Outcome, outcomeOf } from "../kernel/outcome.ts";
import type { Delivered, Delivery, Item, StanzaItem } from "../kernel/post.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";
import { Account } from "./account.ts";
import type { Resource } from "./resources.ts";

/** Accounts kept in memory; any of them can be read again from its rows. */
const CACHED = 20_000;
/**
 * Newcomers that do not become available are in their rows so many ms later. The timer keeps the object from being forgotten
 * until then; one that dies all the same has lost streams that were bound just now, and tells them to start over.
 */
const SAVE_MS = 50;

export interface AccountsPorts {
  /** Tells the Directory of a new account, or of one that is no more. */
  listed(jid: string, there: boolean): void;
  /** Asks a gate which of these streams it does not have. */
  missing(gate: string, sids: string[]): Promise<string[]>;
}

export class Accounts {
  readonly #object: HostObject;
  readonly #listed: AccountsPorts["listed"];
  readonly #missing: AccountsPorts["missing"];
  readonly #cache = new Map<string, Account>();
  /** Accounts that had something to do in this event, and write what they gathered at its end. */
  readonly #busy = new Set<Account>();
  /** Accounts with resources that have no row yet. */
  readonly #unsaved = new Set<Account>();
  readonly inbox = new Inbox(
    (item) => this.#take(item),
    () => this.#settle(),
  );

  constructor(object: HostObject, { listed, missing }: AccountsPorts) {
    this.#object = object;
    this.#listed = listed;
    this.#missing = missing;
  }

  account(jid: string): Account {
    let account = this.#cache.get(jid);
    if (!account) {
      const [row] = this.#object.sql<{ id: number }>`SELECT id FROM account WHERE jid = ${jid}`;
      account = new Account(this.#object, Jid.parse(jid), row?.id ?? 0);
      if (this.#cache.size >= CACHED) this.#evict();
      this.#cache.set(jid, account);
    }
    this.#busy.add(account);
    return account;
  }

  #evict(): void {
    for (const [jid, account] of this.#cache) {
      if (this.#busy.has(account) || this.#unsaved.has(account)) continue;
      this.#cache.delete(jid);
      if (this.#cache.size < CACHED * 0.9) return;
    }
  }

  #settle(): void {
    for (const account of this.#busy) {
      account.settle();
      if (account.loaded?.unsaved) this.#saveLater(account);
      if (!account.removed) continue;
      this.#cache.delete(account.jid.toString());
      this.#listed(account.jid.toString(), false);
    }
    this.#busy.clear();
  }

  #saveLater(account: Account): void {
    if (this.#unsaved.size === 0)
      setTimeout(() => {
        this.save();
        this.#object.stored();
      }, SAVE_MS);
    this.#unsaved.add(account);
  }

  /** Every newcomer gets its row. */
  save(): void {
    for (const account of this.#unsaved) account.loaded?.save(true);
    this.#unsaved.clear();
  }

  #take(item: Item): void {
    if ("wants" in item) {
      const wish = { by: Jid.parse(item.by), nodes: item.wants };
      for (const jid of item.of) {
        const account = this.account(jid);
        if (account.exists) account.fire("events:wanted", wish);
      }
      return;
    }
    if ("e" in item) {
      const stanza = Stanza.open(item.e);
      if (item.each) return this.#spread(item, stanza, item.each);
      const address = item.out ? stanza.from : stanza.to;
      if (address) this.account(address.bare.toString()).receive(item, stanza);
      return;
    }
    if ("watch" in item) {
      const { watch: node, what } = item;
      for (const address of item.of) {
        const jid = Jid.parse(address);
        this.account(jid.bare.toString()).fire("node:watches", { node, jid, what });
      }
      return;
    }
    if ("listed" in item || "seen" in item) return; // of the pubsub service's nodes, and not for accounts
    const account = this.account(item.of);
    const resource = account.exists ? account.resources.bySid(item.sid) : undefined;
    if (!resource) return;
    this.#acknowledged(account, resource, Math.min(item.acked, resource.state.handed));
    if (item.asleep) account.fire("resource:asleep", resource);
    if (item.ended) account.leave(resource, item.presence && Stanza.open(item.presence));
  }

  /** What is for many readers is read once, and an event that nobody stores is written once, too. */
  #spread(item: StanzaItem, stanza: Stanza, each: readonly string[]): void {
    const { wanted, shows } = item;
    const event = stanza.kind === "message" && (wanted !== undefined || shows || stanza.type === "headline");
    for (const address of each) {
      const to = Jid.parse(address);
      const account = this.account(to.bare.toString());
      if (event) account.notice({ stanza, to, wanted, shows });
      else account.receive(item, stanza.with({ to }));
    }
  }

  #acknowledged(account: Account, resource: Resource, mark: number): void {
    if (mark <= resource.state.acked) return;
    resource.state.acked = mark;
    account.fire("resource:acked", resource);
  }

  /** What became of deliveries to a gate. */
  delivered(result: Delivered, batch: readonly Delivery[]): void {
    for (const [jid, sid, mark] of result.acked) {
      const found = this.#connected(jid, sid);
      if (found) this.#acknowledged(found.account, found.resource, mark);
    }
    for (const name of ["slow", "asleep"] as const)
      for (const [jid, sid] of result[name] ?? []) {
        const found = this.#connected(jid, sid);
        if (found) found.account.fire(`resource:${name}`, found.resource);
      }
    for (const [sid, to] of result.moved) {
      const found = this.#bySid(sid);
      if (!found) continue;
      found.resource.gate = to;
      found.account.resources.touch(found.resource);
      for (const { e, to: sids, mark, bare, again } of batch)
        if (e && sids.includes(sid))
          found.account.deliver(found.resource, Stanza.open(e), {
            ...(mark !== undefined && { mark }),
            ...(bare && { bare }),
            ...(again && { again }),
          });
    }
    for (const sid of result.gone) {
      const found = this.#bySid(sid);
      if (found) found.account.undelivered(found.resource, batch);
    }
    this.inbox.run();
  }

  #connected(jid: string, sid: string): { account: Account; resource: Resource } | undefined {
    const { bare, resource: name } = Jid.parse(jid);
    const account = this.account(bare.toString());
    const resource = account.exists ? account.resources.get(name) : undefined;
    return resource?.sid === sid ? { account, resource } : undefined;
  }

  #bySid(sid: string): { account: Account; resource: Resource } | undefined {
    for (const account of this.#cache.values()) {
      const resource = account.loaded?.bySid(sid);
      if (resource) return { account, resource: this.#used(account, resource) };
    }
    const [row] = this.#object.sql<{
      jid: string;
    }>`SELECT account.jid AS jid FROM resource JOIN account ON account.id = resource.owner
      WHERE resource.sid = ${sid}`;
    const account = row && this.account(row.jid);
    const resource = account?.resources.bySid(sid);
    return account && resource && { account, resource };
  }

  #used(account: Account, resource: Resource): Resource {
    this.#busy.add(account);
    return resource;
  }

  /**
   * Asks gates whether the streams that rows name are there, and takes leave of those that are not: a crash leaves such
   * ghosts. Of one account before it gets another resource; of all when a shared object starts with its process.
   */
  async verify(jid?: string): Promise<void> {
    const named = jid
      ? this.inbox.event(() => [...this.account(jid).resources])
      : this.#object.sql<{ gate: string; sid: string }>`SELECT gate, sid FROM resource`;
    const gates = Map.groupBy(named, ({ gate }) => gate);
    for (const [gate, streams] of gates) {
      const gone = await this.#missing(
        gate,
        streams.map(({ sid }) => sid),
      );
      this.inbox.event(() => {
        for (const sid of gone) {
          const found = this.#bySid(sid);
          if (found?.resource.gate === gate) found.account.leave(found.resource);
        }
      });
    }
  }

  /** Makes an account; with no keys, only tokens open it. */
  create(jid: string, keys: string): void {
    this.#object.sql`INSERT INTO account (jid, keys, created) VALUES (${jid}, ${keys}, ${Date.now()})`;
    const known = this.#cache.get(jid);
    this.#cache.delete(jid);
    if (known) this.#busy.delete(known);
    this.#listed(jid, true);
  }

  /** What an operator does with an account. */
  operate<T>(jid: string, run: (account: Account) => T): Outcome<T> {
    return outcomeOf(this.#object.log, () =>
      this.inbox.event(() => {
        const account = this.account(jid);
        if (!account.exists) throw stanzaError("item-not-found", `There is no account ${jid}.`);
        return run(account);
      }),
    );
  }

  /** The object's alarm: what is due for each of its accounts. */
  alarm(): void {
    this.inbox.event(() => {
      const { alarms, kernel, log } = this.#object;
      for (const { name, entity, data } of alarms.take(Date.now(), "account ")) {
        const account = this.account(entity);
        try {
          if (account.exists) kernel.alarm("account", name.slice("account ".length), account, data);
        } catch (error) {
          log.error("an alarm failed", error, { name });
        }
      }
    });
  }
}
