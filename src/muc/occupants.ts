/** XEP-0045 §5.1, §7.2: who is in a room, by which nick and from which streams. */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";

export type Role = "moderator" | "participant" | "visitor" | "none";

export const ROLES: readonly Role[] = ["moderator", "participant", "visitor"];

/** One row per session: the room that was forgotten comes back with everybody who was in it. */
export const OCCUPANT: Table = {
  name: "occupant",
  steps: [
    `CREATE TABLE occupant (
       owner INTEGER NOT NULL, jid TEXT NOT NULL, nick TEXT NOT NULL, role TEXT NOT NULL, gate TEXT NOT NULL,
       sid TEXT NOT NULL, address TEXT NOT NULL, shown INTEGER NOT NULL, presence TEXT NOT NULL,
       PRIMARY KEY (owner, jid)) WITHOUT ROWID`,
  ],
};

interface Row {
  jid: string;
  nick: string;
  role: string;
  gate: string;
  sid: string;
  address: string;
  shown: number;
  presence: string;
}

/** One client of an occupant: several resources of an account may share a nick (§7.2.8). */
export interface Session {
  readonly jid: Jid;
  /** Both "" when it is on another server. */
  gate: string;
  sid: string;
  /** A guest's address, as the keyed hash that a ban needs; else "". */
  readonly address: string;
  /** When it sent its presence, in ms, and that presence's children as text. */
  shown: number;
  presence: string;
}

/** An occupant's presence as moderators see it, and as others do. */
export interface Shown {
  open: Stanza;
  closed: Stanza;
}

export interface Occupant {
  nick: string;
  /** The bare address. */
  readonly jid: Jid;
  /** XEP-0421: a pseudonym that stays. */
  readonly id: string;
  role: Role;
  /** The session whose presence is shown comes first. */
  readonly sessions: Session[];
  /** A cache, dropped whenever something it shows has changed. */
  seen: Shown | undefined;
}

/** The streams of a part of the room, by gate; and those on other servers. */
export interface Audience {
  readonly gates: ReadonlyMap<string, string[]>;
  readonly remote: readonly Jid[];
}

/** Nicks that look alike are the same nick: no guest can be taken for somebody else by its capitals. */
export const nickKey = (nick: string): string => nick.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();

export class Occupants {
  readonly #sql: Sql;
  readonly #owner: number;
  readonly #nicks = new Map<string, Occupant>();
  readonly #keys = new Map<string, Occupant>();
  readonly #sessions = new Map<string, { occupant: Occupant; session: Session }>();
  readonly #streams = new Map<string, string>();
  #audiences: { moderators: Audience; others: Audience; all: Audience } | undefined;

  constructor(sql: Sql, owner: number, idOf: (jid: Jid) => string) {
    this.#sql = sql;
    this.#owner = owner;
    const rows = sql<Row>`SELECT jid, nick, role, gate, sid, address, shown, presence FROM occupant
      WHERE owner = ${owner} ORDER BY shown DESC`;
    for (const { jid: text, nick, role, ...rest } of rows) {
      const jid = Jid.parse(text);
      const occupant = this.#nicks.get(nick) ?? this.#create(nick, jid.bare, idOf(jid), role as Role);
      const session = { jid, ...rest };
      occupant.sessions.push(session);
      this.#index(occupant, session);
    }
  }

