/** RFC 6121 §2–4: the connected resources of an account, and where their streams are. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Jid } from "../protocol/jid.ts";
import { type Envelope, Stanza } from "../protocol/stanza.ts";

export const RESOURCE: Table = {
  name: "resource",
  steps: [
    `CREATE TABLE resource (
       owner INTEGER NOT NULL, name TEXT NOT NULL, gate TEXT NOT NULL, sid TEXT NOT NULL, state TEXT NOT NULL,
       PRIMARY KEY (owner, name)) WITHOUT ROWID`,
  ],
};

/** What features remember of a resource for as long as it is connected. JSON, kept in its row. */
export interface State {
  priority: number;
  /** Its last available presence, when it is available. */
  presence?: Envelope;
  /** When it sent that, in ms. */
  shown?: number;
  /** Asked for the roster, so it gets pushes (RFC 6121 §2.1.6). */
  roster?: true;
  /** Asked for the block list (XEP-0191 §3.2). */
  blocklist?: true;
  carbons?: true;
  /** Up to which archive id nothing was for it: it was not there yet, or it was all read. */
  from?: number;
  /** Up to which archive id its client has acknowledged what it was handed. */
  acked: number;
  /** The newest archive id it was handed. */
  handed: number;
  /** It catches up with its mail in pages; this is the end of the one it has to acknowledge before the next. */
  behind?: number;
  /** Up to which archive id it reads the archive by itself, because it did so before it was available (XEP-0313 §6.1.1). */
  read?: number;
  /** Users that were sent directed presence (RFC 6121 §4.6). */
  directed?: string[];
  /** The hash of its capabilities (XEP-0115), and the nodes whose events it asks for by them, once that is known. */
  caps?: string;
  notify?: string[];
  /** Where its client reaches this server: "https://chat.example". */
  site?: string;
  /** The client's own id across its streams (XEP-0386 §3). */
  client?: string;
}

export interface Resource {
  readonly jid: Jid;
  gate: string;
  sid: string;
  readonly state: State;
}

interface Row {
  name: string;
  gate: string;
  sid: string;
  state: string;
}

/** Whether a message of the archive may be on its way to it still. */
export const isOwed = ({ state }: Resource, mark: number): boolean => (state.from ?? 0) < mark && state.acked < mark;

export const isReceptive = ({ state }: Resource): boolean => state.presence !== undefined && state.priority >= 0;

/** Whether somebody has to be told when it is no more. */
const isSeen = ({ state }: Resource): boolean => state.presence !== undefined || state.directed !== undefined;

export class Resources {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #all = new Map<string, Resource>();
  readonly #dirty = new Set<Resource>();
  /** Bound, seen by nobody, and in no row yet. */
  readonly #newcomers = new Set<Resource>();
  /** The presence as a stanza, so that it is read and written once for all who see it. */
  readonly #presences = new WeakMap<Envelope, Stanza>();

  constructor(sql: Sql, owner: number, jid: Jid) {
    this.#sql = sql;
    this.#owner = owner;
    for (const row of sql<Row>`SELECT name, gate, sid, state FROM resource WHERE owner = ${owner}`) {
      const { name, gate, sid } = row;
      this.#all.set(name, { jid: jid.with(name), gate, sid, state: JSON.parse(row.state) });
    }
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<Resource> {
    return this.#all.values();
  }

  get(name: string): Resource | undefined {
    return this.#all.get(name);
  }

  bySid(sid: string): Resource | undefined {
    for (const resource of this.#all.values()) if (resource.sid === sid) return resource;
    return undefined;
  }

  get available(): Resource[] {
    return [...this.#all.values()].filter((resource) => resource.state.presence);
  }

  /** Available with a priority that is not negative: those who get messages to the bare JID (§8.5.2.1.1). */
  get receptive(): Resource[] {
    return [...this.#all.values()].filter(isReceptive);
  }

  presence(resource: Resource): Stanza | undefined {
    const { presence } = resource.state;
    if (!presence) return undefined;
    let stanza = this.#presences.get(presence);
    if (!stanza) {
      stanza = Stanza.open(presence);
      this.#presences.set(presence, stanza);
    }
    return stanza;
  }

  add(resource: Resource): void {
    this.#all.set(resource.jid.resource, resource);
    this.#newcomers.add(resource);
    this.#dirty.add(resource);
  }

  /** Whether some have no row. */
  get unsaved(): boolean {
    return this.#newcomers.size > 0;
  }

  /** Marks a resource whose row must be written when the event is over. */
  touch(resource: Resource): void {
    this.#dirty.add(resource);
  }

  remove(resource: Resource): void {
    this.#all.delete(resource.jid.resource);
    this.#dirty.delete(resource);
    if (!this.#newcomers.delete(resource))
      this.#sql`DELETE FROM resource WHERE owner = ${this.#owner} AND name = ${resource.jid.resource}`;
  }

  /**
   * Writes what has changed: once per event, however often it was touched. A newcomer has its row when somebody sees it, or
   * `later`: on its way there its client changes it three times, and all that is lost with it is that it was bound.
   */
  save(later = false): void {
    for (const resource of this.#newcomers) if (later || isSeen(resource)) this.#newcomers.delete(resource);
    for (const resource of this.#dirty) if (!this.#newcomers.has(resource)) this.#write(resource);
  }

  #write(resource: Resource): void {
    const { jid, gate, sid, state } = resource;
    this
      .#sql`INSERT OR REPLACE INTO resource VALUES (${this.#owner}, ${jid.resource}, ${gate}, ${sid}, ${JSON.stringify(state)})`;
    this.#dirty.delete(resource);
  }
}
