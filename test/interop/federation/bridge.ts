/** `npm run bridge` beside a server of the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Server } from "../server.ts";
import type { Identity } from "./authority.ts";

export const BRIDGE_TOKEN = "interop-bridge-token-0123456789";

export interface RunningBridge {
  ports: Record<"c2s" | "c2sTls" | "s2s" | "s2sTls" | "component", number>;
  stop(): Promise<void>;
}

export async function startBridge(
  server: Server,
  { cert, key }: Identity,
  env: Record<string, string> = {},
): Promise<RunningBridge> {
  const root = join(import.meta.dirname, "../../..");
  const child = spawn(process.execPath, [join(root, "scripts/bridge.ts")], {
    env: {
      ...process.env,
      ENJAMB_URL: server.http,
      BRIDGE_TOKEN,
      BRIDGE_HOST: "127.0.0.1",
      TLS_CERT: cert,
      TLS_KEY: key,
      C2S_PORT: "0",
      C2S_TLS_PORT: "0",
      S2S_PORT: "0",
      S2S_TLS_PORT: "0",
      COMPONENT_PORT: "0",
      S2S_PRIVATE: "on",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const ports = await new Promise<RunningBridge["ports"]>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      if (line.startsWith("ready ")) resolve(JSON.parse(line.slice(6)) as RunningBridge["ports"]);
    });
    child.once("exit", (code) => reject(new Error(`the bridge ended (${code}): ${errors}`)));
  });
  return {
    ports,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
