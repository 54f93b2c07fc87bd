/** Logging in to the accounts of one object: who somebody is, and which resource a stream gets (RFC 6120 §6, §7). */

import { metadataOf } from "../archive/answer.ts";
import { idAt } from "../archive/row.ts";
import type { TokenLogin } from "../gate/bearer.ts";
import type { AccountCalls, BindRequest, Bound, Claim } from "../gate/calls.ts";
import type { HostObject } from "../kernel/entity.ts";
import type { Judgement } from "../protocol/authentication.ts";
import { randomName } from "../protocol/base32.ts";
import type { Token } from "../protocol/fast.ts";
import { isUsername, Jid } from "../protocol/jid.ts";
import { type Credentials, deriveKeys, fakeKeys, verifyPlain } from "../protocol/scram.ts";
import { access } from "./access.ts";
import type { Account, AccountHooks } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import type { Resource } from "./resources.ts";
import { Tokens } from "./tokens.ts";

/** Connected resources of one account (security.md D2). */
const RESOURCES = 10;

type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : never;
};

/** Tells a room what a web app says of somebody. */
export type Vouch = (
  room: string,
  whom: string,
  affiliation: TokenLogin["rooms"][number]["affiliation"],
) => Promise<unknown>;

export class Logins implements Synchronous<AccountCalls> {
  readonly #object: HostObject;
  readonly #accounts: Accounts;
  readonly #vouch: Vouch;

  constructor(object: HostObject, accounts: Accounts, vouch: Vouch) {
    this.#object = object;
    this.#accounts = accounts;
    this.#vouch = vouch;
  }

  credentials(jid: string): Credentials {
    const { secrets, settings } = this.#object;
    const keys = this.#keys(jid);
    return keys ?? fakeKeys(secrets.salt, jid, settings.scramIterations);
  }

  /** An account, to be read only. */
  #account(jid: string): Account {
    return this.#accounts.inbox.event(() => this.#accounts.account(jid));
  }

  #keys(jid: string): Credentials | undefined {
    const { keys, disabled } = access(this.#account(jid));
    return disabled ? undefined : keys;
  }

  judge(jid: string, claim: Claim): Judgement | Promise<Judgement> {
    if ("password" in claim) {
      const keys = this.#keys(jid);
      // The same work for an account that does not exist.
      const right = verifyPlain(keys ?? this.credentials(jid), claim.password);
      return keys && right ? { ok: true } : { ok: false, reason: "wrong password, or no such account" };
    }
    if ("login" in claim) return this.#admit(claim.login);
    const account = this.#account(jid);
    if (!account.exists || access(account).disabled) return { ok: false, reason: "no such account, or it is disabled" };
    return new Tokens(account.sql, account.id).judge(claim.client, claim.proof, claim.fast);
  }

  /** A login that a web app vouches for: its account is made at first use, and a token with an id is good once. */
  async #admit({ jid, name, issued, once, rooms }: TokenLogin): Promise<Judgement> {
    const judgement = this.#accounts.inbox.event((): Judgement => {
      if (!this.#accounts.account(jid).exists) this.#accounts.create(jid, "");
      const account = this.#accounts.account(jid);
      const { sql, id } = account;
      const { disabled, revoked } = access(account);
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

  async bind(jid: string, request: BindRequest): Promise<Bound> {
    await this.#accounts.verify(jid);
    await this.#endEarlier(jid, request);
    return this.#accounts.inbox.event(() => {
      const account = this.#accounts.account(jid);
      if (!account.exists || access(account).disabled)
        return { ok: false, condition: "not-authorized", text: "This account is no more." };
      return this.#bind(account, request);
    });
  }

  /** Streams that a new one replaces say first what their clients have had, or it would be sent again as offline mail. */
  async #endEarlier(jid: string, { resource, client }: BindRequest): Promise<void> {
    const { post } = this.#object;
    const account = this.#account(jid);
    const name = Jid.tryParse(`${jid}/${resource ?? ""}`)?.resource;
    const replaced = account.exists ? earlier(account, name, client) : [];
    for (const { gate, sid } of replaced) post.end(gate, sid, "conflict");
    await Promise.all(replaced.map(({ gate }) => post.drained(gate)));
  }

  #bind(account: Account, { gate, sid, resource, tag, client, carbons, site, metadata, token }: BindRequest): Bound {
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
        from: idAt(Date.now()) - 1,
        acked: 0,
        handed: 0,
        ...(carbons && { carbons: true }),
        ...(site && { site }),
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
    const { exists, id } = this.#account(jid);
    return exists ? new Tokens(this.#object.sql, id).issue(client, mechanism) : undefined;
  }

  async resume(jid: string, sid: string, gate: string): Promise<string | undefined> {
    const old = this.#accounts.inbox.event(() => {
      const account = this.#accounts.account(jid);
      const resource = account.exists ? account.resources.bySid(sid) : undefined;
      if (!resource) return undefined;
      const { gate: before } = resource;
      resource.gate = gate;
      account.resources.touch(resource);
      return before;
    });
    if (old === undefined) return undefined;
    if (old !== gate) await this.#object.post.drained(old);
    return old;
  }

  register(jid: string, password: string): "ok" | "conflict" | "not-acceptable" {
    if (this.#accounts.account(jid).exists) return "conflict";
    return this.setPassword(jid, password) ? "ok" : "not-acceptable";
  }

  /** Gives an account its password, making the account if there is none; false when the password cannot be one. */
  setPassword(jid: string, password: string): boolean {
    const { settings } = this.#object;
    const keys = deriveKeys(password, { iterations: settings.scramIterations });
    if (!keys) return false;
    return this.#accounts.inbox.event(() => {
      const account = this.#accounts.account(jid);
      if (account.exists) account.changePassword(JSON.stringify(keys));
      else this.#accounts.create(jid, JSON.stringify(keys));
      return true;
    });
  }

  /** Makes an account that has no password: only tokens open it. @returns whether there was none */
  make(jid: string): boolean {
    return this.#accounts.inbox.event(() => {
      const created = !this.#accounts.account(jid).exists;
      if (created) this.#accounts.create(jid, "");
      return created;
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
