/** An archive: what an account's or a room's messages are written to. Offline mail and custody are positions in it. */
import type { Sql } from "../kernel/sql.ts";
import type { Jid } from "../protocol/jid.ts";
import { Trait } from "../protocol/message.ts";
import { CLIENT } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import { readFragment } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";
import { type Archived, type Entry, idAt, MAX_ID } from "./row.ts";
import type { Uids } from "./uid.ts";

/** How far back, in messages, one is looked for by an id that its author chose: 2 ms where none is found. */
const LOOK_BACK = 10_000;

/** How many of the newest messages are compared with one that may have come before. */
const RECENT = 200;

/** Which message is meant by the id its author gave it. */
export interface Authorship {
  /** The other side's bare JID; in a room, the author's real one. */
  peer: Jid;
  outgoing: boolean;
}

export class Archive {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #uids: Uids;
  /** The newest id; read from the table after the object was forgotten. */
  #last: number | undefined;

  constructor(sql: Sql, owner: number, uids: Uids) {
    this.#sql = sql;
    this.#owner = owner;
    this.#uids = uids;
  }

  get sql(): Sql {
    return this.#sql;
  }
  get owner(): number {
    return this.#owner;
  }

  /** The newest id, hidden or not; 0 when there is none. */
  get last(): number {
    this.#last ??=
      this.#sql<{ id: number | null }>`SELECT max(id) AS id FROM archive WHERE owner = ${this.#owner}`[0]?.id ?? 0;
    return this.#last;
  }

