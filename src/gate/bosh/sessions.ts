/** XEP-0124: the BOSH sessions of one gate; each is the socket of a stream like any other — https://xmpp.org/extensions/xep-0124.html */
import type { Alarms } from "../../kernel/due.ts";
import type { Table } from "../../kernel/feature.ts";
import type { Sql } from "../../kernel/sql.ts";
import { randomName } from "../../protocol/base32.ts";
import { type Limits, PRE_AUTH_LIMITS } from "../../xml/reader.ts";
import type { StreamState } from "../state.ts";
import type { Stream } from "../stream.ts";
import { type Request, readRequest, sidOf } from "./request.ts";
import type { Leg } from "./responses.ts";
import { newSession, Session, type SessionState } from "./session.ts";
import { type Terminal, terminate } from "./wire.ts";

export const BOSH: Table = {
  name: "bosh",
  steps: ["CREATE TABLE bosh (sid TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID"],
};

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
  hash: string;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  readonly #sessions = new Map<string, Session>();

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
    for (const { state } of ports.sql<{ state: string }>`SELECT state FROM bosh`) this.#revive(JSON.parse(state));
  }

  #revive(state: SessionState): void {
    // Of a version that is no more: its client is told that there is no such session.
    if (state.version !== 2) return void this.#ports.sql`DELETE FROM bosh WHERE sid = ${(state as SessionState).sid}`;
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
   * One request's text. `newcomer` makes the state of a new stream, where one may begin; `secure`: nobody could have read it
   * on the way.
   */
  request(text: string, secure: boolean, leg: Leg, newcomer?: () => StreamState): Taken {
    const sid = sidOf(text);
    const session = sid === undefined ? undefined : this.#sessions.get(sid);
    // §7.1: who asks for a session that is not here, or in the clear for one that was not (§19.1), finds none.
    if (sid !== undefined && (!session || (session.state.stream.secure && !secure)))
      return refused(leg, "item-not-found");
    const request = readRequest(text, this.#limits(session));
    if (typeof request === "string") {
      session?.drop("other-request");
      return refused(leg, request);
    }
    if (!session) return newcomer ? this.#create(request, leg, newcomer()) : refused(leg, "item-not-found");
    session.request(request, leg);
    for (let next = session.next(); next !== undefined; next = session.next()) {
      const early = readRequest(next, this.#limits(session));
      // It was read when it came; only its stream's limits may have changed since.
      if (typeof early === "string") session.drop(early);
      else session.take(early);
    }
    session.flush();
    return { session, rid: request.rid, hash: request.hash };
  }

  #limits(session: Session | undefined): Limits {
    return session?.state.stream.phase.at === "bound" ? this.#ports.limits : PRE_AUTH_LIMITS;
  }

  #create(request: Request, leg: Leg, stream: StreamState): Taken {
    if (request.body.attrs.sid !== undefined) return refused(leg, "item-not-found");
    const state = newSession(`${this.#ports.gate}.${randomName(160)}`, request, stream, Date.now());
    if (typeof state === "string") return refused(leg, state);
    const session = this.#make(state);
    session.stream = this.#ports.accept(stream, session);
    session.create(request, leg);
    this.#expect(session);
    return { session, rid: request.rid, hash: request.hash };
  }

  /** One alarm a session: it looks, and is set again while there is a reason. A request moves nothing but a field. */
  #expect(session: Session): void {
    this.#ports.alarms.wake("gate bosh", session.state.sid, session.deadline);
  }

  /** A session's alarm: its client has been silent for too long, or the session is over. */
  alarm(sid: string, now = Date.now()): void {
    const session = this.#sessions.get(sid);
    if (!session) return;
    if (!session.idle) {
      this.#ports.alarms.wake("gate bosh", sid, now + session.state.inactivity * 1000);
      return;
    }
    if (session.deadline > now) return this.#expect(session);
    this.#sessions.delete(sid);
    this.#ports.sql`DELETE FROM bosh WHERE sid = ${sid}`;
    if (session.state.ended === undefined) this.#ports.lost(session.stream);
  }
}

function refused(leg: Leg, condition: Terminal): Taken {
  leg.answer(terminate(condition));
  return { session: undefined, rid: 0, hash: "" };
}
