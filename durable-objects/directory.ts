/** The host's lists, and the keys that this deployment made for itself. */
import { DurableObject } from "cloudflare:workers";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Secrets } from "../src/kernel/entity.ts";
import type { Table } from "../src/kernel/feature.ts";
import { migrate, type Sql, type SqlStorage, sqlOver } from "../src/kernel/sql.ts";
import type { Listing } from "../src/muc/listing.ts";
import type { ToBridges } from "../src/peer/frames.ts";
import { randomName } from "../src/protocol/base32.ts";
import { settingsOf } from "../src/settings.ts";
import type { Env } from "./ports.ts";
import type { DirectoryRpc } from "./rpc.ts";

const TABLES: Table[] = [
  { name: "secret", steps: ["CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"] },
  { name: "listed", steps: ["CREATE TABLE listed (jid TEXT PRIMARY KEY) WITHOUT ROWID"] },
  {
    name: "invitation",
    steps: ["CREATE TABLE invitation (token TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID"],
  },
  {
    name: "api_key",
    steps: [
      "CREATE TABLE api_key (id TEXT PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID",
    ],
  },
  {
    name: "room",
    steps: [
      "CREATE TABLE room (jid TEXT PRIMARY KEY, creator TEXT NOT NULL, public INTEGER NOT NULL, listing TEXT NOT NULL) WITHOUT ROWID",
    ],
  },
];

/** Keys of the REST API. */
const KEYS = 100;
/** Rooms of one account (security.md D8). */
const ROOMS = 20;
const INVITATION_MS = 7 * 86_400_000;
const NAMES = ["salt", "occupant", "dialback", "archive", "upload", "address"] as const satisfies (keyof Secrets)[];

export class Directory extends DurableObject<Env> implements DirectoryRpc {
  readonly #sql: Sql;
  readonly #limits: boolean;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const storage = ctx.storage.sql as unknown as SqlStorage;
    migrate(storage, TABLES);
    this.#sql = sqlOver(storage);
    this.#limits = settingsOf(env).limits;
  }

  async secrets(): Promise<Secrets> {
    for (const name of NAMES) this.#sql`INSERT OR IGNORE INTO secret VALUES (${name}, ${randomName(256)})`;
    const rows = this.#sql<{ name: string; value: string }>`SELECT name, value FROM secret`;
    return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as unknown as Secrets;
  }

  /** A bridge's socket, which waits here until a server has to be reached; the edge has checked its token. */
  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(): void {
    // It only keeps the socket from being taken for dead.
  }

  async reach(domain: string): Promise<boolean> {
    const bridges = this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
    const bridge = bridges[Math.floor(Math.random() * bridges.length)];
    bridge?.send(JSON.stringify({ reach: domain } satisfies ToBridges));
    return bridge !== undefined;
  }

  async accounts(after = "", limit = 100): Promise<string[]> {
    return this.#sql<{ jid: string }>`SELECT jid FROM listed WHERE jid > ${after} ORDER BY jid LIMIT ${limit}`.map(
      ({ jid }) => jid,
    );
  }

  async listed(jid: string, there: boolean): Promise<void> {
    if (there) this.#sql`INSERT OR IGNORE INTO listed VALUES (${jid})`;
    else this.#sql`DELETE FROM listed WHERE jid = ${jid}`;
  }

  async rooms(limit = 1000): Promise<Listing[]> {
    const rows = this.#sql<{ listing: string }>`SELECT listing FROM room WHERE public = 1 ORDER BY jid LIMIT ${limit}`;
    return rows.map(({ listing }) => JSON.parse(listing));
  }

  async allRooms(after = "", limit = 100): Promise<Listing[]> {
    const rows = this.#sql<{
      listing: string;
    }>`SELECT listing FROM room WHERE jid > ${after} ORDER BY jid LIMIT ${limit}`;
    return rows.map(({ listing }) => JSON.parse(listing));
  }

  async listRoom(listing: Listing): Promise<boolean> {
    const { jid, creator } = listing;
    const [own] = this.#sql<{ n: number }>`SELECT count(*) AS n FROM room WHERE creator = ${creator} AND jid <> ${jid}`;
    if (this.#limits && creator && own && own.n >= ROOMS) return false;
    this
      .#sql`INSERT OR REPLACE INTO room VALUES (${jid}, ${creator}, ${listing.public ? 1 : 0}, ${JSON.stringify(listing)})`;
    return true;
  }

  async unlistRoom(jid: string): Promise<void> {
    this.#sql`DELETE FROM room WHERE jid = ${jid}`;
  }

  async invite(): Promise<{ token: string; expires: number }> {
    const token = randomName();
    const expires = Date.now() + INVITATION_MS;
    this.#sql`DELETE FROM invitation WHERE expires < ${Date.now()}`;
    this.#sql`INSERT INTO invitation VALUES (${token}, ${expires})`;
    return { token, expires };
  }

  async keys(): Promise<{ id: string; name: string; scopes: string[]; created: number }[]> {
    return this.#sql<{ id: string; name: string; scopes: string; created: number }>`SELECT id, name, scopes, created
      FROM api_key ORDER BY created, id`.map(({ scopes, ...key }) => ({ ...key, scopes: JSON.parse(scopes) }));
  }

  async makeKey(name: string, scopes: string[]): Promise<{ id: string; key: string } | undefined> {
    if (this.#sql`SELECT 1 FROM api_key`.length >= KEYS) return undefined;
    const id = randomName(64);
    const key = `enj_${id}_${randomName()}`;
    const digest = createHash("sha256").update(key).digest("base64url");
    this.#sql`INSERT INTO api_key VALUES (${id}, ${digest}, ${name}, ${JSON.stringify(scopes)}, ${Date.now()})`;
    return { id, key };
  }

  async removeKey(id: string): Promise<boolean> {
    return this.#sql`DELETE FROM api_key WHERE id = ${id} RETURNING id`.length > 0;
  }

  async scopesOf(id: string, digest: string): Promise<string[] | undefined> {
    const [row] = this.#sql<{ digest: string; scopes: string }>`SELECT digest, scopes FROM api_key WHERE id = ${id}`;
    const right =
      row && row.digest.length === digest.length && timingSafeEqual(Buffer.from(row.digest), Buffer.from(digest));
    return right ? JSON.parse(row.scopes) : undefined;
  }

  async redeem(token: string): Promise<boolean> {
    return (
      this.#sql`DELETE FROM invitation WHERE token = ${token} AND expires >= ${Date.now()} RETURNING token`.length > 0
    );
  }
}
