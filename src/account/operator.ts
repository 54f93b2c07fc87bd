/** What the operator of the server does with an account, for the REST API. */
import { once } from "../kernel/once.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { stanza as newStanza } from "../protocol/stanza.ts";
import { xml } from "../xml/element.ts";
import { Access } from "./access.ts";
import type { Account, Passage } from "./account.ts";
import { Tokens } from "./tokens.ts";

export interface AccountFacts {
  jid: string;
  /** In ms. */
  created: number;
  /** Nobody logs in to it. */
  disabled: boolean;
  /** Without one it is reached by tokens only. */
  password: boolean;
  sessions: number;
}

export interface SessionFacts {
  resource: string;
  priority: number;
  /** It has sent presence. */
  available: boolean;
  /** The client's own id across its streams. */
  client?: string;
}

/** A message as text. `key`: under which a repeat is no second message. */
export interface Note {
  body: string;
  key?: string;
}

export function facts({ sql, id, jid, resources }: Account): AccountFacts {
  const [row] = sql<{ created: number; disabled: number; password: number }>`SELECT created, disabled,
    keys <> '' AS password FROM account WHERE id = ${id}`;
  return {
    jid: jid.toString(),
    created: row?.created ?? 0,
    disabled: row?.disabled === 1,
    password: row?.password === 1,
    sessions: resources.size,
  };
}

/** Whoever is logged in is out, and nobody gets in until it is enabled again; what it has stays. */
export function disable(account: Account, disabled: boolean): void {
  account.sql`UPDATE account SET disabled = ${disabled ? 1 : 0} WHERE id = ${account.id}`;
  account.forget(Access);
  if (!disabled) return;
  revoke(account);
  for (const resource of [...account.resources]) account.end(resource, "not-authorized");
}

/** No token is good that was issued before: neither ours (XEP-0484) nor a web app's. */
export function revoke(account: Account): void {
  const { sql, id, now } = account;
  new Tokens(sql, id).clear();
  sql`UPDATE account SET revoked = ${now} WHERE id = ${id}`;
  account.forget(Access);
}

export function sessions({ resources }: Account): SessionFacts[] {
  return [...resources].map(({ jid, state: { priority, presence, client } }) => ({
    resource: jid.resource,
    priority,
    available: presence !== undefined,
    ...(client && { client }),
  }));
}

/** Ends one stream or all of them; a client with a good token comes back. */
export function endSessions(account: Account, name?: string): void {
  const found = [...account.resources].filter(({ jid }) => name === undefined || jid.resource === name);
  if (name !== undefined && found.length === 0) throw stanzaError("item-not-found", "There is no such session.");
  for (const resource of found) account.end(resource, "reset");
}

/** A message to the account, from the server itself. */
export function tell(account: Account, { body, key }: Note): { id: string } {
  return once(account.sql, account.id, key, { body }, () => {
    const id = crypto.randomUUID();
    const from = Jid.parse(account.settings.domain);
    const stanza = newStanza("message", { id, from, to: account.jid }, xml("body", {}, body));
    account.fire("message:inbound", { stanza, again: false } satisfies Passage);
    return { id };
  });
}

/** A message in the account's own name, as if one of its clients had sent it. */
export function speak(account: Account, to: string, { body, key }: Note): { id: string } {
  return once(account.sql, account.id, key, { to, body }, () => {
    const id = crypto.randomUUID();
    const header = { type: "chat", id, from: account.jid, to: Jid.parse(to) };
    const stanza = newStanza("message", header, xml("body", {}, body));
    account.fire("message:outbound", { stanza, again: false } satisfies Passage);
    return { id };
  });
}