  /** Writes a message, one row. @returns its id, above all others */
  add({ peer, outgoing, hidden, stanza, origin }: Entry): number {
    const id = Math.max(this.last + 1, idAt(Date.now()));
    this.#last = id;
    this
      .#sql`INSERT INTO archive VALUES (${this.#owner}, ${id}, ${peer.bare.toString()}, ${outgoing ? 1 : 0}, ${hidden ? 1 : 0},
      ${stanza.type}, ${stanza.id}, ${stanza.from.toString()}, ${stanza.to?.toString() ?? ""}, ${stanza.lang},
      ${stanza.inner}, ${stanza.traits}, ${origin ?? 0})`;
    return id;
  }

  /** The message of that id, unless it is hidden. */
  get(id: number): Archived | undefined {
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id = ${id} AND hidden = 0`[0];
  }

  /** What clients call the message of that id (XEP-0359 stanza-id). */
  uid(id: number): string {
    return this.#uids.seal([id])[0] as string;
  }

  uids(ids: readonly number[]): string[] {
    return this.#uids.seal(ids);
  }

  /** Where a UID lies; undefined where it is none of this archive's. */
  position(uid: string): number | undefined {
    return this.#uids.open(uid);
  }

  /** The message of that UID. */
  find(uid: string): Archived | undefined {
    const id = this.position(uid);
    return id === undefined ? undefined : this.get(id);
  }

  /** The newest message of that author whose `id` attribute it is, among the last 10,000. */
  findByMessageId(mid: string, { peer, outgoing }: Authorship): Archived | undefined {
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id >= ${this.#reach()}
      AND mid = ${mid} AND peer = ${peer.bare.toString()} AND outgoing = ${outgoing ? 1 : 0} AND hidden = 0
      ORDER BY id DESC LIMIT 1`[0];
  }

  /** The newest message of that author with that origin-id (XEP-0359), among the last 10,000. */
  findByOriginId(originId: string, { peer, outgoing }: Authorship): Archived | undefined {
    const rows = this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id >= ${this.#reach()}
      AND peer = ${peer.bare.toString()} AND outgoing = ${outgoing ? 1 : 0} AND hidden = 0
      AND instr(inner, ${`<origin-id xmlns="urn:xmpp:sid:0"`}) AND instr(inner, ${originId})
      ORDER BY id DESC LIMIT 10`;
    const named = ({ name, attrs }: Element) =>
      name === "origin-id" && attrs.xmlns === "urn:xmpp:sid:0" && attrs.id === originId;
    return rows.find(({ inner }) => readFragment(inner, CLIENT).some(named));
  }

  /** The id that `LOOK_BACK` messages are not older than. */
  #reach(): number {
    return (
      this.#sql<{ id: number }>`SELECT id FROM archive WHERE owner = ${this.#owner} ORDER BY id DESC
        LIMIT 1 OFFSET ${LOOK_BACK}`[0]?.id ?? 0
    );
  }

  /** Replaces what a message said by what is said about it (XEP-0424 §5, XEP-0425 §5); its id, time and addresses stay. */
  tombstone(id: number, ...children: readonly Element[]): void {
    const inner = children.map((child) => serialise(child, CLIENT)).join("");
    this
      .#sql`UPDATE archive SET inner = ${inner}, lang = '', traits = traits & ~${Trait.BODY} WHERE owner = ${this.#owner} AND id = ${id}`;
  }

  /** The oldest and the newest message that is not hidden; undefined where there is none. */
  ends(): { first: number; last: number } | undefined {
    const [first] = this.#sql<{ id: number }>`SELECT id FROM archive WHERE owner = ${this.#owner} AND hidden = 0
      ORDER BY id LIMIT 1`;
    const [last] = this.#sql<{ id: number }>`SELECT id FROM archive WHERE owner = ${this.#owner} AND hidden = 0
      ORDER BY id DESC LIMIT 1`;
    return first && last && { first: first.id, last: last.id };
  }

  /** The newest messages before `before`, oldest first, at most `limit` and none from before `since` (ms): a room's history. */
  newest(limit: number, since = 0, before = MAX_ID): Archived[] {
    return this
      .#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id >= ${idAt(since)} AND id < ${before}
      AND hidden = 0 ORDER BY id DESC LIMIT ${limit}`.reverse();
  }

  /** Messages received after a position, oldest first: what has not reached any client yet. */
  received(after: number, limit: number): Archived[] {
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id > ${after} AND outgoing = 0
      ORDER BY id LIMIT ${limit}`;
  }

  /** The same without those that somebody reads by himself, up to `read`: he finds none that are hidden. */
  waiting(after: number, read: number, limit: number): Archived[] {
    if (after >= this.last) return [];
    return this.#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id > ${after} AND outgoing = 0
      AND (hidden = 1 OR id > ${read}) ORDER BY id LIMIT ${limit}`;
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

  /** Where this very message lies, if it was sent since a moment (ms). One without an id cannot be told from its like. */
  sentAs({ id, from, to, inner }: Stanza, since: number): number | undefined {
    if (!id) return undefined;
    return this.recent(since, RECENT).find(
      (row) =>
        row.mid === id && row.inner === inner && row.sender === from.toString() && row.receiver === to?.toString(),
    )?.id;
  }

  /** The newest messages sent since a moment (ms). */
  recent(since: number, limit: number): Archived[] {
    return this
      .#sql<Archived>`SELECT * FROM archive WHERE owner = ${this.#owner} AND id >= ${idAt(since)} AND outgoing = 1
      ORDER BY id DESC LIMIT ${limit}`;
  }

  /** Drops received messages that were only kept until somebody had them. */
  forget(upTo: number): void {
    this.#sql`DELETE FROM archive WHERE owner = ${this.#owner} AND hidden = 1 AND outgoing = 0 AND id <= ${upTo}`;
  }

  /** Drops sent messages that were only kept until they were passed on. */
  forgetSent(upTo: number): void {
    this.#sql`DELETE FROM archive WHERE owner = ${this.#owner} AND hidden = 1 AND outgoing = 1 AND id <= ${upTo}`;
  }

  clear(): void {
    this.#sql`DELETE FROM archive WHERE owner = ${this.#owner}`;
    this.#last = undefined;
  }
}
