/** Hosts rooms: one, or a share of all (see `placement`). */
import { DurableObject } from "cloudflare:workers";
import { ARCHIVE } from "../src/archive/row.ts";
import { rooms as features } from "../src/features/rooms.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { ONCE } from "../src/kernel/once.ts";
import type { Outcome } from "../src/kernel/outcome.ts";
import type { Item } from "../src/kernel/post.ts";
import { AFFILIATION, type Affiliation } from "../src/muc/affiliations.ts";
import { OCCUPANT } from "../src/muc/occupants.ts";
import * as operator from "../src/muc/operator.ts";
import { FORWARDED } from "../src/muc/outstanding.ts";
import { REPEATS } from "../src/muc/repeats.ts";
import { ROOM } from "../src/muc/room.ts";
import { type RoomFacts, type RoomRequest, Rooms } from "../src/muc/rooms.ts";
import { destroyText } from "../src/muc/wire.ts";
import { type Env, hostObject, stubs } from "./ports.ts";
import type { RoomRpc } from "./rpc.ts";

const kernel = new Kernel(features);
const TABLES = [ROOM, AFFILIATION, OCCUPANT, REPEATS, FORWARDED, ONCE, ARCHIVE];

export class Room extends DurableObject<Env> implements RoomRpc {
  /** A cache over the rows. */
  #rooms!: Rooms;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      const object = await hostObject(ctx, env, {
        kind: "ROOM",
        kernel,
        tables: TABLES,
        local: (item) => this.#rooms.inbox.put(item),
        delivered: (result, batch) => this.#rooms.delivered(result, batch),
      });
      const { directory } = stubs(env, object.settings);
      this.#rooms = new Rooms(object, { directory, wait: (promise) => ctx.waitUntil(promise) });
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#rooms.inbox.put(...batch);
  }

  async room(jid: string): Promise<RoomFacts | null> {
    return this.#rooms.facts(jid) ?? null;
  }

  async putRoom(jid: string, request: RoomRequest): Promise<Outcome<{ created: boolean }>> {
    return this.#rooms.put(jid, request);
  }

  async removeRoom(jid: string, reason = ""): Promise<Outcome<void>> {
    return this.#rooms.operate(jid, (room) => room.destroy(destroyText({ reason })));
  }

  async vouch(jid: string, whom: string, affiliation: Affiliation): Promise<Outcome<void>> {
    return this.#rooms.vouch(jid, whom, affiliation);
  }

  async affiliations(jid: string): Promise<Outcome<operator.AffiliationFacts[]>> {
    return this.#rooms.operate(jid, operator.affiliations);
  }

  async affiliate(jid: string, whom: string, affiliation: string, reason?: string): Promise<Outcome<void>> {
    return this.#rooms.operate(jid, (room) => operator.affiliate(room, whom, affiliation, reason));
  }

  async occupants(jid: string): Promise<Outcome<operator.OccupantFacts[]>> {
    return this.#rooms.operate(jid, operator.occupants);
  }

  async kick(jid: string, nick: string, reason?: string): Promise<Outcome<void>> {
    return this.#rooms.operate(jid, (room) => operator.kick(room, nick, reason));
  }

  async ban(
    jid: string,
    whom: { nick?: string; jid?: string },
    reason?: string,
  ): Promise<Outcome<operator.AffiliationFacts>> {
    return this.#rooms.operate(jid, (room) => operator.ban(room, whom, reason));
  }

  async say(jid: string, utterance: operator.Utterance): Promise<Outcome<{ id?: string }>> {
    return this.#rooms.operate(jid, (room) => operator.say(room, utterance));
  }

  async messages(jid: string, range: operator.Range): Promise<Outcome<operator.MessageFacts[]>> {
    return this.#rooms.operate(jid, (room) => operator.messages(room, range));
  }

  async retract(jid: string, uid: string, reason?: string): Promise<Outcome<void>> {
    return this.#rooms.operate(jid, (room) => operator.retract(room, uid, reason));
  }

  override async alarm(): Promise<void> {
    this.#rooms.alarm();
  }
}
