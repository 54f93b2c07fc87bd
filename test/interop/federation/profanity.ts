/** Debian's profanity at a terminal of its own: lines are typed at it, and its logs say what it has seen. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { install } from "../debian.ts";

const PATIENCE_MS = 20_000;

export interface Account {
  /** Bare JID. */
  jid: string;
  password: string;
  host: string;
  port: number;
}

export class Profanity {
  readonly #home: string;
  readonly #jid: string;
  readonly #child: ChildProcessByStdio<Writable, null, null>;

  /** All it keeps is under `home`; it trusts the authority of the PEM file `authority`. */
  constructor(home: string, { jid, password, host, port }: Account, authority: string) {
    if (!install("profanity")) throw new Error("profanity is not installed: apt-get install profanity");
    this.#home = home;
    this.#jid = jid;
    const certificates = join(home, "certificates");
    for (const folder of [certificates, this.#at("config"), this.#at("data")]) mkdirSync(folder, { recursive: true });
    cpSync(authority, join(certificates, "authority.pem"));
    // OpenSSL finds authorities in a folder by names it makes from theirs.
    execFileSync("openssl", ["rehash", certificates]);
    writeFileSync(
      join(this.#at("config"), "profrc"),
      `[logging]\nchlog=true\ngrlog=true\n[connection]\ntls.certpath=${certificates}\n`,
    );
    const account = { enabled: true, jid, server: host, port, password, "tls.policy": "force" };
    const lines = Object.entries(account).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(this.#at("data"), "accounts"), `[account]\n${lines.join("")}`);

    const { PATH } = process.env;
    const places = ["CONFIG", "DATA", "CACHE", "STATE"].map((what) => [
      `XDG_${what}_HOME`,
      join(home, what.toLowerCase()),
    ]);
    // script(1) gives it a terminal; curses wants to know its size.
    const command = "stty cols 120 rows 40; exec profanity -l DEBUG -a account";
    this.#child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      env: { PATH, HOME: home, TERM: "xterm", LANG: "C.UTF-8", ...Object.fromEntries(places) },
      stdio: ["pipe", "ignore", "ignore"],
    });
  }

  #at(what: "config" | "data"): string {
    return join(this.#home, what, "profanity");
  }

  /** A line, and Enter. */
  type(line: string): void {
    this.#child.stdin.write(`${line}\r`);
  }

  /** Waits until its own log, where it writes what it sends and receives, matches. */
  logs(what: RegExp): Promise<RegExpExecArray> {
    return this.#reads(join(this.#at("data"), "logs"), what);
  }

  /** Waits until its log of a chat matches: a line is a time, a nick and a text. */
  chats(peer: string, what: RegExp): Promise<RegExpExecArray> {
    return this.#reads(join(this.#at("data"), "chatlogs", named(this.#jid), named(peer)), what);
  }

  /** The same of a room. */
  rooms(room: string, what: RegExp): Promise<RegExpExecArray> {
    return this.#reads(join(this.#at("data"), "chatlogs", named(this.#jid), "rooms", named(room)), what);
  }

  async #reads(folder: string, what: RegExp): Promise<RegExpExecArray> {
    const late = Date.now() + PATIENCE_MS;
    for (;;) {
      const files = existsSync(folder) ? readdirSync(folder) : [];
      const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("");
      const match = what.exec(text);
      if (match) return match;
      if (Date.now() > late) throw new Error(`waited in vain for ${what} in ${folder}; read ${text.slice(-2_000)}`);
      await delay(50);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.type("/quit");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(late);
  }
}

/** A JID as profanity names folders. */
const named = (jid: string) => jid.replace("@", "_at_");
