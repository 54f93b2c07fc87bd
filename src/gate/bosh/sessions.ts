/** XEP-0124: the BOSH sessions of one gate; each is the socket of a stream like any other — https://xmpp.org/extensions/xep-0124.html */
import type { Alarms } from "../../kernel/due.ts";
import type { Table } from "../../kernel/feature.ts";
import type { Sql } from "../../kernel/sql.ts";
import { randomName } from "../../protocol/base32.ts";
import type { Element } from "../../xml/element.ts";
import { type Limits, PRE_AUTH_LIMITS, read, XmlError } from "../../xml/reader.ts";
import type { StreamState } from "../state.ts";
import type { Stream } from "../stream.ts";
import { type Leg, newSession, Session, type SessionState } from "./session.ts";
import { HTTPBIND, integer, terminate } from "./wire.ts";

export const BOSH: Table = {
  name: "bosh",
  steps: ["CREATE TABLE bosh (sid TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID"],
};

/** Beside its stanzas a wrapper has room for its own attributes. */
const WRAPPER = 4096;

export interface SessionsPorts {
  gate: string;
  sql: Sql;
  alarms: Alarms;
  limits: Limits;
  accept(state: StreamState, socket: Session): Stream;
  lost(stream: Stream): void;
}

/** What becomes of a request: the response is given to the leg, now or later. */
export interface Taken {
  session: Session | undefined;
  rid: number;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  readonly #sessions = new Map<string, Session>();

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
    for (const { state } of ports.sql<{ state: string }>`SELECT state FROM bosh`) this.#revive(JSON.parse(state));
  }

  #revive(state: SessionState): void {
    if (state.version !== 1) return;
    const session = this.#make(state);
    if (state.ended === undefined) session.stream = this.#ports.accept(state.stream, session);
  }

  #make(state: SessionState): Session {
    const { sql } = this.#ports;
    const session = new Session(state, {
      now: Date.now,
      save: ({ sid }, text) => void sql`INSERT OR REPLACE INTO bosh VALUES (${sid}, ${text})`,
      over: ({ stream }) => stream && this.#ports.lost(stream),
    });
    this.#sessions.set(state.sid, session);
    return session;
  }

  get(sid: string): Session | undefined {
    return this.#sessions.get(sid);
  }

  /**
   * One request's text. `newcomer` makes the state of a new stream for a request without sid; `secure`: nobody could have
   * read it on the way.
   */
  request(text: string, secure: boolean, leg: Leg, newcomer: () => StreamState): Taken {
    const sid = /^[^>]*?\ssid=(?:"([^"]*)"|'([^']*)')/.exec(text);
    const session = sid ? this.#sessions.get(sid[1] ?? sid[2] ?? "") : undefined;
    const refuse = (condition: "bad-request" | "item-not-found" | "policy-violation"): Taken => {
      leg.answer(terminate(condition));
      return { session: undefined, rid: 0 };
    };
    // §7.1: who asks for a session that is not here, or in the clear for one that was not, finds none.
    if (sid && (!session || (session.state.stream.secure && !secure))) return refuse("item-not-found");
    const bound = session?.state.stream.phase.at === "bound";
    const limits = bound ? this.#ports.limits : PRE_AUTH_LIMITS;
    let body: Element;
    try {
      body = read(text, { ...limits, bytes: limits.bytes + WRAPPER, depth: limits.depth + 1 });
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      const condition = error.condition === "policy-violation" ? "policy-violation" : "bad-request";
      if (session) this.#drop(session, condition);
      return refuse(condition);
    }
    const rid = integer(body, "rid");
    const loose = body.children.some((child) => typeof child === "string" && child.trim() !== "");
    if (body.name !== "body" || body.attrs.xmlns !== HTTPBIND || rid === undefined || loose)
      return refuse("bad-request");
    if (!session) return this.#create(body, text, leg, rid, newcomer());
    session.request(rid, body, text, leg);
    for (let next = session.next(); next; next = session.next())
      session.take(next[0], read(next[1], limits), next[1].length);
    session.flush();
    return { session, rid };
  }

  #create(body: Element, text: string, leg: Leg, rid: number, stream: StreamState): Taken {
    const state = newSession(`${this.#ports.gate}.${randomName(160)}`, body, stream, Date.now());
    if (typeof state === "string") {
      leg.answer(terminate(state));
      return { session: undefined, rid: 0 };
    }
    const session = this.#make(state);
    session.stream = this.#ports.accept(stream, session);
    session.create(body, text, leg);
    this.#expect(session);
    return { session, rid };
  }

  #drop(session: Session, condition: "bad-request" | "policy-violation"): void {
    session.close(1000, condition);
    this.#ports.lost(session.stream);
  }

  /** One alarm a session: it looks, and is set again while there is a reason. A request moves nothing but a field. */
  #expect(session: Session): void {
    this.#ports.alarms.wake("bosh", session.state.sid, session.deadline);
  }

  /** A session's alarm: its client has been silent for too long, or the session is over. */
  alarm(sid: string, now = Date.now()): void {
    const session = this.#sessions.get(sid);
    if (!session) return;
    if (!session.idle) {
      this.#ports.alarms.wake("bosh", sid, now + session.state.inactivity * 1000);
      return;
    }
    if (session.deadline > now) return this.#expect(session);
    this.#sessions.delete(sid);
    this.#ports.sql`DELETE FROM bosh WHERE sid = ${sid}`;
    if (session.state.ended === undefined) this.#ports.lost(session.stream);
  }
}
