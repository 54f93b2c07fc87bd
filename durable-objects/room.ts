/** Hosts rooms: one, or a share of all (see `placement`). */
import { DurableObject } from "cloudflare:workers";
import { ARCHIVE } from "../src/archive/row.ts";
import { rooms as features } from "../src/features/rooms.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { type Item, Post } from "../src/kernel/post.ts";
import { AFFILIATION } from "../src/muc/affiliations.ts";
import { OCCUPANT } from "../src/muc/occupants.ts";
import { ROOM } from "../src/muc/room.ts";
import { type RoomFacts, type RoomRequest, Rooms } from "../src/muc/rooms.ts";
import { settingsOf } from "../src/settings.ts";
import { type Env, log, storageOf, stubs } from "./ports.ts";
import type { RoomRpc } from "./rpc.ts";

const kernel = new Kernel(features);
const TABLES = [ROOM, AFFILIATION, OCCUPANT, ARCHIVE, ...kernel.tables];

export class Room extends DurableObject<Env> implements RoomRpc {
  /** A cache over the rows. */
  #rooms!: Rooms;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const { at, directory } = stubs(env, settings);
    const name = ctx.id.name as string;
    ctx.blockConcurrencyWhile(async () => {
      const secrets = await directory().secrets();
      const post: Post = new Post({
        settings,
        self: { kind: "ROOM", name },
        calls: at,
        local: (item) => this.#rooms.local(item),
        delivered: (gate, result, batch) => this.#rooms.delivered(gate, result, batch),
      });
      const atomically = <T>(run: () => T) => ctx.storage.transactionSync(run);
      const object = { name, settings, secrets, kernel, post, log, atomically, ...storageOf(ctx, TABLES) };
      this.#rooms = new Rooms(object, { directory, wait: (promise) => ctx.waitUntil(promise) });
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#rooms.receive(batch);
  }

  async room(jid: string): Promise<RoomFacts | null> {
    return this.#rooms.facts(jid) ?? null;
  }

  async putRoom(jid: string, request: RoomRequest): Promise<{ ok: true; created: boolean }> {
    return { ok: true, created: this.#rooms.put(jid, request) };
  }

  async affiliate(jid: string, whom: string, affiliation: string): Promise<{ ok: true } | { error: string }> {
    return this.#rooms.affiliate(jid, whom, affiliation) ? { ok: true } : { error: "There is no such room." };
  }

  async removeRoom(jid: string, reason?: string): Promise<{ ok: true } | { error: string }> {
    return this.#rooms.remove(jid, reason) ? { ok: true } : { error: "There is no such room." };
  }

  override async alarm(): Promise<void> {
    this.#rooms.alarm();
  }
}
