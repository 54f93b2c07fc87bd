/** XEP-0045 §5.2: who somebody is to a room, across visits; XEP-0463 v0.1: with a version for each change. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";

export type Affiliation = "owner" | "admin" | "member" | "none" | "outcast";

/** Entries of one room, those of the past included. */
const MOST = 10_000;
/** Entries that say no more than that somebody is nobody any more: kept for clients that were away (XEP-0463). */
const PAST = 500;

/** `nick` is reserved for its owner (§7.10); `address` bans a guest who has no lasting name. */
export const AFFILIATION: Table = {
  name: "affiliation",
  steps: [
    `CREATE TABLE affiliation (
       owner INTEGER NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL, nick TEXT NOT NULL, reason TEXT NOT NULL,
       address TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (owner, jid)) WITHOUT ROWID`,
  ],
};

export interface Standing {
  readonly jid: Jid;
  affiliation: Affiliation;
  /** "" for none. */
  nick: string;
  reason: string;
  address: string;
  version: number;
}

const RANK: Record<Affiliation, number> = { outcast: -1, none: 0, member: 1, admin: 2, owner: 3 };

export const rank = (affiliation: Affiliation): number => RANK[affiliation];
export const isAffiliation = (text: string | undefined): text is Affiliation => text !== undefined && text in RANK;

export class Affiliations {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #all = new Map<string, Standing>();
  /** The newest version; and up to which the past has been forgotten. */
  version = 0;
  #forgotten = 0;

  constructor(sql: Sql, owner: number) {
    this.#sql = sql;
    this.#owner = owner;
    const rows = sql<Omit<Standing, "jid"> & { jid: string }>`SELECT jid, affiliation, nick, reason, address, version
      FROM affiliation WHERE owner = ${owner} ORDER BY version`;
    for (const row of rows) this.#all.set(row.jid, { ...row, jid: Jid.parse(row.jid) });
    this.version = rows.at(-1)?.version ?? 0;
    // The oldest version that is left of the past: what was before it may be incomplete.
    this.#forgotten = this.#past().length >= PAST ? (this.#past()[0]?.version ?? 0) : 0;
  }

  /** A ban holds for an address or for its whole domain (§9.2). */
  get(jid: Jid): Affiliation {
    const own = this.#all.get(jid.bare.toString())?.affiliation ?? "none";
    if (own !== "none") return own;
    return this.#all.get(jid.domain)?.affiliation === "outcast" ? "outcast" : "none";
  }

  standing(jid: Jid): Standing | undefined {
    return this.#all.get(jid.bare.toString());
  }

  nick(jid: Jid): string {
    return this.standing(jid)?.nick ?? "";
  }

  /** Whose nick it is, if it is reserved. `key`: what counts as the same nick. */
  reserved(nick: string, key: (nick: string) => string): Standing | undefined {
    const wanted = key(nick);
    for (const standing of this.#all.values()) if (standing.nick && key(standing.nick) === wanted) return standing;
    return undefined;
  }

  banned(address: string): boolean {
    if (!address) return false;
    for (const { affiliation, address: other } of this.#all.values())
      if (other === address && affiliation === "outcast") return true;
    return false;
  }

  list(affiliation: Affiliation): Standing[] {
    return [...this.#all.values()].filter((standing) => standing.affiliation === affiliation);
  }

  /** Everybody with an affiliation; with `since`, also those who have lost theirs after that version. */
  since(version: number | undefined): Standing[] | undefined {
    if (version === undefined) return [...this.#all.values()].filter(({ affiliation }) => affiliation !== "none");
    if (version < this.#forgotten || version > this.version) return undefined;
    return [...this.#all.values()].filter((standing) => standing.version > version);
  }

  /** Changes what is given and keeps the rest; a ban takes the nick away (§9.1). */
  set(jid: Jid, change: Partial<Omit<Standing, "jid" | "version">>): void {
    const key = jid.bare.toString();
    const before = this.#all.get(key);
    if (!before && this.#all.size >= MOST)
      throw stanzaError("resource-constraint", `A room's lists have at most ${MOST} entries.`);
    const standing: Standing = {
      jid: jid.bare,
      affiliation: "none",
      nick: "",
      reason: "",
      address: "",
      ...before,
      ...change,
      version: ++this.version,
    };
    if (standing.affiliation === "outcast" || standing.affiliation === "none") standing.nick = "";
    if (standing.affiliation !== "outcast") standing.address = "";
    // In the order of versions, which is what `since` and the rows have.
    this.#all.delete(key);
    this.#all.set(key, standing);
    const { affiliation, nick, reason, address, version } = standing;
    this
      .#sql`INSERT OR REPLACE INTO affiliation VALUES (${this.#owner}, ${key}, ${affiliation}, ${nick}, ${reason}, ${address}, ${version})`;
    this.#forgetPast();
  }

  #past(): Standing[] {
    return this.list("none");
  }

  #forgetPast(): void {
    const past = this.#past();
    if (past.length <= PAST) return;
    const oldest = past[0] as Standing;
    this.#forgotten = oldest.version;
    this.#all.delete(oldest.jid.toString());
    this.#sql`DELETE FROM affiliation WHERE owner = ${this.#owner} AND jid = ${oldest.jid.toString()}`;
  }

  clear(): void {
    this.#all.clear();
    this.#sql`DELETE FROM affiliation WHERE owner = ${this.#owner}`;
  }
}
