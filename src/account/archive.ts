/** An account's messages: its archive (XEP-0313), its offline mail and what it still has to pass on are positions in one table. */

import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";

/**
 * `id` is the time in ms × 1,000 plus a counter, unique and rising per owner: it sorts, it is the archive's UID and it
 * carries the date, so a message costs one row and no index. `hidden` rows are in custody but not in the archive.
 */
export const ARCHIVE: Table = {
  name: "archive",
  steps: [
    `CREATE TABLE archive (
       owner INTEGER NOT NULL, id INTEGER NOT NULL, peer TEXT NOT NULL, outgoing INTEGER NOT NULL, hidden INTEGER NOT NULL,
       type TEXT NOT NULL, mid TEXT NOT NULL, sender TEXT NOT NULL, receiver TEXT NOT NULL, lang TEXT NOT NULL,
       inner TEXT NOT NULL, traits INTEGER NOT NULL, origin INTEGER NOT NULL,
       PRIMARY KEY (owner, id)) WITHOUT ROWID`,
  ],
};

/** Ids from before a moment are below `idAt(moment)`. */
export const idAt = (ms: number) => ms * 1000;
export const timeOf = (id: number) => Math.floor(id / 1000);
/** The id as clients see it: opaque, and of one length until the year 5188. */
export const uidOf = (id: number) => id.toString(36);

export function idOf(uid: string): number | undefined {
  const id = /^[0-9a-z]{1,11}$/.test(uid) ? Number.parseInt(uid, 36) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

export interface Archived {
  id: number;
  peer: string;
  outgoing: number;
  hidden: number;
  type: string;
  mid: string;
  sender: string;
  receiver: string;
  lang: string;
  inner: string;
  traits: number;
}

export interface Entry {
  peer: Jid;
  outgoing: boolean;
  hidden: boolean;
  stanza: Stanza;
  /** The id that the same message has in its sender's archive, by which a repeat is known; 0 when it has none. */
  origin?: number;
}

/** The message as it was archived, addressed as it was. */
export function stanzaOf(row: Archived): Stanza {
  return new Stanza({
    kind: "message",
    type: row.type,
    id: row.mid,
    from: Jid.parse(row.sender),
    to: Jid.parse(row.receiver),
    lang: row.lang,
    inner: row.inner,
    traits: row.traits,
  });
}

export class Archive {
  readonly #sql: Sql;
  readonly #owner: number;
  /** The newest id; read from the table after the object was forgotten. */
  #last: number | undefined;

  constructor(sql: Sql, owner: number) {
    this.#sql = sql;
    this.#owner = owner;
  }

  get last(): number {
    this.#last ??=
      this.#sql<{ id: number | null }>`SELECT max(id) AS id FROM archive WHERE owner = ${this.#owner}`[0]?.id ?? 0;
    return this.#last;
  }

  add({ peer, outgoing, hidden, stanza, origin }: Entry): number {
    const id = Math.max(this.last + 1, idAt(Date.now()));
    this.#last = id;
    this
      .#sql`INSERT INTO archive VALUES (${this.#owner}, ${id}, ${peer.bare.toString()}, ${outgoing ? 1 : 0}, ${hidden ? 1 : 0},
      ${stanza.type}, ${stanza.id}, ${stanza.from.toString()}, ${stanza.to?.toString() ?? ""}, ${stanza.lang},
      ${stanza.inner}, ${stanza.traits}, ${origin ?? 0})`;
    return id;
  }

  /** Messages received after a position, oldest first: what has not reached any client yet. */
  received(after: number, limit: number): Archived[] {
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id > ${after} AND outgoing = 0
      ORDER BY id LIMIT ${limit}`;
  }

  /** Messages sent after a position, oldest first: what may not have been passed on yet. */
  sent(after: number, limit: number): Archived[] {
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id > ${after} AND outgoing = 1
      ORDER BY id LIMIT ${limit}`;
  }

  /** Whether a message of that sender with that id in the sender's archive came since a moment (ms). */
  has(peer: Jid, origin: number, since: number): boolean {
    return (
      this.#sql`SELECT 1 FROM archive WHERE owner = ${this.#owner} AND id >= ${idAt(since)} AND outgoing = 0
        AND origin = ${origin} AND peer = ${peer.bare.toString()} LIMIT 1`.length > 0
    );
  }

  /** The newest messages sent since a moment (ms). */
  recent(since: number, limit: number): Archived[] {
    return this
      .#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id >= ${idAt(since)} AND outgoing = 1
      ORDER BY id DESC LIMIT ${limit}`;
  }

  /** Drops messages that were only kept until somebody had them. */
  forget(upTo: number): void {
    this.#sql`DELETE FROM archive WHERE owner = ${this.#owner} AND hidden = 1 AND id <= ${upTo}`;
  }

  clear(): void {
    this.#sql`DELETE FROM archive WHERE owner = ${this.#owner}`;
    this.#last = undefined;
  }
}
