/** The accounts of one object: logging in and binding, and taking what is sent to and from them. */

import { metadataOf } from "../archive/answer.ts";
import type { TokenLogin } from "../gate/bearer.ts";
import type { AccountCalls, BindRequest, Bound, Claim } from "../gate/calls.ts";
import type { HostObject } from "../kernel/entity.ts";
import { type Outcome, outcomeOf } from "../kernel/outcome.ts";
import type { Delivered, Delivery, Item } from "../kernel/post.ts";
import type { Judgement } from "../protocol/authentication.ts";
import { randomName } from "../protocol/base32.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Token } from "../protocol/fast.ts";
import { isUsername, Jid } from "../protocol/jid.ts";
import { type Credentials, deriveKeys, fakeKeys, verifyPlain } from "../protocol/scram.ts";
import { Stanza } from "../protocol/stanza.ts";
import { Account, type AccountHooks } from "./account.ts";
import type { Resource } from "./resources.ts";
import { Tokens } from "./tokens.ts";

/** Accounts kept in memory; any of them can be read again from its rows. */
const CACHED = 20_000;
/** Connected resources of one account (security.md D2). */
const RESOURCES = 10;

type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : never;
};

export interface AccountsPorts {
  /** Tells the Directory of a new account, or of one that is no more. */
  listed(jid: string, there: boolean): void;
  /** Asks a gate which of these streams it does not have. */
  missing(gate: string, sids: string[]): Promise<string[]>;
  /** Tells a room what a web app says of somebody. */
  vouch(room: string, whom: string, affiliation: TokenLogin["rooms"][number]["affiliation"]): Promise<unknown>;
}

export class Accounts implements Synchronous<AccountCalls> {
  readonly #object: HostObject;
  readonly #listed: AccountsPorts["listed"];
  readonly #missing: AccountsPorts["missing"];
  readonly #vouch: AccountsPorts["vouch"];
  readonly #cache = new Map<string, Account>();
  /** Accounts that had something to do in this event, and write what they gathered at its end. */
  readonly #busy = new Set<Account>();
  /** Stanzas of this object's accounts to each other, in order; never longer than one event. */
  readonly #queue: Item[] = [];
  #draining = false;