  #create(nick: string, jid: Jid, id: string, role: Role): Occupant {
    const occupant: Occupant = { nick, jid, id, role, sessions: [], seen: undefined };
    this.#nicks.set(nick, occupant);
    this.#keys.set(nickKey(nick), occupant);
    return occupant;
  }

  #index(occupant: Occupant, session: Session): void {
    this.#sessions.set(session.jid.toString(), { occupant, session });
    if (session.sid) this.#streams.set(session.sid, session.jid.toString());
    this.#audiences = undefined;
  }

  get size(): number {
    return this.#nicks.size;
  }

  [Symbol.iterator](): IterableIterator<Occupant> {
    return this.#nicks.values();
  }

  get(nick: string): Occupant | undefined {
    return this.#nicks.get(nick);
  }

  /** The occupant whose nick looks like this one. */
  like(nick: string): Occupant | undefined {
    return this.#keys.get(nickKey(nick));
  }

  session(jid: Jid): { occupant: Occupant; session: Session } | undefined {
    return this.#sessions.get(jid.toString());
  }

  stream(sid: string): { occupant: Occupant; session: Session } | undefined {
    const jid = this.#streams.get(sid);
    return jid === undefined ? undefined : this.#sessions.get(jid);
  }

  of(jid: Jid): Occupant[] {
    const bare = jid.bare;
    return [...this.#nicks.values()].filter((occupant) => occupant.jid.equals(bare));
  }

  add(nick: string, id: string, role: Role, session: Session): Occupant {
    const occupant = this.#nicks.get(nick) ?? this.#create(nick, session.jid.bare, id, role);
    occupant.sessions.unshift(session);
    occupant.seen = undefined;
    this.#index(occupant, session);
    this.save(occupant, session);
    return occupant;
  }

  /** Writes a session's row. */
  save({ nick, role }: Occupant, { jid, gate, sid, address, shown, presence }: Session): void {
    this.#sql`INSERT OR REPLACE INTO occupant VALUES (${this.#owner}, ${jid.toString()}, ${nick}, ${role}, ${gate},
      ${sid}, ${address}, ${shown}, ${presence})`;
  }

  /** A session has a new presence: it is the one that is shown. */
  update(occupant: Occupant, session: Session): void {
    const { sessions } = occupant;
    sessions.splice(sessions.indexOf(session), 1);
    sessions.unshift(session);
    occupant.seen = undefined;
    this.save(occupant, session);
  }

  /** A stream has gone on to another gate. */
  move(occupant: Occupant, session: Session, gate: string, sid: string): void {
    this.#streams.delete(session.sid);
    session.gate = gate;
    session.sid = sid;
    this.#index(occupant, session);
    this.save(occupant, session);
  }

  setRole(occupant: Occupant, role: Role): void {
    if (occupant.role === role) return;
    occupant.role = role;
    occupant.seen = undefined;
    this.#audiences = undefined;
    for (const session of occupant.sessions) this.save(occupant, session);
  }

  rename(occupant: Occupant, nick: string): void {
    this.#nicks.delete(occupant.nick);
    this.#keys.delete(nickKey(occupant.nick));
    occupant.nick = nick;
    occupant.seen = undefined;
    this.#nicks.set(nick, occupant);
    this.#keys.set(nickKey(nick), occupant);
    for (const session of occupant.sessions) this.save(occupant, session);
  }

  /** Takes a session out; with its last one the occupant is gone. */
  remove(occupant: Occupant, session: Session): void {
    const { sessions } = occupant;
    sessions.splice(sessions.indexOf(session), 1);
    occupant.seen = undefined;
    this.#sessions.delete(session.jid.toString());
    this.#streams.delete(session.sid);
    this.#audiences = undefined;
    this.#sql`DELETE FROM occupant WHERE owner = ${this.#owner} AND jid = ${session.jid.toString()}`;
    if (sessions.length > 0) return;
    this.#nicks.delete(occupant.nick);
    this.#keys.delete(nickKey(occupant.nick));
  }

  /** What occupants' presences say of them has changed for all. */
  unsee(): void {
    for (const occupant of this.#nicks.values()) occupant.seen = undefined;
  }

  /** The lists that deliveries need: made when somebody comes or goes, not for each message. */
  get audiences(): { moderators: Audience; others: Audience; all: Audience } {
    this.#audiences ??= {
      moderators: audience([...this.#nicks.values()].filter(({ role }) => role === "moderator")),
      others: audience([...this.#nicks.values()].filter(({ role }) => role !== "moderator")),
      all: audience(this.#nicks.values()),
    };
    return this.#audiences;
  }

  clear(): void {
    this.#nicks.clear();
    this.#keys.clear();
    this.#sessions.clear();
    this.#streams.clear();
    this.#audiences = undefined;
    this.#sql`DELETE FROM occupant WHERE owner = ${this.#owner}`;
  }
}

export function audience(occupants: Iterable<Occupant>): Audience {
  const gates = new Map<string, string[]>();
  const remote: Jid[] = [];
  for (const { sessions } of occupants)
    for (const { jid, gate, sid } of sessions) {
      const sids = gates.get(gate);
      if (!gate) remote.push(jid);
      else if (sids) sids.push(sid);
      else gates.set(gate, [sid]);
    }
  return { gates, remote };
}
