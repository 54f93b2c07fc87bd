/** The rooms of one object in memory, over node:sqlite; what leaves it is kept in lists. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { ARCHIVE } from "../../../src/archive/row.ts";
import { rooms as features } from "../../../src/features/rooms.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import type { HostObject } from "../../../src/kernel/entity.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { ONCE } from "../../../src/kernel/once.ts";
import { type Delivered, type Delivery, type Item, Post, type StanzaItem } from "../../../src/kernel/post.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { AFFILIATION } from "../../../src/muc/affiliations.ts";
import type { Listing } from "../../../src/muc/listing.ts";
import { OCCUPANT } from "../../../src/muc/occupants.ts";
import { FORWARDED } from "../../../src/muc/outstanding.ts";
import { REPEATS } from "../../../src/muc/repeats.ts";
import { ROOM } from "../../../src/muc/room.ts";
import { Rooms } from "../../../src/muc/rooms.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import { Stanza } from "../../../src/protocol/stanza.ts";
import { parseSettings } from "../../../src/settings.ts";
import { read } from "../../../src/xml/reader.ts";

export class House {
  rooms: Rooms;
  /** One entry for each call to a gate. */
  readonly calls: { gate: string; batch: Delivery[] }[] = [];
  /** Stanzas for other objects, and as what they were sent. */
  readonly sent: Stanza[] = [];
  readonly items: StanzaItem[] = [];
  /** Calls are lost: the object dies before anybody hears of them. */
  dying = false;
  /** Objects that are no gates cannot be called. */
  alone = false;
  readonly listings = new Map<string, Listing>();
  readonly failures: unknown[] = [];
  /** Streams that are nowhere any more, and streams that went on to another gate. */
  readonly gone = new Set<string>();
  readonly moved = new Map<string, string>();
  readonly #object: Omit<HostObject, "post">;

  constructor(env: Record<string, string> = {}) {
    const settings = parseSettings({
      XMPP_DOMAIN: "shakespeare.example",
      PLACEMENT: "shared:1",
      LIMITS: "off",
      ...env,
    });
    const kernel = new Kernel(features);
    const database = new DatabaseSync(":memory:");
    const statements = new Map<string, StatementSync>();
    const storage: SqlStorage = {
      exec: (query, ...values) => {
        let statement = statements.get(query);
        if (!statement) {
          statement = database.prepare(query);
          statements.set(query, statement);
        }
        const rows = statement.all(...(values as SQLInputValue[]));
        return { toArray: () => rows };
      },
    };
    migrate(storage, [DUE, ROOM, AFFILIATION, OCCUPANT, REPEATS, FORWARDED, ONCE, ARCHIVE, ...kernel.tables]);
    const sql = sqlOver(storage);
    this.#object = {
      name: "shared-0",
      settings,
      secrets: {
        salt: "salt",
        occupant: "occupant",
        dialback: "dialback",
        archive: "archive",
        upload: "dialback",
        address: "address",
      },
      kernel,
      sql,
      alarms: new Alarms(sql, () => {}),
      log: { warn: () => {}, error: (_message, error) => this.failures.push(error) },
      stored: () => {},
      atomically: (run) => run(),
    };
    this.rooms = this.#start();
  }

  #start(): Rooms {
    const { settings, log } = this.#object;
    const post: Post = new Post({
      settings,
      self: { kind: "ROOM", name: "shared-0" },
      calls: ({ name }) => ({
        receive: async (batch: Item[]) => {
          if (this.alone) throw new Error("alone");
          for (const item of this.dying ? [] : batch)
            if ("e" in item) {
              this.items.push(item);
              this.sent.push(Stanza.open(item.e));
            }
        },
        deliver: async (batch: Delivery[]) => {
          if (!this.dying) this.calls.push({ gate: name, batch });
          return this.#fate(name, batch);
        },
      }),
      local: (item) => rooms.inbox.put(item),
      log,
      delivered: (result, batch) => rooms.delivered(result, batch),
    });
    const directory = {
      rooms: async () => [...this.listings.values()],
      listRoom: async (listing: Listing) => Boolean(this.listings.set(listing.jid, listing)),
      unlistRoom: async (jid: string) => void this.listings.delete(jid),
    };
    const rooms: Rooms = new Rooms({ ...this.#object, post }, { directory: () => directory, wait: () => {} });
    return rooms;
  }

  #fate(gate: string, batch: readonly Delivery[]): Delivered {
    const sids = [...new Set(batch.flatMap(({ to }) => to))];
    const elsewhere = (sid: string) => this.moved.get(sid) ?? gate;
    const moved = sids.filter((sid) => elsewhere(sid) !== gate).map((sid): [string, string] => [sid, elsewhere(sid)]);
    return { gone: sids.filter((sid) => this.gone.has(sid)), moved, acked: [] };
  }

  rows(query: string): unknown[] {
    return this.#object.sql([query] as unknown as TemplateStringsArray);
  }

  /** Everything that is not in a row is lost. */
  forget(): void {
    this.rooms = this.#start();
  }

  /** A stanza from a client: `via` its gate and stream, or from another server without. */
  async receives(from: string, text: string, via?: [gate: string, sid: string]): Promise<void> {
    const element = read(text.replace(/^<(\w+)/, '<$1 xmlns="jabber:client"'));
    const to = Jid.parse(element.attrs.to ?? "");
    this.rooms.inbox.put({ e: Stanza.read(element, Jid.parse(from), to, via).pack() });
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
  }

  /** Deliveries since the last time: how many readers each stanza had. */
  takes(): { text: string; readers: number; gate: string }[] {
    return this.calls
      .splice(0)
      .flatMap(({ gate, batch }) =>
        batch.flatMap(({ e, more = [], to }) =>
          [e, ...more].flatMap((one) => (one ? [{ text: Stanza.open(one).text(), readers: to.length, gate }] : [])),
        ),
      );
  }
}

const MUC = "http://jabber.org/protocol/muc";
export const ROOM_JID = "coven@rooms.shakespeare.example";
export const join = (nick: string) =>
  `<presence to="${ROOM_JID}/${nick}"><x xmlns="${MUC}"><history maxstanzas="0"/></x></presence>`;
export const instant = `<iq type="set" id="i" to="${ROOM_JID}"><query xmlns="${MUC}#owner"><x xmlns="jabber:x:data" type="submit"/></query></iq>`;
