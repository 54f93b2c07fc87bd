/** Holds nodes of the pubsub host: one, or a share of all; one of these objects also keeps the list of them. */
import { DurableObject } from "cloudflare:workers";
import { pubsub } from "../src/features/pubsub.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import type { EntityCalls, Item } from "../src/kernel/post.ts";
import { Post } from "../src/kernel/post.ts";
import { INDEX_TABLES } from "../src/pubsub/listing.ts";
import { PUBSUB_TABLES } from "../src/pubsub/nodes.ts";
import { Shard } from "../src/pubsub/shard.ts";
import { settingsOf } from "../src/settings.ts";
import { type Env, logOf, storageOf, stubs } from "./ports.ts";

const kernel = new Kernel([pubsub]);
const TABLES = [...PUBSUB_TABLES, ...INDEX_TABLES, ...kernel.tables];

export class PubSubNode extends DurableObject<Env> implements EntityCalls {
  /** A cache over the rows. */
  #shard!: Shard;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const log = logOf(settings);
    const { at, directory } = stubs(env, settings);
    const name = ctx.id.name as string;
    ctx.blockConcurrencyWhile(async () => {
      const secrets = await directory().secrets();
      const post: Post = new Post({
        settings,
        self: { kind: "NODE", name },
        calls: at,
        local: (item) => this.#shard.receive([item]),
        delivered: () => {},
      });
      const atomically = <T>(run: () => T) => ctx.storage.transactionSync(run);
      this.#shard = new Shard({ name, settings, secrets, kernel, post, log, atomically, ...storageOf(ctx, TABLES) });
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#shard.receive(batch);
  }

  override async alarm(): Promise<void> {
    this.#shard.alarm();
  }
}
