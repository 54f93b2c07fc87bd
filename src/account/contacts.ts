/** RFC 6121 §2 and §3: the rows of a roster, pending requests and pre-approvals included. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import type { Settings } from "../settings.ts";

/** Items of one roster. */
const MAX_LISTED = 1000;

export const CONTACT: Table = {
  name: "contact",
  steps: [
    `CREATE TABLE contact (
       owner INTEGER NOT NULL, jid TEXT NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL,
       subscription TEXT NOT NULL, ask INTEGER NOT NULL, approved INTEGER NOT NULL, listed INTEGER NOT NULL,
       request TEXT, version INTEGER NOT NULL, PRIMARY KEY (owner, jid)) WITHOUT ROWID`,
  ],
};

export type Subscription = "none" | "to" | "from" | "both";

export interface Contact {
  readonly jid: Jid;
  name: string;
  groups: string[];
  subscription: Subscription;
  /** "Pending Out": asked to see the contact's presence. */
  ask: boolean;
  /** Pre-approved (§3.4). */
  approved: boolean;
  /** In the roster that clients see; a mere "None + Pending In" is not (§A.1), nor is a removed one. */
  listed: boolean;
  /** "Pending In": the children of the request's presence stanza, to be shown again at each login (§3.1.3). */
  request: string | undefined;
  version: number;
}

export const sees = (contact: Contact | undefined) =>
  contact?.subscription === "to" || contact?.subscription === "both";
export const seen = (contact: Contact | undefined) =>
  contact?.subscription === "from" || contact?.subscription === "both";

interface Row {
  jid: string;
  name: string;
  groups: string;
  subscription: Subscription;
  ask: number;
  approved: number;
  listed: number;
  request: string | null;
  version: number;
}

export class Contacts {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #all = new Map<string, Contact>();
  /** The roster's version: that of the newest change (§2.6). */
  version = 0;

  constructor(sql: Sql, owner: number) {
    this.#sql = sql;
    this.#owner = owner;
    for (const row of sql<Row>`SELECT * FROM contact WHERE owner = ${owner}`) {
      const { name, subscription, version } = row;
      this.version = Math.max(this.version, version);
      this.#all.set(row.jid, {
        jid: Jid.parse(row.jid),
        name,
        groups: JSON.parse(row.groups),
        subscription,
        ask: row.ask === 1,
        approved: row.approved === 1,
        listed: row.listed === 1,
        request: row.request ?? undefined,
        version,
      });
    }
  }

  [Symbol.iterator](): IterableIterator<Contact> {
    return this.#all.values();
  }

  get(jid: Jid): Contact | undefined {
    return this.#all.get(jid.bare.toString());
  }

  /** The contact, or a new one with no state at all. It is in no table until it is put. */
  obtain(jid: Jid): Contact {
    return (
      this.get(jid) ?? {
        jid: jid.bare,
        name: "",
        groups: [],
        subscription: "none",
        ask: false,
        approved: false,
        listed: false,
        request: undefined,
        version: 0,
      }
    );
  }

  get listed(): Contact[] {
    return [...this.#all.values()].filter((contact) => contact.listed);
  }

  /** Refuses one more item where there are too many. */
  checkRoom({ limits }: Settings): void {
    if (limits && this.listed.length >= MAX_LISTED)
      throw stanzaError("resource-constraint", `A roster has at most ${MAX_LISTED} items.`);
  }

  /** Stores a contact; `visible` when clients see the change, which then gets a version. */
  put(contact: Contact, visible: boolean): void {
    if (visible) contact.version = ++this.version;
    // Nobody was ever told of it, and nothing is left of it.
    if (!contact.listed && contact.version === 0 && contact.request === undefined) {
      this.drop(contact);
      return;
    }
    const { jid, name, groups, subscription, ask, approved, listed, request, version } = contact;
    this.#all.set(jid.toString(), contact);
    this
      .#sql`INSERT OR REPLACE INTO contact VALUES (${this.#owner}, ${jid.toString()}, ${name}, ${JSON.stringify(groups)},
      ${subscription}, ${ask ? 1 : 0}, ${approved ? 1 : 0}, ${listed ? 1 : 0}, ${request ?? null}, ${version})`;
  }

  drop({ jid }: Contact): void {
    this.#all.delete(jid.toString());
    this.#sql`DELETE FROM contact WHERE owner = ${this.#owner} AND jid = ${jid.toString()}`;
  }

  clear(): void {
    this.#all.clear();
    this.#sql`DELETE FROM contact WHERE owner = ${this.#owner}`;
  }
}
