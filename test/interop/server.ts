/** One server for a test file to talk to: ours as `npm run serve` runs it, or a peer when INTEROP_SERVER names one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parallel, persist } from "./parallel.ts";
import { bind, temporaryFolder } from "./peers/daemon.ts";
import { type PeerName, startPeer } from "./peers.ts";

export type ServerName = "ours" | PeerName;

/** A running server; everything it keeps is in a temporary folder that `stop` removes. */
export interface Server {
  name: ServerName;
  http: string;
  websocket: string;
  /** The plain TCP door without TLS, where there is one. */
  tcp?: { host: string; port: number };
  domain: string;
  hosts: { guest: string; rooms: string; pubsub: string };
  /** Processes whose CPU time and memory count as the server's. */
  pids(): number[];
  /** Makes accounts, all with one password, by the fastest way the server has. */
  addUsers(names: readonly string[], password: string): Promise<void>;
  addUser(name: string, password: string): Promise<void>;
  /** SIGKILL, without ceremony. */
  kill9(): Promise<void>;
  /** Starts again with the same data on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Settings of our server, as environment variables; of these a peer knows only ARCHIVE. */
  settings?: Record<string, string>;
}

/** The server these suites run against. Tests that need what a peer lacks skip themselves by it. */
export const TARGET = (process.env.INTEROP_SERVER ?? "ours") as ServerName;

export const startServer = ({ settings = {} }: StartOptions = {}, name: ServerName = TARGET): Promise<Server> =>
  name === "ours" ? startOurs(settings) : startPeer(name, { archive: settings.ARCHIVE !== "off" });

const ROOT = join(import.meta.dirname, "..", "..");
const TOKEN = "interop-admin-token-0123456789abcdef";

/** What `npm run serve` prints when it can serve. */
interface Ready {
  http: string;
  websocket: string;
  domain: string;
  pids: number[];
}

/** Whether the bundle is there: the suites' set-up makes it, else the first start of this process. */
let built = false;

async function startOurs(settings: Record<string, string>): Promise<Server> {
  const folder = temporaryFolder("enjamb");
  let child: ChildProcess;
  let ready: Ready;

  async function start(port: string): Promise<void> {
    const { VITEST } = process.env;
    child = spawn(process.execPath, [join(ROOT, "scripts", "serve.ts"), ...(built || VITEST ? ["--no-build"] : [])], {
      cwd: ROOT,
      env: {
        ...process.env,
        DATA_DIR: folder,
        XMPP_DOMAIN: "localhost",
        REGISTRATION: "open",
        LIMITS: "off",
        ADMIN_TOKEN: TOKEN,
        ...settings,
        PORT: port,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    bind(child);
    ready = await readiness(child);
    built = true;
  }

  /** Waits until the process that watches over workerd has gone too, which then holds neither port nor data. */
  async function end(kill: () => void): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    kill();
    await gone;
  }

  await start("0");
  return {
    name: "ours",
    get http() {
      return ready.http;
    },
    get websocket() {
      return ready.websocket;
    },
    get domain() {
      return ready.domain;
    },
    get hosts() {
      const { domain } = ready;
      return { guest: `guest.${domain}`, rooms: `rooms.${domain}`, pubsub: `pubsub.${domain}` };
    },
    pids: () => ready.pids,
    addUser: (user, password) => putUser(ready.http, user, password),
    async addUsers(names, password) {
      await parallel(names, 8, (user) => putUser(ready.http, user, password));
    },
    kill9: () =>
      end(() => {
        for (const pid of ready.pids) process.kill(pid, "SIGKILL");
        child.kill("SIGKILL");
      }),
    restart: () => start(new URL(ready.http).port),
    async stop() {
      await end(() => child.kill("SIGTERM"));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function putUser(http: string, user: string, password: string): Promise<void> {
  const answer = await persist(`${http}/api/v1/users/${encodeURIComponent(user)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ password }),
  });
  if (!answer.ok) throw new Error(`no account for ${user}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** The `ready {json}` line, or an error with what the server said instead. */
async function readiness(child: ChildProcess): Promise<Ready> {
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  child.stderr?.on("data", (text) => said.push(String(text)));
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      if (line.startsWith("ready ")) resolve(JSON.parse(line.slice("ready ".length)) as Ready);
      else said.push(line);
    });
    child.once("exit", (code) => reject(new Error(`the server ended (${code}):\n${said.join("\n")}`)));
  });
}
