/** XEP-0175 and XEP-0484: the guests that began at this gate, who have no other server: how they come back, and where they are. */
import type { Alarms } from "../kernel/due.ts";
import type { Table } from "../kernel/feature.ts";
import type { Post } from "../kernel/post.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Judgement } from "../protocol/authentication.ts";
import { isDue, newToken, type Token, type TokenSlots, useToken } from "../protocol/fast.ts";
import { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { BindRequest, Bound, Claim, LoginCalls } from "./calls.ts";
import type { Stream } from "./stream.ts";

/** A guest who asked for a token, until it expires. Who asks for none leaves nothing behind. */
export const GUEST: Table = {
  name: "guest",
  steps: [
    `CREATE TABLE guest (jid TEXT PRIMARY KEY, client TEXT NOT NULL, slots TEXT NOT NULL, address TEXT NOT NULL,
       expires INTEGER NOT NULL) WITHOUT ROWID`,
  ],
};

/** Streams of guests that their address does not tell: further ones, and those that went on to another gate. */
export const GUEST_STREAM: Table = {
  name: "guest_stream",
  steps: [
    `CREATE TABLE guest_stream (jid TEXT NOT NULL, sid TEXT NOT NULL, resource TEXT NOT NULL, gate TEXT NOT NULL,
       PRIMARY KEY (jid, sid)) WITHOUT ROWID`,
  ],
};

export const GUEST_TOKEN_MS = 24 * 3_600_000;
const SWEEP_MS = 3_600_000;
/** Guests whose tokens are kept: of one address, and at one gate; the next sweep drops those that came first. */
const KEPT = { address: 100, gate: 10_000 };
/** Streams of one guest. */
const STREAMS = 10;

interface Place {
  sid: string;
  resource: string;
  gate: string;
}

export interface GuestPorts {
  gate: string;
  sql: Sql;
  alarms: Alarms;
  post: Post;
  /** A stream of this gate. */
  stream(sid: string): Stream | undefined;
  /** Asks a gate, this one too, which of these streams it does not have. */
  missing(gate: string, sids: string[]): Promise<string[]>;
}

export class Guests implements LoginCalls {
  readonly #ports: GuestPorts;

  constructor(ports: GuestPorts) {
    this.#ports = ports;
  }

  async judge(jid: string, claim: Claim): Promise<Judgement> {
    const kept = this.#kept(jid);
    // Whatever is wrong with it: the guest is somebody new now, and nobody is locked out for that (XEP-0484 §5).
    const refused = (reason: string) => ({ ok: false, reason, condition: "credentials-expired" }) as const;
    if (!("proof" in claim) || kept?.client !== claim.client) return refused("no such guest");
    const verdict = useToken(kept.slots, claim.proof, Date.now(), claim.fast.count);
    if (!verdict.ok) return refused(verdict.reason);
    const { invalidate } = claim.fast;
    const { sql } = this.#ports;
    if (invalidate) sql`DELETE FROM guest WHERE jid = ${jid}`;
    else if (verdict.changed) sql`UPDATE guest SET slots = ${JSON.stringify(verdict.slots)} WHERE jid = ${jid}`;
    return { ok: true, data: verdict.data, due: !invalidate && isDue(verdict.token, Date.now(), GUEST_TOKEN_MS) };
  }

  async issue(jid: string, client: string, mechanism: string, address: string): Promise<Token> {
    const token = newToken(mechanism, Date.now(), GUEST_TOKEN_MS);
    const kept = this.#kept(jid);
    const slots: TokenSlots = { ...(kept?.client === client && kept.slots), fresh: token };
    this.#ports.sql`INSERT OR REPLACE INTO guest
      VALUES (${jid}, ${client}, ${JSON.stringify(slots)}, ${address}, ${token.expires})`;
    this.#sweepLater();
    return token;
  }

  /** Unlike an account's, a client of a guest's may have several streams: they are tabs of one browser. */
  async bind(jid: string, { gate, sid, resource }: BindRequest): Promise<Bound> {
    await this.#verify(jid);
    const places = this.#places(jid);
    if (places.length >= STREAMS)
      return { ok: false, condition: "resource-constraint", text: `A guest has at most ${STREAMS} streams.` };
    const wanted = Jid.tryParse(`${jid}/${resource ?? ""}`)?.resource;
    const free = wanted && !places.some((place) => place.resource === wanted);
    const place = { sid, gate, resource: free ? wanted : crypto.randomUUID() };
    this.#put(jid, place);
    return { ok: true, resource: place.resource };
  }

  async resume(jid: string, sid: string, gate: string): Promise<string | undefined> {
    const place = this.#places(jid).find((each) => each.sid === sid);
    if (!place) return undefined;
    this.#put(jid, { ...place, gate });
    if (place.gate !== gate) await this.#ports.post.drained(place.gate);
    return place.gate;
  }

  /** A stream of a guest's has ended. */
  ended(jid: string, sid: string): void {
    this.#ports.sql`DELETE FROM guest_stream WHERE jid = ${jid} AND sid = ${sid}`;
  }

  /** Hands a stanza to the stream that it is addressed to; one to the bare address to all. @returns whether there is any */
  deliver(stanza: Stanza): boolean {
    const { to } = stanza;
    // Nobody else answers for a guest, and its clients would all do so.
    if (!to || (!to.full && stanza.kind === "iq")) return false;
    const places = this.#places(to.bare.toString()).filter(({ resource }) => !to.full || resource === to.resource);
    for (const { gate, sid } of places)
      if (gate === this.#ports.gate) this.#ports.stream(sid)?.deliver(stanza);
      else this.#ports.post.deliver(gate, [sid], stanza);
    return places.length > 0;
  }

  /** Forgets who will not come back, and streams that went without a word. Goes on while there is anything to forget. */
  async sweep(): Promise<void> {
    const { sql } = this.#ports;
    sql`DELETE FROM guest WHERE expires <= ${Date.now()}`;
    sql`DELETE FROM guest WHERE jid IN (SELECT jid FROM guest ORDER BY expires DESC LIMIT -1 OFFSET ${KEPT.gate})`;
    const crowds = sql<{
      address: string;
    }>`SELECT address FROM guest GROUP BY address HAVING count(*) > ${KEPT.address}`;
    for (const { address } of crowds)
      sql`DELETE FROM guest WHERE jid IN (
        SELECT jid FROM guest WHERE address = ${address} ORDER BY expires DESC LIMIT -1 OFFSET ${KEPT.address})`;
    for (const { jid } of sql<{ jid: string }>`SELECT DISTINCT jid FROM guest_stream`) await this.#verify(jid);
    if (sql`SELECT 1 FROM guest LIMIT 1`.length + sql`SELECT 1 FROM guest_stream LIMIT 1`.length > 0)
      this.#sweepLater();
  }

  #sweepLater(): void {
    const { alarms } = this.#ports;
    if (!alarms.pending("gate guests", "")) alarms.wake("gate guests", "", Date.now() + SWEEP_MS);
  }

  #kept(jid: string): { client: string; slots: TokenSlots } | undefined {
    const [row] = this.#ports.sql<{
      client: string;
      slots: string;
    }>`SELECT client, slots FROM guest WHERE jid = ${jid}`;
    return row && { client: row.client, slots: JSON.parse(row.slots) };
  }

  #put(jid: string, { sid, resource, gate }: Place): void {
    const { sql } = this.#ports;
    if (gate === this.#ports.gate && isFirst(jid, sid)) return this.ended(jid, sid);
    sql`INSERT OR REPLACE INTO guest_stream VALUES (${jid}, ${sid}, ${resource}, ${gate})`;
    this.#sweepLater();
  }

  /** Where a guest's streams are. */
  #places(jid: string): Place[] {
    const { sql, gate } = this.#ports;
    const places = sql<Place & Record<string, string>>`SELECT sid, resource, gate FROM guest_stream WHERE jid = ${jid}`;
    const id = jid.slice(jid.indexOf(".") + 1, jid.indexOf("@"));
    const first = places.some(({ sid }) => isFirst(jid, sid)) ? undefined : this.#ports.stream(id);
    if (!first?.jid || first.ended || first.jid.bare.toString() !== jid) return places;
    return [{ sid: first.sid, resource: first.jid.resource, gate }, ...places];
  }

  /** Forgets streams that their gates do not have: a crash leaves such rows. */
  async #verify(jid: string): Promise<void> {
    const { sql, missing } = this.#ports;
    const rows = sql<{ sid: string; gate: string }>`SELECT sid, gate FROM guest_stream WHERE jid = ${jid}`;
    for (const [gate, streams] of Map.groupBy(rows, (row) => row.gate))
      for (const sid of await missing(
        gate,
        streams.map((stream) => stream.sid),
      ))
        sql`DELETE FROM guest_stream WHERE jid = ${jid} AND sid = ${sid} AND gate = ${gate}`;
  }
}

/** A guest is called after the stream that it came by, at the gate where that was. */
const isFirst = (jid: string, sid: string): boolean => jid.slice(0, jid.indexOf("@")).endsWith(`.${sid}`);
