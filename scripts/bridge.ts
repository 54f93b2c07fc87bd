/**
 * npm run bridge: native clients and other servers, by TCP, for a server on this machine or on the edge.
 *
 * From the environment: ENJAMB_URL and BRIDGE_TOKEN (or DATA_DIR of a server on this machine), TLS_CERT and TLS_KEY, and what
 * src/bridge/options.ts lists. When every door is open, one line goes to standard output: `ready {"c2s":5222,…}`.
 */
import { dirname } from "node:path";
import { startBridge } from "../src/bridge/main.ts";
import { Refusal, readOptions } from "../src/bridge/options.ts";

try {
  const bridge = await startBridge(readOptions(process.env, dirname(import.meta.dirname)));
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      bridge.close();
      process.exit(0);
    });
  console.log(`ready ${JSON.stringify(bridge.ports)}`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exit(1);
}
