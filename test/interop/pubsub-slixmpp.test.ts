/** slixmpp publishes, subscribes and receives, by way of the bridge. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Authority } from "./federation/authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./federation/bridge.ts";
import { type Server, startServer } from "./server.ts";

const HERE = "enjamb.test";
/** Python takes its time to start. */
const PATIENCE_MS = 20_000;
const folder = mkdtempSync(join(tmpdir(), "enjamb-pubsub-"));

interface Seen {
  event: "ready" | "done" | "refused" | "published" | "retracted" | "deleted" | "tune";
  sender?: string;
  node?: string;
  id?: string;
  text?: string;
}

interface Command {
  to?: string;
  node?: string;
  id?: string;
  text?: string;
}

/** slixmpp in a process of its own, with Debian's Python. */
class Agent {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #seen: Seen[] = [];
  #look: () => void = () => {};

  constructor(name: string, port: number) {
    const args = [`${name}@${HERE}`, "wherefore", "127.0.0.1", String(port), authority.file];
    const script = join(import.meta.dirname, "pubsub-agent.py");
    this.#child = spawn("/usr/bin/python3", [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#seen.push(JSON.parse(line) as Seen);
      this.#look();
    });
  }

  /** What comes of a command; "" where there is nothing to say. */
  async do(what: string, command: Command = {}): Promise<string> {
    this.#child.stdin.write(`${JSON.stringify({ what, ...command })}\n`);
    const { event, text = "" } = await this.#next((it) => it.event === "done" || it.event === "refused");
    return event === "done" ? text : `refused: ${text}`;
  }

  sees(event: Seen["event"]): Promise<Seen> {
    return this.#next((it) => it.event === event);
  }

  /** The first thing it has seen, or will see, that matches; it counts as taken. One at a time. */
  async #next(match: (it: Seen) => boolean): Promise<Seen> {
    const { promise, resolve, reject } = Promise.withResolvers<Seen>();
    const said = () => `waited in vain for ${match}; saw ${JSON.stringify(this.#seen)}`;
    const late = setTimeout(() => reject(new Error(said())), PATIENCE_MS);
    this.#look = () => {
      const at = this.#seen.findIndex(match);
      if (at >= 0) resolve(this.#seen.splice(at, 1)[0] as Seen);
    };
    this.#look();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#look = () => {};
    }
  }

  /** What it has seen that nobody has taken. */
  get rest(): readonly Seen[] {
    return this.#seen;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

const authority = new Authority(folder);
let server: Server;
let bridge: RunningBridge;
let romeo: Agent;
let juliet: Agent;

beforeAll(async () => {
  server = await startServer({ settings: { XMPP_DOMAIN: HERE, BRIDGE_TOKEN } }, "ours");
  await server.addUsers(["romeo", "juliet"], "wherefore");
  bridge = await startBridge(server, authority.issue("here", [HERE]), { S2S_CA: authority.file });
  [romeo, juliet] = [new Agent("romeo", bridge.ports.c2s), new Agent("juliet", bridge.ports.c2s)];
  await Promise.all([romeo.sees("ready"), juliet.sees("ready")]);
});
afterAll(async () => {
  romeo?.stop();
  juliet?.stop();
  await bridge?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true });
});

test("makes a node, publishes, subscribes, receives and retracts", async () => {
  const [to, node] = [`pubsub.${HERE}`, "sonnets"];
  expect(await romeo.do("create", { to, node })).toBe("");
  expect(await juliet.do("subscribe", { to, node })).toBe("subscribed");
  expect(await romeo.do("publish", { to, node, id: "18", text: "Shall I compare thee & thine?" })).toBe("18");
  expect(await juliet.sees("published")).toMatchObject({
    sender: to,
    node,
    id: "18",
    text: "Shall I compare thee & thine?",
  });
  expect(await juliet.do("items", { to, node })).toBe("18");
  expect(await juliet.do("publish", { to, node, id: "19" })).toBe("refused: forbidden");
  expect(await romeo.do("retract", { to, node, id: "18" })).toBe("");
  expect(await juliet.sees("retracted")).toMatchObject({ sender: to, node, id: "18" });
  expect(await romeo.do("delete", { to, node })).toBe("");
  expect(await juliet.sees("deleted")).toMatchObject({ sender: to, node });
  expect(juliet.rest, "each event came once").toEqual([]);
});

test("hears the tunes of its own account by its capabilities", async () => {
  expect(await romeo.do("play", { text: "Dance of the Knights" })).toBe("");
  expect(await romeo.sees("tune")).toMatchObject({ sender: `romeo@${HERE}`, text: "Dance of the Knights" });
});
