/** `npm run serve`, `npm start` and `npm run user` as their users run them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

interface Ready {
  http: string;
  websocket: string;
  domain: string;
  pids: number[];
}

/** A program of ours under way: what it has said so far, and how it ended. */
interface Run {
  process: ChildProcess;
  said(): string;
  /** The `ready` line; rejects when the program ends without one. */
  ready: Promise<Ready>;
  ended: Promise<number | null>;
}

let dataDir: string;
let runs: Run[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "enjamb-serve-"));
  runs = [];
});
afterEach(async () => {
  for (const run of runs) run.process.kill("SIGTERM");
  await Promise.all(runs.map((run) => run.ended));
  rmSync(dataDir, { recursive: true, force: true });
});

function run(script: string, args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [join(ROOT, "scripts", script), ...args], {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: dataDir, PORT: "0", ...env },
  });
  let said = "";
  let isReady: (ready: Ready) => void;
  const ended = once(child, "close").then(([code]) => code as number | null);
  const ready = new Promise<Ready>((settle, fail) => {
    isReady = settle;
    void ended.then(() => fail(new Error(said)));
  });
  ready.catch(() => {}); // a test that expects no ready line does not wait for it
  const take = (text: unknown) => {
    said += String(text);
    const line = /^ready (\{.*\})$/m.exec(said);
    if (line) isReady(JSON.parse(line[1]!) as Ready);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const result = { process: child, said: () => said, ready, ended };
  runs.push(result);
  return result;
}

const serve = (env: Record<string, string> = {}, ...args: string[]) => run("serve.ts", ["--no-build", ...args], env);

async function user(...args: string[]): Promise<string> {
  const program = run("user.ts", args);
  await program.ended;
  return program.said().trim();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("says when it can serve, and SIGTERM stops all of it", async () => {
  const server = serve({ XMPP_DOMAIN: "chat.example" });
  const { http, websocket, domain, pids } = await server.ready;
  expect([domain, websocket]).toEqual(["chat.example", `${http.replace("http", "ws")}/xmpp-websocket`]);
  expect(new URL(http).hostname).toBe("127.0.0.1");
  expect((await fetch(`${http}/healthz`)).status).toBe(200);
  server.process.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(pids.map(isAlive)).toEqual([false]);
});

test("when workerd dies, so does it, and says so", async () => {
  const server = serve();
  const { pids } = await server.ready;
  process.kill(pids[0]!, "SIGKILL");
  expect(await server.ended).toBe(1);
  expect(server.said()).toContain("workerd ended by itself (SIGKILL)");
});

test.each([
  [{ REGISTRATION: "perhaps" }, 'REGISTRATION="perhaps" is not possible: closed, invite or open'],
  [{ PORT: "http" }, 'PORT="http" is not possible: a number from 0 (any free port) to 65535'],
  [{ ADMIN_TOKEN: "change-me-change-me" }, "ADMIN_TOKEN=(hidden) is not possible"],
])("%o is refused at start", async (env, line) => {
  const server = serve(env as Record<string, string>);
  expect(await server.ended).toBe(1);
  expect(server.said()).toContain(line);
});

test("a second server on the same data is refused; after kill -9 a new one starts", async () => {
  const first = serve();
  const { http, pids } = await first.ready;
  const second = serve();
  expect(await second.ended).toBe(1);
  expect(second.said()).toContain(http);
  process.kill(pids[0]!, "SIGKILL");
  first.process.kill("SIGKILL");
  await first.ended;
  expect((await serve().ready).pids).not.toEqual(pids);
});

test("a taken port is refused", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const PORT = String((holder.address() as AddressInfo).port);
  try {
    const server = serve({ PORT });
    expect(await server.ended).toBe(1);
    expect(server.said()).toContain(`Port ${PORT} is taken`);
  } finally {
    holder.close();
  }
});

test("authorities that are not there are missed", async () => {
  const server = serve({ NODE_EXTRA_CA_CERTS: "/nonexistent.pem" });
  expect(await server.ended).toBe(1);
  expect(server.said()).toContain("NODE_EXTRA_CA_CERTS=/nonexistent.pem does not exist.");
});

test("npm start is open to newcomers and tells them where to go", async () => {
  const server = serve({}, "--newcomer");
  const { http } = await server.ready;
  expect(server.said()).toContain(`Open ${http}/`);
  expect(await (await fetch(`${http}/info.json`)).json()).toMatchObject({ registration: "open" });
  expect((await fetch(`${http}/`)).headers.get("content-type")).toContain("text/html");
});

test("accounts are made from the command line and outlive the server", async () => {
  const first = serve();
  await first.ready;
  expect(await user("add", "alice@localhost")).toMatch(/^alice@localhost {2}password: \S{24}$/);
  expect(await user("add", "alice@localhost")).toContain("exists already");
  expect(await user("add", "bob@localhost", "secret")).toBe("bob@localhost");
  expect(statSync(join(dataDir, "admin-token")).mode & 0o777).toBe(0o600);
  first.process.kill("SIGTERM");
  await first.ended;
  expect(existsSync(join(dataDir, "server.json"))).toBe(false);
  expect(await user("list")).toContain("No server runs");

  await serve().ready;
  expect(await user("list")).toBe("alice@localhost\nbob@localhost");
  expect(await user("delete", "bob@localhost")).toBe("bob@localhost is gone.");
  expect(await user("list")).toBe("alice@localhost");
});