  constructor(object: HostObject, { listed, missing, vouch }: AccountsPorts) {
    this.#object = object;
    this.#listed = listed;
    this.#missing = missing;
    this.#vouch = vouch;
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
    if ("listed" in item) return; // of the pubsub service's nodes, and not for accounts
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
      const found = this.#connected(jid, sid);
      if (found) this.#acknowledged(found.account, found.resource, mark);
    }
    for (const [jid, sid] of result.slow ?? []) {
      const found = this.#connected(jid, sid);
      if (found) found.account.fire("resource:slow", found.resource);
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
    const [row] = this.#object.sql<{ keys: string }>`SELECT keys FROM account
      WHERE jid = ${jid} AND disabled = 0`;
    return row?.keys ? JSON.parse(row.keys) : undefined;
  }

  judge(jid: string, claim: Claim): Judgement | Promise<Judgement> {
    if ("password" in claim) {
      const keys = this.#keys(jid);
      // The same work for an account that does not exist.
      const right = verifyPlain(keys ?? this.credentials(jid), claim.password);
      return keys && right ? { ok: true } : { ok: false, reason: "wrong password, or no such account" };
    }
    if ("login" in claim) return this.#admit(claim.login);
    const { id } = this.account(jid);
    this.#drain();
    if (id === 0 || this.#row(id).disabled) return { ok: false, reason: "no such account, or it is disabled" };
    return new Tokens(this.#object.sql, id).judge(claim.client, claim.proof, claim.fast);
  }

  /** A login that a web app vouches for: its account is made at first use, and a token with an id is good once. */
  async #admit({ jid, name, issued, once, rooms }: TokenLogin): Promise<Judgement> {
    const judgement = this.#event((): Judgement => {
      if (!this.account(jid).exists) this.#create(jid, "");
      const account = this.account(jid);
      const { sql, id } = account;
      const { disabled, revoked } = this.#row(id);
      if (disabled) return { ok: false, reason: "the account is disabled" };
      if (issued < revoked) return { ok: false, reason: "the token was revoked" };
      if (once) {
        sql`DELETE FROM used_token WHERE owner = ${id} AND expires < ${Date.now()}`;
        const used = sql`SELECT 1 FROM used_token WHERE owner = ${id} AND jti = ${once.id}`.length > 0;
        if (used) return { ok: false, reason: "the token was used before" };
        sql`INSERT INTO used_token VALUES (${id}, ${once.id}, ${once.expires})`;
      }
      if (name) account.fire("account:named", name);
      return { ok: true };
    });
    if (judgement.ok) await this.#appoint(jid, rooms);
    return judgement;
  }

  /** The rooms know before the login is over, so that who joins them next is let in. */
  async #appoint(jid: string, rooms: TokenLogin["rooms"]): Promise<void> {
    const { settings, log } = this.#object;
    const told = rooms.map(async ({ room, affiliation }) => {
      const name = Jid.tryParse(room.includes("@") ? room : `${room}@${settings.mucDomain}`);
      if (name && !name.full && isUsername(name.local) && name.domain === settings.mucDomain)
        await this.#vouch(name.toString(), jid, affiliation);
    });
    for (const { status, reason } of (await Promise.allSettled(told)) as PromiseRejectedResult[])
      if (status === "rejected") log.error("a room could not be told of a login", reason);
  }

  #row(id: number): { disabled: number; revoked: number } {
    const [row] = this.#object.sql<{ disabled: number; revoked: number }>`SELECT disabled, revoked FROM account
      WHERE id = ${id}`;
    return row ?? { disabled: 0, revoked: 0 };
  }

  #create(jid: string, keys: string): void {
    this.#object.sql`INSERT INTO account (jid, keys, created) VALUES (${jid}, ${keys}, ${Date.now()})`;
    const known = this.#cache.get(jid);
    this.#cache.delete(jid);
    if (known) this.#busy.delete(known);
    this.#listed(jid, true);
  }

  async bind(jid: string, request: BindRequest): Promise<Bound> {
    await this.verify(jid);
    await this.#endEarlier(jid, request);
    return this.#event(() => {
      const account = this.account(jid);
      if (!account.exists || this.#row(account.id).disabled)
        return { ok: false, condition: "not-authorized", text: "This account is no more." };
      return this.#bind(account, request);
    });
  }

  /**
   * Asks gates whether the streams that rows name are there, and takes leave of those that are not: a crash leaves such
   * ghosts. Of one account before it gets another resource; of all when a shared object starts with its process.
   */
  async verify(jid?: string): Promise<void> {
    const { sql } = this.#object;
    const rows = jid
      ? sql<{
          gate: string;
          sid: string;
        }>`SELECT gate, sid FROM resource WHERE owner = (SELECT id FROM account WHERE jid = ${jid})`
      : sql<{ gate: string; sid: string }>`SELECT gate, sid FROM resource`;
    const gates = Map.groupBy(rows, ({ gate }) => gate);
    for (const [gate, streams] of gates) {
      const gone = await this.#missing(
        gate,
        streams.map(({ sid }) => sid),
      );
      this.#event(() => {
        for (const sid of gone) {
          const found = this.#bySid(sid);
          if (found?.resource.gate === gate) found.account.leave(found.resource);
        }
      });
    }
  }

  /** Streams that a new one replaces say first what their clients have had, or it would be sent again as offline mail. */
  async #endEarlier(jid: string, { resource, client }: BindRequest): Promise<void> {
    const { post } = this.#object;
    const account = this.account(jid);
    const name = Jid.tryParse(`${jid}/${resource ?? ""}`)?.resource;
    const replaced = account.exists ? earlier(account, name, client) : [];
    this.#drain();
    for (const { gate, sid } of replaced) post.end(gate, sid, "conflict");
    await Promise.all(replaced.map(({ gate }) => post.drained(gate)));
  }

  #bind(account: Account, { gate, sid, resource, tag, client, carbons, metadata, token }: BindRequest): Bound {
    const name = resource ?? `${tag ? `${tag.slice(0, 64)}/` : ""}${randomName()}`;
    const full = Jid.tryParse(`${account.jid}/${name}`);
    if (!full?.full) return { ok: false, condition: "bad-request", text: "This is no resource part." }; // §7.7.2.1
    const { resources } = account;
    for (const other of earlier(account, full.resource, client)) {
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
    const bound: AccountHooks["resource:bound"] = {};
    account.fire("resource:bound", bound);
    const issued = token && client ? new Tokens(account.sql, account.id).issue(client, token) : undefined;
    return {
      ok: true,
      resource: full.resource,
      ...(bound.photo && { photo: bound.photo }),
      ...(issued && { token: { secret: issued.secret, expires: issued.expires } }),
      ...(metadata && account.settings.archive && { metadata: metadataOf(account.archive) ?? null }),
    };
  }

  issue(jid: string, client: string, mechanism: string): Token | undefined {
    const { exists, id } = this.account(jid);
    this.#drain();
    return exists ? new Tokens(this.#object.sql, id).issue(client, mechanism) : undefined;
  }

  async resume(jid: string, sid: string, gate: string): Promise<string | undefined> {
    const account = this.account(jid);
    const resource = account.exists ? account.resources.bySid(sid) : undefined;
    this.#drain();
    if (!resource) return undefined;
    const old = resource.gate;
    resource.gate = gate;
    account.resources.touch(resource);
    this.#busy.add(account);
    this.#drain();
    if (old !== gate) await this.#object.post.drained(old);
    return old;
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

  /** Makes an account that has no password: only tokens open it. @returns whether there was none */
  make(jid: string): boolean {
    return this.#event(() => {
      const created = !this.account(jid).exists;
      if (created) this.#create(jid, "");
      return created;
    });
  }

  /** What an operator does with an account. */
  operate<T>(jid: string, run: (account: Account) => T): Outcome<T> {
    return outcomeOf(this.#object.log, () =>
      this.#event(() => {
        const account = this.account(jid);
        if (!account.exists) throw stanzaError("item-not-found", `There is no account ${jid}.`);
        return run(account);
      }),
    );
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

/**
 * RFC 6120 §7.7.2.2: the newer stream wins, because it is most often the same client come back. XEP-0386 §2.2: so it is
 * with the same client under another resource.
 */
function earlier(account: Account, name: string | undefined, client: string | undefined): Resource[] {
  return [...account.resources].filter(
    ({ jid, state }) => jid.resource === name || (client && state.client === client),
  );
}
