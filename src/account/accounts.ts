/** The accounts of one object: logging in and binding, and taking what is sent to and from them. */

import type { TokenLogin } from "../gate/bearer.ts";
import { metadataOf } from "../archive/answer.ts";
import type { AccountCalls, BindRequest, Bound, Claim } from "../gate/calls.ts";
import type { HostObject } from "../kernel/entity.ts";
import type { Delivered, Delivery, Item } from "../kernel/post.ts";
import type { Judgement } from "../protocol/authentication.ts";
import { randomName } from "../protocol/base32.ts";
import { Jid } from "../protocol/jid.ts";
import { type Credentials, deriveKeys, fakeKeys, verifyPlain } from "../protocol/scram.ts";
import { Stanza } from "../protocol/stanza.ts";
import { Account } from "./account.ts";
import type { Resource } from "./resources.ts";
import { Tokens } from "./tokens.ts";

/** Accounts kept in memory; any of them can be read again from its rows. */
const CACHED = 20_000;
/** Connected resources of one account (security.md D2). */
const RESOURCES = 10;

type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : never;
};

export class Accounts implements Synchronous<AccountCalls> {
  readonly #object: HostObject;
  readonly #listed: (jid: string, there: boolean) => void;
  readonly #cache = new Map<string, Account>();
  /** Accounts that had something to do in this event, and write what they gathered at its end. */
  readonly #busy = new Set<Account>();
  /** Stanzas of this object's accounts to each other, in order; never longer than one event. */
  readonly #queue: Item[] = [];
  #draining = false;

  /** `listed` tells the Directory of a new account, or of one that is no more. */
  constructor(object: HostObject, listed: (jid: string, there: boolean) => void) {
    this.#object = object;
    this.#listed = listed;
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
      if (this.#busy.has(account)) continue;
      this.#cache.delete(jid);
      if (this.#cache.size < CACHED * 0.9) return;
    }
  }

  /** Takes a batch; all its rows are one transaction. */
  receive(batch: readonly Item[]): void {
    this.#queue.push(...batch);
    this.#drain();
  }

  /** A stanza from one account of this object to another, within the event or after it. */
  local(item: Item): void {
    this.#queue.push(item);
    if (!this.#draining) this.#drain();
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let item = this.#queue.shift(); item; item = this.#queue.shift()) this.#take(item);
      for (const account of this.#busy) this.#settle(account);
    } finally {
      this.#busy.clear();
      this.#draining = false;
    }
    if (this.#queue.length > 0) this.#drain();
  }

  #settle(account: Account): void {
    account.settle();
    if (!account.removed) return;
    this.#cache.delete(account.jid.toString());
    this.#listed(account.jid.toString(), false);
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
      if (item.each) {
        for (const address of item.each) {
          const to = Jid.parse(address);
          this.account(to.bare.toString()).receive(item, stanza.with({ to }), stanza);
        }
        return;
      }
      const address = item.out ? stanza.from : stanza.to;
      if (address) this.account(address.bare.toString()).receive(item, stanza);
      return;
    }
    const account = this.account(item.of);
    const resource = account.exists ? account.resources.bySid(item.sid) : undefined;
    if (!resource) return;
    this.#acknowledged(account, resource, Math.min(item.acked, resource.state.handed));
    if (item.ended) account.leave(resource, item.presence && Stanza.open(item.presence));
  }

  #acknowledged(account: Account, resource: Resource, mark: number): void {
    if (mark <= resource.state.acked) return;
    resource.state.acked = mark;
    account.fire("resource:acked", resource);
  }

  /** What became of deliveries to a gate. */
  delivered(gate: string, result: Delivered | Error, batch: readonly Delivery[]): void {
    if (result instanceof Error) {
      this.#object.log.error("a gate could not be reached", result, { gate });
      // Its streams may be there or not; they are told to start over if they are.
      result = { gone: [...new Set(batch.flatMap(({ to }) => to))], moved: [], acked: [] };
    }
    for (const [jid, sid, mark] of result.acked) {
      const { bare, resource: name } = Jid.parse(jid);
      const account = this.account(bare.toString());
      const resource = account.exists ? account.resources.get(name) : undefined;
      if (resource?.sid === sid) this.#acknowledged(account, resource, mark);
    }
    for (const [sid, to] of result.moved) {
      const found = this.#bySid(sid);
      if (!found) continue;
      found.resource.gate = to;
      found.account.resources.touch(found.resource);
      for (const { e, to: sids, mark, bare } of batch)
        if (e && sids.includes(sid))
          found.account.deliver(found.resource, Stanza.open(e), {
            ...(mark !== undefined && { mark }),
            ...(bare && { bare }),
          });
    }
    for (const sid of result.gone) {
      const found = this.#bySid(sid);
      if (found) found.account.undelivered(found.resource, batch);
    }
    this.#drain();
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

  /** Runs what is not a stanza, and writes what it gathered. */
  #event<T>(run: () => T): T {
    try {
      return run();
    } finally {
      this.#drain();
    }
  }

  credentials(jid: string): Credentials {
    const { secrets, settings } = this.#object;
    const keys = this.#keys(jid);
    return keys ?? fakeKeys(secrets.salt, jid, settings.scramIterations);
  }

