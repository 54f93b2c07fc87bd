/**
 * A server for one test file: the built worker under Miniflare, on a loopback port of its own, with objects on a disk of its own.
 * With EVICT=1 every object is forgotten before each step of an actor, so what is not in an attachment or a row is lost.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Log, LogLevel, Miniflare } from "miniflare";
import { WORKER } from "../../scripts/build.ts";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS, OBJECTS } from "../../scripts/objects.ts";
import { parseSettings, type SettingName, type Settings } from "../../src/settings.ts";
import { Actor, type LoginOptions } from "./actor.ts";

const SCRIPT = "enjamb";

export interface WorldOptions {
  /** Variables as in the environment; the tests' own defaults are open registration, no rate limits, cheap SCRAM. */
  readonly settings?: Partial<Record<SettingName, string>>;
  /** Forget every object before each step; default: whether EVICT=1. */
  readonly evict?: boolean;
  /** A module that stands before the worker and imports it as "./worker.js". */
  readonly entry?: string;
}

export class World {
  readonly settings: Settings;
  readonly evicting: boolean;
  readonly #env: Record<string, string>;
  readonly #entry: string | undefined;
  readonly #disk = mkdtempSync(join(tmpdir(), "enjamb-world-"));
  readonly #actors = new Set<Actor>();
  readonly #users = new Set<string>();
  #miniflare!: Miniflare;
  #url!: URL;

  private constructor({ settings = {}, evict = process.env.EVICT === "1", entry }: WorldOptions) {
    this.#entry = entry;
    this.#env = {
      XMPP_DOMAIN: "capulet.example",
      REGISTRATION: "open",
      LIMITS: "off",
      SCRAM_ITERATIONS: "4096",
      ADMIN_TOKEN: randomBytes(24).toString("base64url"),
      LOG_LEVEL: "warn",
      ...settings,
    };
    this.settings = parseSettings(this.#env);
    this.evicting = evict;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.#boot();
    return world;
  }

  async #boot(): Promise<void> {
    this.#miniflare = new Miniflare({
      host: "127.0.0.1",
      port: this.#url === undefined ? 0 : Number(this.#url.port),
      log: new Log(LogLevel.WARN),
      cf: false,
      name: SCRIPT,
      modules: [
        ...(this.#entry ? [{ type: "ESModule", path: "entry.js", contents: this.#entry } as const] : []),
        { type: "ESModule", path: "worker.js", contents: readFileSync(WORKER, "utf8") },
      ],
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: [...COMPATIBILITY_FLAGS],
      bindings: this.#env,
      durableObjects: Object.fromEntries(
        OBJECTS.map(({ binding, className, uniqueKey }) => [
          binding,
          { className, useSQLite: true, unsafeUniqueKey: uniqueKey },
        ]),
      ),
      durableObjectsPersist: this.#disk,
    });
    this.#url = await this.#miniflare.ready;
  }

  get domain(): string {
    return this.settings.domain;
  }

  /** `http://127.0.0.1:port` */
  get http(): string {
    return this.#url.origin;
  }

  get websocket(): string {
    return `${this.http.replace("http", "ws")}/xmpp-websocket`;
  }

  /** A raw connection: the socket is open and nothing has been said on it. */
  async connect(name = "somebody"): Promise<Actor> {
    const actor = await Actor.connect(this, name);
    this.#actors.add(actor);
    return actor;
  }

  /** Makes an account through the REST API (or sets its password). @returns its bare JID */
  async user(name: string, password = `${name}'s secret`): Promise<string> {
    const response = await this.rest("PUT", `/api/v1/users/${encodeURIComponent(name)}`, { password });
    if (!response.ok) throw new Error(`no account for ${name}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    this.#users.add(name);
    return `${name}@${this.domain}`;
  }

  /** Connects, authenticates and binds; the account is made if need be. */
  async login(name: string, options: LoginOptions = {}): Promise<Actor> {
    // Setting a password ends the account's sessions, so it is done once.
    if (options.password === undefined && !this.#users.has(name)) await this.user(name);
    const actor = await this.connect(name);
    await actor.login(options);
    return actor;
  }

  /** A request to the REST API with the admin token. */
  rest(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.http}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.settings.adminToken}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Forgets every object that is in memory, after what runs in it has ended; sockets stay, as in hibernation. */
  async evict(): Promise<void> {
    // One after another: two that wait for each other's answers would wait for each other's end.
    for (const { className } of OBJECTS)
      for (const id of await this.#miniflare.listDurableObjectIds(className, SCRIPT))
        await this.#miniflare
          .unsafeEvictDurableObject(SCRIPT, className, { id, webSockets: "hibernate" })
          .catch((error: Error) => {
            if (!error.message.includes("not currently running")) throw error;
          });
  }

  /** The tables of every object of a class that was ever woken, by its id: each has its place on the disk. */
  tables(className: string): Map<string, string[]> {
    const { uniqueKey } = OBJECTS.find((each) => each.className === className)!;
    const folder = join(this.#disk, uniqueKey);
    const databases = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name)) : [];
    return new Map(
      databases.map((name) => {
        const database = new DatabaseSync(join(folder, name), { readOnly: true });
        const rows = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        database.close();
        return [name, rows.map((row) => String(row.name))];
      }),
    );
  }

  /** Ends the process and starts it again on the same disk and port; every socket is lost. */
  async restart(): Promise<void> {
    await this.#miniflare.dispose();
    await this.#boot();
  }

  /** The worker's bindings, for what no client can ask. */
  bindings<Env>(): Promise<Env> {
    return this.#miniflare.getBindings<Env>(SCRIPT);
  }

  async dispose(): Promise<void> {
    for (const actor of this.#actors) actor.cut();
    await this.#miniflare.dispose();
    rmSync(this.#disk, { recursive: true, force: true });
  }
}
