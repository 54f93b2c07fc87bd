/**
 * npm run serve: the built worker on plain workerd, one process, objects on local disk.
 * npm start (`--newcomer`): the same with open registration, a free port when 8787 is taken, and words for people.
 *
 * From the environment: PORT (0 = any), HOST, DATA_DIR, NODE_EXTRA_CA_CERTS and every setting of src/settings.ts. `--no-build`
 * runs the bundle that is there. When the server answers, one line goes to standard output: `ready {"http":…,"websocket":…,…}`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, isIPv6 } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseSettings, SETTING_NAMES, type Settings, SettingsError } from "../src/settings.ts";
import { build, ROOT, WORKER } from "./build.ts";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS, OBJECTS } from "./objects.ts";
import { workerdBinary } from "./workerd.ts";

/** Ends the program with one clear line. */
class Refusal extends Error {}

interface Options {
  readonly host: string;
  /** 0 = any. */
  readonly port: number;
  readonly portIsChosen: boolean;
  readonly dataDir: string;
  readonly settings: Settings;
  /** The settings' variables as workerd's process gets them. */
  readonly env: Record<string, string>;
}

function readOptions(newcomer: boolean): Options {
  const { PORT, HOST = "127.0.0.1", DATA_DIR } = process.env;
  const port = PORT === undefined || PORT === "" ? 8787 : Number(PORT);
  if (!/^\d*$/.test(PORT ?? "") || port > 65535) {
    throw new Refusal(`PORT=${JSON.stringify(PORT)} is not possible: a number from 0 (any free port) to 65535`);
  }
  const dataDir = resolve(DATA_DIR || join(ROOT, ".enjamb/data"));
  const env: Record<string, string> = {};
  // One process gains nothing from many objects and everything from one commit per batch.
  env.PLACEMENT = "shared:1";
  env.GATE_SOCKETS = "10000";
  if (newcomer) env.REGISTRATION = "open";
  for (const name of SETTING_NAMES) if (process.env[name]) env[name] = process.env[name];
  mkdirSync(join(dataDir, "objects"), { recursive: true, mode: 0o700 });
  env.ADMIN_TOKEN ??= token(dataDir, "admin-token");
  env.BRIDGE_TOKEN ??= token(dataDir, "bridge-token");
  return { host: HOST, port, portIsChosen: !!PORT, dataDir, settings: parseSettings(env), env };
}

