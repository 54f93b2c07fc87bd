/** A child process that serves on loopback: free ports, a folder of its own, start, kill, stop. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Ports nobody listens on now. All are held at once, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** A new empty folder on disk for what a server keeps. */
export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `${name}-`));

/** The same in memory, where there is such a place: whose figures are compared should not wait for a disk. */
export const memoryFolder = (name: string): string =>
  existsSync("/dev/shm") ? mkdtempSync(join("/dev/shm", `${name}-`)) : temporaryFolder(name);

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});

/** Has a process end with this one, however that comes about. */
export function bind(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

export interface Daemon {
  pid(): number;
  start(): Promise<void>;
  kill9(): Promise<void>;
  /** SIGTERM, and SIGKILL after five seconds; then its folder goes. */
  stop(): Promise<void>;
}

/** Describes a server without starting it. It is up when `ready` says so, which is asked again and again. */
export function daemon(
  folder: string,
  command: string,
  args: readonly string[],
  { env = {}, ready }: { env?: Record<string, string>; ready: () => Promise<boolean> },
): Daemon {
  const log = join(folder, "output.log");
  let child: ChildProcess | undefined;

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    const late = setTimeout(() => child?.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(late);
  }

  return {
    pid: () => child?.pid ?? 0,
    async start() {
      const output = openSync(log, "a");
      const started = spawn(command, args, {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ["ignore", output, output],
      });
      closeSync(output);
      child = started;
      bind(started);
      while (!(await ready())) {
        if (started.exitCode !== null || started.pid === undefined) {
          throw new Error(`${command} did not start:\n${readFileSync(log, "utf8").slice(-4_000)}`);
        }
        await delay(20);
      }
    },
    kill9: () => end("SIGKILL"),
    async stop() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** True when an HTTP server answers there, with whatever status. */
export const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.text().then(() => true),
    () => false,
  );
