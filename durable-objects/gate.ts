/** Holds client streams, and nothing else. */

import { settingsOf } from "../src/settings.ts";
import { GATE_TABLES, GateHost, StreamObject } from "./gate-host.ts";
import { type Env, storageOf, stubs } from "./ports.ts";

export class Gate extends StreamObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { directory } = stubs(env, settingsOf(env));
    ctx.blockConcurrencyWhile(async () => {
      const place = { name: ctx.id.name as string, secrets: await directory().secrets() };
      this.streams = new GateHost(ctx, env, { ...place, ...storageOf(ctx, GATE_TABLES) });
    });
  }
}
