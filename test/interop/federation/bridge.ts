/** `npm run bridge` beside a server of the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bind } from "../peers/daemon.ts";
import type { Server } from "../server.ts";
import type { Identity } from "./authority.ts";

export const BRIDGE_TOKEN = "interop-bridge-token-0123456789";

export interface RunningBridge {
  pid: number;
  /** `health`: where HEALTH_PORT was set. */
  ports: Record<"c2s" | "c2sTls" | "s2s" | "s2sTls" | "component" | "health", number>;
  stop(): Promise<void>;
  /** SIGKILL, without ceremony. */
  kill9(): Promise<void>;
}

const ROOT = join(import.meta.dirname, "../../..");
/** As `npm run bridge` starts it. */
const PROGRAM = { command: [process.execPath, join(ROOT, "scripts/bridge.ts")], cwd: ROOT };

export async function startBridge(
  server: Server,
  { cert, key }: Identity,
  env: Record<string, string> = {},
  { command, cwd } = PROGRAM,
): Promise<RunningBridge> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd,
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
  bind(child);
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
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }
  return { pid: child.pid as number, ports, stop: () => end("SIGTERM"), kill9: () => end("SIGKILL") };
}