/** A token of this data folder, made at first start; `npm run user` and `npm run bridge` read theirs from the same file. */
function token(dataDir: string, name: string): string {
  const file = join(dataDir, name);
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

/** What `DATA_DIR/server.json` says while a server runs on that folder. */
interface Running {
  readonly pid: number;
  readonly http: string;
}

/** Two servers on one folder would each believe to be alone. @throws {Refusal} when one runs already */
function refuseSecondServer(dataDir: string): void {
  const file = join(dataDir, "server.json");
  if (!existsSync(file)) return;
  const { pid, http } = JSON.parse(readFileSync(file, "utf8")) as Running;
  if (isWorkerd(pid)) throw new Refusal(`A server runs on ${dataDir} already: ${http} (process ${pid}).`);
}

/** A process id may be in use again by another program after a crash; where /proc exists, ask who it is. */
function isWorkerd(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return (
    !existsSync("/proc/self/cmdline") ||
    (existsSync(commandLine) && readFileSync(commandLine, "utf8").includes("workerd"))
  );
}

const urlHost = (host: string) => {
  const name = host === "0.0.0.0" || host === "*" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return isIPv6(name) ? `[${name}]` : name;
};

/** What the server may call: who is on this machine or beside it is there because the settings name it. */
const reach = ({ jwksUrl, s2sOrigins }: Settings): string[] =>
  jwksUrl === undefined && Object.keys(s2sOrigins).length === 0 ? ["public"] : ["public", "private"];

/** Authorities that are trusted besides the public ones, by the variable that Node has for that: PEM, one certificate each. */
function authorities(): string[] {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  if (!file) return [];
  if (!existsSync(file)) throw new Refusal(`NODE_EXTRA_CA_CERTS=${file} does not exist.`);
  return readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
}

/** workerd's configuration. Settings come from its environment, so no secret is written to disk. */
function configuration({ dataDir, env, settings }: Options): string {
  const text = JSON.stringify; // a Cap'n Proto string has the same escapes
  const bindings = [
    ...OBJECTS.map(
      ({ binding, className }) => `(name = ${text(binding)}, durableObjectNamespace = ${text(className)})`,
    ),
    ...Object.keys(env).map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ];
  const namespaces = OBJECTS.map(
    ({ className, uniqueKey }) => `(className = ${text(className)}, uniqueKey = ${text(uniqueKey)}, enableSql = true)`,
  );
  const trusted = `trustBrowserCas = true, trustedCertificates = [${authorities().map((pem) => text(pem))}]`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "enjamb", worker = .enjamb),
    (name = "internet", network = (allow = ${text(reach(settings))}, tlsOptions = (${trusted}))),
    (name = "objects", disk = (path = ${text(join(dataDir, "objects"))}, writable = true)),
  ],
  sockets = [(name = "http", http = (), service = "enjamb")],
);
const enjamb :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  compatibilityFlags = ${text(COMPATIBILITY_FLAGS)},
  bindings = [
    ${bindings.join(",\n    ")}
  ],
  durableObjectNamespaces = [
    ${namespaces.join(",\n    ")}
  ],
  durableObjectStorage = (localDisk = "objects"),
);
`;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((settle) => {
    probe.once("error", () => settle(false));
    probe.listen(port, host, () => probe.close(() => settle(true)));
  });
}

/** The port workerd really listens on, from its control pipe; undefined when it ends before. */
async function listeningPort(control: Readable): Promise<number | undefined> {
  for await (const line of createInterface(control)) {
    const message = JSON.parse(line) as { event?: string; socket?: string; port?: number };
    if (message.event === "listen" && message.socket === "http") return message.port;
  }
  return undefined;
}

/** Until the worker itself answers: a listening port says nothing about the code behind it. */
async function answers(http: string, alive: () => boolean): Promise<void> {
  let last = "";
  for (const deadline = Date.now() + 20_000; alive() && Date.now() < deadline; ) {
    try {
      const response = await fetch(`${http}/healthz`, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return;
      last = `${response.status} ${await response.text()}`;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resume) => setTimeout(resume, 10));
  }
  if (alive()) throw new Refusal(`The server started but does not answer on ${http}/healthz: ${last}`);
}

function start(options: Options, port: number): ChildProcess {
  const config = join(options.dataDir, "serve.capnp");
  writeFileSync(config, configuration(options));
  copyFileSync(WORKER, join(options.dataDir, "worker.js"));
  const address = `${isIPv6(options.host) ? `[${options.host}]` : options.host}:${port}`;
  return spawn(workerdBinary(), ["serve", config, `--socket-addr=http=${address}`, "--control-fd=3"], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
    env: { ...process.env, ...options.env },
    detached: true, // Ctrl-C reaches the whole terminal group: the server is to be stopped by us, once
  });
}

async function main(): Promise<void> {
  const newcomer = process.argv.includes("--newcomer");
  const options = readOptions(newcomer);
  refuseSecondServer(options.dataDir);
  if (process.env.ENJAMB_WORKER === undefined && !process.argv.includes("--no-build")) await build();
  if (!existsSync(WORKER))
    throw new Refusal(`${WORKER} does not exist: run without --no-build, or npm run build first.`);

  let { port } = options;
  if (port !== 0 && !(await isFree(options.host, port))) {
    if (!newcomer || options.portIsChosen)
      throw new Refusal(`Port ${port} is taken. Set PORT to another one; 0 takes any that is free.`);
    console.log(`Port ${port} is taken, so this server takes a free one.`);
    port = 0;
  }

  const workerd = start(options, port);
  const ended = new Promise<string>((settle) => {
    workerd.once("error", (error) => settle(error.message));
    workerd.once("exit", (code, signal) => settle(signal ?? `exit code ${code}`));
  });
  const running = join(options.dataDir, "server.json");
  let stopping = false;
  const stop = () => {
    stopping = true;
    workerd.kill("SIGTERM");
    // Acknowledged is stored, so nothing is lost by not waiting for connections that do not end.
    setTimeout(() => workerd.kill("SIGKILL"), 3_000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  process.on("exit", () => workerd.kill("SIGKILL"));
  let alive = true;
  void ended.then(() => {
    alive = false;
  });

  const actual = await listeningPort(workerd.stdio[3] as Readable);
  const http = `http://${urlHost(options.host)}:${actual}`;
  if (actual !== undefined && workerd.pid !== undefined) {
    writeFileSync(running, JSON.stringify({ pid: workerd.pid, http } satisfies Running));
    await answers(http, () => alive && !stopping);
    if (alive && !stopping) announce(http, options, workerd.pid, newcomer);
  }
  const why = await ended;
  rmSync(running, { force: true });
  if (!stopping) throw new Refusal(`workerd ended by itself (${why}).`);
}

function announce(http: string, { settings, dataDir }: Options, pid: number, newcomer: boolean): void {
  const { domain } = settings;
  const websocket = `${http.replace("http", "ws")}/xmpp-websocket`;
  if (newcomer) {
    console.log(`
  Enjamb is up. Open ${http}/ to make two accounts and chat.

  To put a room into a page:   ${http}/embed
  To connect an XMPP client:   address    you@${domain}
                               WebSocket  ${websocket}
  To make an account here:     npm run user -- add you@${domain}
  Data is kept in              ${dataDir}
  To stop:                     Ctrl-C
`);
  }
  const ready = { http, websocket, bosh: `${http}/http-bind`, domain, pids: [pid] };
  console.log(`ready ${JSON.stringify(ready)}`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (!(error instanceof Refusal || error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(1);
}
