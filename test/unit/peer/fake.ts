/** A Peer object in memory, on a clock that the test moves; the wires that bridges reach it by, which may be bad ones. */
import { EventEmitter } from "node:events";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { vi } from "vitest";
import { features } from "../../../src/features/index.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { type Item, Post, type StanzaItem } from "../../../src/kernel/post.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import type { ToBridge, ToPeer } from "../../../src/peer/frames.ts";
import type { Link, LinkState } from "../../../src/peer/link.ts";
import { Peer } from "../../../src/peer/peer.ts";
import { QUEUE } from "../../../src/peer/queue.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import { Stanza } from "../../../src/protocol/stanza.ts";
import { parseSettings } from "../../../src/settings.ts";
import { read } from "../../../src/xml/reader.ts";

export const REMOTE = "montague.example";
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
const TOKEN = "a-token-for-the-tests";

/** How a wire spoils what goes over it; each is called for each frame. */
export interface Faults {
  /** In ms; 1 unless it says so. */
  latency?: number;
  dropped?(): boolean;
  doubled?(): boolean;
  /** It comes after the next one. */
  passed?(): boolean;
  cut?(): boolean;
}

/** Names what a stanza says. */
export const bodyOf = (text: string): string => /<body>(.*?)<\/body>/.exec(text)?.[1] ?? "";

export class Office {
  readonly settings;
  /** What other objects were handed; an account or a room knows a repeat by its origin, and so does this. */
  readonly taken: Stanza[] = [];
  /** All of it, repeats included. */
  handed = 0;
  /** What the object's calls do before they succeed. */
  refuses: (() => void) | undefined;
  /** How often it asked for a bridge, and what then happens. */
  reached = 0;
  onReach: () => void = () => {};
  readonly #origins = new Set<number>();
  readonly #kernel = new Kernel(features);
  readonly #storage: SqlStorage;
  readonly #wires = new Set<Wire>();
  #alarm: NodeJS.Timeout | undefined;
  #peer: Peer;

  constructor(env: Record<string, string> = {}) {
    this.settings = parseSettings({ XMPP_DOMAIN: "capulet.example", BRIDGE_TOKEN: TOKEN, ...env });
    const database = new DatabaseSync(":memory:");
    this.#storage = {
      exec: (query, ...values) => {
        const rows = database.prepare(query).all(...(values as SQLInputValue[]));
        return { toArray: () => rows };
      },
    };
    migrate(this.#storage, [DUE, QUEUE]);
    this.#peer = this.#made();
  }

  #made(): Peer {
    const { settings } = this;
    const log = { warn: () => {}, error: () => {} };
    const sql = sqlOver(this.#storage);
    const post: Post = new Post({
      settings,
      self: { kind: "PEER", name: REMOTE },
      calls: () => ({
        receive: async (batch: Item[]) => {
          this.refuses?.();
          for (const item of batch) if ("e" in item) this.#take(item);
        },
        deliver: async () => ({ gone: [], moved: [], acked: [] }),
      }),
      local: (item) => this.#peer.receive([item]),
      log,
    });
    const alarms = new Alarms(sql, (at) => {
      clearTimeout(this.#alarm);
      this.#alarm = setTimeout(() => this.#peer.alarm(), Math.max(0, at - Date.now()));
    });
    const reach = async () => {
      this.reached++;
      this.onReach();
      return true;
    };
    return new Peer({ domain: REMOTE, settings, kernel: this.#kernel, post, sql, alarms, log, reach });
  }

  #take({ e, origin }: StanzaItem): void {
    this.handed++;
    if (origin !== undefined && this.#origins.has(origin)) return;
    if (origin !== undefined) this.#origins.add(origin);
    this.taken.push(Stanza.open(e));
  }

  /** The bodies of what was taken, of stanzas that are no errors. */
  get bodies(): string[] {
    return this.taken.filter(({ type }) => type !== "error").map(({ inner }) => bodyOf(inner));
  }

  get errors(): Stanza[] {
    return this.taken.filter(({ type }) => type === "error");
  }

  /** A stanza of ours for the other server. */
  sends(text: string): void {
    const element = read(text.replace(/^<(\w+)/, '<$1 xmlns="jabber:client"'));
    const { from = "", to = "" } = element.attrs;
    this.#peer.receive([{ e: Stanza.read(element, Jid.parse(from), Jid.parse(to)).pack() }]);
  }

  says(body: string, from = "romeo@capulet.example/a"): void {
    this.sends(`<message type="chat" id="${body}" from="${from}" to="paul@${REMOTE}"><body>${body}</body></message>`);
  }

  /** As after hibernation: all that is not a row or kept with a socket is gone. */
  forget(): void {
    this.#peer = this.#made();
    for (const wire of this.#wires) this.#peer.linked(wire.adopt());
  }

  /** A new wire: a bridge's socket as the `ws` library makes them. */
  wire(faults: Faults = {}): Wire {
    const wire = new Wire(
      {
        frame: (link, frame) => this.#peer.frame(link, frame),
        unlinked: (link) => {
          this.#wires.delete(wire);
          this.#peer.unlinked(link);
        },
      },
      faults,
    );
    this.#wires.add(wire);
    this.#peer.linked(wire.adopt());
    return wire;
  }
}

interface FarEnd {
  frame(link: Link, frame: ToPeer): void;
  unlinked(link: Link): void;
}

/** Both ends of a WebSocket. */
export class Wire extends EventEmitter {
  readyState = 0;
  /** Told of each frame that comes for the bridge. */
  readonly seen: ToBridge[] = [];
  readonly #far: FarEnd;
  readonly #faults: Faults;
  readonly #held: Record<"in" | "out", (() => void) | undefined> = { in: undefined, out: undefined };
  #attachment = "";
  #link!: Link;

  constructor(far: FarEnd, faults: Faults) {
    super();
    this.#far = far;
    this.#faults = faults;
    setTimeout(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.emit("open");
    }, 1);
  }

  /** The object's end, from what was kept with the socket. */
  adopt(): Link {
    const kept = this.#attachment ? (JSON.parse(this.#attachment) as LinkState) : undefined;
    const link: Link = {
      state: kept ?? { bridge: "", sent: 0, taken: 0 },
      send: (frame) => this.#carry("out", () => this.#arrive(frame)),
      close: () => this.terminate(),
      save: () => {
        this.#attachment = JSON.stringify(link.state);
      },
    };
    this.#link = link;
    return link;
  }

  #arrive(frame: ToBridge): void {
    this.seen.push(frame);
    this.emit("message", JSON.stringify(frame));
  }

  send(text: string): void {
    this.#carry("in", () => this.#far.frame(this.#link, JSON.parse(text) as ToPeer));
  }

  /** What a bridge says when no bridge of ours is at that end. */
  say(frame: ToPeer): void {
    this.send(JSON.stringify(frame));
  }

  #carry(way: "in" | "out", deliver: () => void): void {
    const { dropped, doubled, passed, cut, latency = 1 } = this.#faults;
    if (cut?.()) this.terminate();
    if (dropped?.()) return;
    const arrive = () => {
      if (this.readyState === 1) deliver();
    };
    const held = this.#held[way];
    this.#held[way] = undefined;
    if (!held && passed?.()) {
      this.#held[way] = arrive;
      return;
    }
    for (const each of [arrive, doubled?.() ? arrive : undefined, held]) if (each) setTimeout(each, latency);
  }

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setTimeout(() => {
      this.emit("close");
      this.#far.unlinked(this.#link);
    }, 1);
  }
}

/** Lets so much time pass, and everything happen that falls due. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
