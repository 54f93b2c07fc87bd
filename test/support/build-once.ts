/** vitest's global set-up of every suite that runs the built worker. */
import { build } from "../../scripts/build.ts";

export async function setup(): Promise<void> {
  if (process.env.ENJAMB_WORKER === undefined) await build();
}
