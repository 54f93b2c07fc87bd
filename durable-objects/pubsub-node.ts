/** Holds nodes of the pubsub host: one, or a share of all; one of these objects also keeps the list of them. */
import { DurableObject } from "cloudflare:workers";
import { pubsub } from "../src/features/pubsub.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import type { EntityCalls, Item } from "../src/kernel/post.ts";
import { INDEX_TABLES } from "../src/pubsub/listing.ts";
import { PUBSUB_TABLES } from "../src/pubsub/nodes.ts";
import { Shard } from "../src/pubsub/shard.ts";
import { type Env, hostObject } from "./ports.ts";

const kernel = new Kernel([pubsub]);
const TABLES = [...PUBSUB_TABLES, ...INDEX_TABLES];

export class PubSubNode extends DurableObject<Env> implements EntityCalls {
  /** A cache over the rows. */
  #shard!: Shard;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      const local = (item: Item) => this.#shard.inbox.put(item);
      this.#shard = new Shard(await hostObject(ctx, env, { kind: "NODE", kernel, tables: TABLES, local }));
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#shard.inbox.put(...batch);
  }

  override async alarm(): Promise<void> {
    this.#shard.alarm();
  }
}
