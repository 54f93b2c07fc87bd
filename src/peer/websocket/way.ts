/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html: which way there is to a remote domain, and the stream when it is this one. */
import type { Alarms } from "../../kernel/due.ts";
import type { Log } from "../../kernel/entity.ts";
import type { Table } from "../../kernel/feature.ts";
import type { Sql } from "../../kernel/sql.ts";
import type { Settings } from "../../settings.ts";
import type { ToPeer } from "../frames.ts";
import { type Link, Nowhere } from "../link.ts";
import { type DiscoveryPorts, findWebSocket, mayHaveWebSocket, Unanswered } from "./discovery.ts";
import { Outgoing } from "./outgoing.ts";
import { SESSION, Session } from "./session.ts";
import { type Dial, HostUnknown } from "./stream.ts";

/** How long is believed what was found, and that nothing was. */
const FOUND_MS = 3_600_000;
const NOTHING_MS = 600_000;
/** A server that was there so short a while ago is down, and not none: longer than stanzas wait by default. */
const KNOWN_MS = 3_600_000;
/** How often a stream is looked after; and after a crash, how soon what waits is tried again. */
const TEND_MS = 30_000;

export const WAY: Table = {
  name: "way",
  steps: [
    // The last address that was found, and until when it, or that there is none (`url` is ""), need not be looked up again.
    "CREATE TABLE way (one INTEGER PRIMARY KEY CHECK (one = 1), url TEXT NOT NULL, until INTEGER NOT NULL, seen INTEGER NOT NULL)",
  ],
};
export const WAYS: readonly Table[] = [WAY, SESSION];

export interface WayPorts extends DiscoveryPorts {
  domain: string;
  settings: Settings;
  sql: Sql;
  alarms: Alarms;
  log: Log;
  dial: Dial;
  /** The secret of dialback keys. */
  secret(): Promise<string>;
  /** Asks a bridge; false when none is on line. */
  bridge(domain: string): Promise<boolean>;
  linked(link: Link): void;
  unlinked(link: Link): void;
  frame(link: Link, frame: ToPeer): void;
}

interface Row {
  url: string;
  until: number;
  seen: number;
}

export class Ways {
  readonly #ports: WayPorts;
  readonly #session: Session;
  #outgoing: Outgoing | undefined;
  #opening = false;

  constructor(ports: WayPorts) {
    this.#ports = ports;
    this.#session = new Session(ports.sql);
  }

  /**
   * Opens a stream, or has a bridge open a link. XEP-0156 §2.2 would have host-meta asked last; but a bridge is the longer way
   * where both ends are on the web, and many have none.
   * @returns whether one of these is under way. @throws {Nowhere}
   */
  async reach(): Promise<boolean> {
    if (this.#outgoing || this.#opening) return true;
    const { domain, settings, log } = this.#ports;
    const bridged = settings.bridgeToken !== undefined;
    this.#opening = true;
    try {
      const url = domain in settings.components ? undefined : await this.#find();
      if (url !== undefined && (await this.#open(url))) return true;
      if (!bridged) throw new Nowhere(`${domain} has no WebSocket for servers`);
    } catch (error) {
      if (error instanceof Nowhere) throw error;
      log.warn("a server was not reached by WebSocket", { domain, reason: String(error) });
      // A bridge, which knows nothing of it, would find that there is none.
      if (this.#isKnown) return false;
    } finally {
      this.#opening = false;
    }
    return bridged && (await this.#ports.bridge(domain));
  }

  get #row(): Row | undefined {
    return this.#ports.sql<Row>`SELECT url, until, seen FROM way`[0];
  }

  /** A stream to it was open not long ago. */
  get #isKnown(): boolean {
    return Date.now() - (this.#row?.seen ?? 0) < KNOWN_MS;
  }

  async #find(): Promise<string | undefined> {
    const { domain, settings, sql } = this.#ports;
    if (!mayHaveWebSocket(domain, settings)) return undefined;
    const known = this.#row;
    if (known && known.until > Date.now()) return known.url || undefined;
    const url = (await findWebSocket(domain, this.#ports)) ?? "";
    if (url === "" && this.#isKnown) throw new Unanswered(`${domain} had a WebSocket, and does not show it now`);
    const until = Date.now() + (url ? FOUND_MS : NOTHING_MS);
    sql`INSERT OR REPLACE INTO way VALUES (1, ${url}, ${until}, ${known?.seen ?? 0})`;
    return url || undefined;
  }

  /** @returns false when the server that is there does not serve this domain */
  async #open(url: string): Promise<boolean> {
    const { domain, settings, sql, alarms, dial } = this.#ports;
    alarms.wake("stream", "", Date.now() + TEND_MS);
    const way = { url, local: settings.domain, remote: domain, dial };
    const frame = (link: Link, frame: ToPeer) => this.#ports.frame(link, frame);
    const ended = (link: Link) => {
      this.#outgoing = undefined;
      this.#seen();
      this.#ports.unlinked(link);
    };
    let outgoing: Outgoing;
    try {
      const secret = await this.#ports.secret();
      outgoing = await Outgoing.open(way, { secret, session: this.#session, frame, ended });
    } catch (error) {
      if (error instanceof HostUnknown) {
        sql`UPDATE way SET url = '', until = ${Date.now() + NOTHING_MS}, seen = 0`;
        return false;
      }
      // It may have moved: it is looked for again next time.
      sql`UPDATE way SET until = 0`;
      throw error;
    }
    this.#seen();
    this.#outgoing = outgoing;
    this.#ports.linked(outgoing);
    frame(outgoing, { hello: outgoing.state.bridge, next: 1 });
    return true;
  }

  #seen(): void {
    this.#ports.sql`UPDATE way SET seen = ${Date.now()}`;
  }

  /** The alarm "stream". */
  tend(): void {
    this.#outgoing?.tend(Date.now());
    if (this.#outgoing) this.#ports.alarms.wake("stream", "", Date.now() + TEND_MS);
  }
}