  #keys(jid: string): Credentials | undefined {
    const [row] = this.#object.sql<{ keys: string }>`SELECT keys FROM account WHERE jid = ${jid}`;
    return row?.keys ? JSON.parse(row.keys) : undefined;
  }

  judge(jid: string, claim: Claim): Judgement {
    if ("password" in claim) {
      const keys = this.#keys(jid);
      // The same work for an account that does not exist.
      const right = verifyPlain(keys ?? this.credentials(jid), claim.password);
      return keys && right ? { ok: true } : { ok: false, reason: "wrong password, or no such account" };
    }
    if ("login" in claim) return this.#admit(claim.login);
    const { id } = this.account(jid);
    this.#drain();
    if (id === 0) return { ok: false, reason: "no such account" };
    return new Tokens(this.#object.sql, id).judge(claim.client, claim.proof, claim.fast);
  }

  /** A login that a web app vouches for: its account is made at first use, and a token with an id is good once. */
  #admit({ jid, once }: TokenLogin): Judgement {
    return this.#event(() => {
      if (!this.account(jid).exists) this.#create(jid, "");
      const { id } = this.account(jid);
      const { sql } = this.#object;
      if (!once) return { ok: true };
      sql`DELETE FROM used_token WHERE owner = ${id} AND expires < ${Date.now()}`;
      const used = sql`SELECT 1 FROM used_token WHERE owner = ${id} AND jti = ${once.id}`.length > 0;
      if (used) return { ok: false, reason: "the token was used before" };
      sql`INSERT INTO used_token VALUES (${id}, ${once.id}, ${once.expires})`;
      return { ok: true };
    });
  }

  #create(jid: string, keys: string): void {
    this.#object.sql`INSERT INTO account (jid, keys, created) VALUES (${jid}, ${keys}, ${Date.now()})`;
    const known = this.#cache.get(jid);
    this.#cache.delete(jid);
    if (known) this.#busy.delete(known);
    this.#listed(jid, true);
  }

  bind(jid: string, request: BindRequest): Bound {
    return this.#event(() => {
      const account = this.account(jid);
      if (!account.exists) return { ok: false, condition: "not-authorized", text: "This account is no more." };
      return this.#bind(account, request);
    });
  }

  #bind(account: Account, { gate, sid, resource, tag, client, carbons, metadata, token }: BindRequest): Bound {
    const name = resource ?? `${tag ? `${tag.slice(0, 64)}/` : ""}${randomName()}`;
    const full = Jid.tryParse(`${account.jid}/${name}`);
    if (!full?.full) return { ok: false, condition: "bad-request", text: "This is no resource part." }; // §7.7.2.1
    const { resources } = account;
    // RFC 6120 §7.7.2.2: the newer stream wins, because it is most often the same client come back. XEP-0386 §2.2: so it is
    // with the same client under another resource.
    for (const other of [...resources]) {
      if (other.jid.resource !== full.resource && (!client || other.state.client !== client)) continue;
      this.#object.post.end(other.gate, other.sid, "conflict");
      account.leave(other);
    }
    if (resources.size >= RESOURCES)
      return {
        ok: false,
        condition: "resource-constraint",
        text: `An account has at most ${RESOURCES} connected resources.`,
      };
    resources.add({
      jid: full,
      gate,
      sid,
      state: {
        priority: 0,
        acked: 0,
        handed: 0,
        ...(carbons && { carbons: true }),
        ...(client && { client }),
      },
    });
    const issued = token && client ? new Tokens(account.sql, account.id).issue(client, token) : undefined;
    return {
      ok: true,
      resource: full.resource,
      ...(issued && { token: { secret: issued.secret, expires: issued.expires } }),
      ...(metadata && account.settings.archive && { metadata: metadataOf(account.archive) ?? null }),
    };
  }

  async resume(jid: string, sid: string, gate: string): Promise<boolean> {
    const account = this.account(jid);
    const resource = account.exists ? account.resources.bySid(sid) : undefined;
    this.#drain();
    if (!resource) return false;
    const old = resource.gate;
    resource.gate = gate;
    account.resources.touch(resource);
    this.#busy.add(account);
    this.#drain();
    if (old !== gate) await this.#object.post.drained(old);
    return true;
  }

  register(jid: string, password: string): "ok" | "conflict" | "not-acceptable" {
    if (this.account(jid).exists) return "conflict";
    return this.setPassword(jid, password) ? "ok" : "not-acceptable";
  }

  /** Gives an account its password, making the account if there is none; false when the password cannot be one. */
  setPassword(jid: string, password: string): boolean {
    const { settings } = this.#object;
    const keys = deriveKeys(password, { iterations: settings.scramIterations });
    if (!keys) return false;
    return this.#event(() => {
      const account = this.account(jid);
      if (account.exists) account.changePassword(JSON.stringify(keys));
      else this.#create(jid, JSON.stringify(keys));
      return true;
    });
  }

  /** Deletes an account and all that it has; its name belongs to nobody afterwards, its rights to nobody ever again. */
  remove(jid: string): boolean {
    return this.#event(() => {
      const account = this.account(jid);
      if (!account.exists) return false;
      account.remove();
      return true;
    });
  }

  /** The object's alarm: what is due for each of its accounts. */
  alarm(): void {
    this.#event(() => {
      const { alarms, kernel, log } = this.#object;
      for (const { name, entity, data } of alarms.take(Date.now())) {
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
