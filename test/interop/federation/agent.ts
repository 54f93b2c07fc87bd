/** slixmpp in a process of its own, with Debian's Python. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { install } from "../debian.ts";

export interface Seen {
  event:
    | "ready"
    | "failed"
    | "message"
    | "presence"
    | "roster"
    /** What came of a command of that name. */
    | "disco"
    | "items"
    | "create"
    | "follow"
    | "publish"
    | "play"
    | "introduce"
    | "read"
    | "show"
    | "fetch"
    | "copy"
    | "remember"
    | "call"
    /** Events of nodes, and of somebody's personal ones. */
    | "published"
    | "tune"
    | "avatar"
    /** XEP-0280; `type`: "received" or "sent". */
    | "carbon"
    /** XEP-0166: a request, which it has answered; `type`: its action. */
    | "called";
  node?: string;
  sender?: string;
  type?: string;
  body?: string;
  /** Of a message that came back. */
  id?: string;
  error?: string;
  jid?: string;
  mechanism?: string;
  tls?: string;
  subscription?: string;
  features?: string[];
  items?: string[];
  /** SHA-1 of a picture; "" for none. */
  photo?: string;
}

const PATIENCE_MS = 20_000;

export class Agent {
  /** As it was asked to be; with its resource, if that was chosen. */
  readonly jid: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #seen: Seen[] = [];
  readonly #waits = new Set<() => void>();
  #errors = "";

  constructor(jid: string, password: string, host: string, port: number, authorities: string) {
    if (!install("python3-slixmpp")) throw new Error("slixmpp is not installed: apt-get install python3-slixmpp");
    this.jid = jid;
    const args = [join(import.meta.dirname, "agent.py"), jid, password, host, String(port), authorities];
    this.#child = spawn("/usr/bin/python3", args, { stdio: ["pipe", "pipe", "pipe"] });
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#seen.push(JSON.parse(line) as Seen);
      for (const wait of this.#waits) wait();
    });
    this.#child.stderr.on("data", (text) => {
      this.#errors += text;
    });
  }

  get bare(): string {
    return this.jid.split("/", 1)[0] as string;
  }

  do(what: string, more: Record<string, string> = {}): void {
    this.#child.stdin.write(`${JSON.stringify({ do: what, ...more })}\n`);
  }

  /** What it does, and what comes of that. */
  async asks(what: Seen["event"], more: Record<string, string> = {}): Promise<Seen> {
    this.do(what, more);
    return this.sees({ event: what });
  }

  /** All that is like this of what it has seen and nobody has taken. */
  seen(like: Partial<Seen>): Seen[] {
    return this.#seen.filter((seen) => resembles(seen, like));
  }

  /** The first thing it has seen, or will see, that is like this; it counts as taken. */
  async sees(like: Partial<Seen>, patience = PATIENCE_MS): Promise<Seen> {
    const { promise, resolve, reject } = Promise.withResolvers<Seen>();
    const look = () => {
      const at = this.#seen.findIndex((seen) => resembles(seen, like));
      if (at < 0) return;
      // Several lines may come at once, and what follows is the next one's to take.
      this.#waits.delete(look);
      resolve(this.#seen.splice(at, 1)[0] as Seen);
    };
    const said = () => `waited in vain for ${JSON.stringify(like)}; saw ${JSON.stringify(this.#seen)} ${this.#errors}`;
    const late = setTimeout(() => reject(new Error(said())), patience);
    this.#waits.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#waits.delete(look);
    }
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

const resembles = (seen: Seen, like: Partial<Seen>) =>
  Object.entries(like).every(([key, value]) => seen[key as keyof Seen] === value);
