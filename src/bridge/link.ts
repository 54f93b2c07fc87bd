/** The bridge's links to Peer objects: one for each remote domain that it talks with; numbered both ways, so that a cut loses nothing. */
import type WebSocket from "ws";
import type { Leaving, ToBridge, ToPeer } from "../peer/frames.ts";

/** A stanza of ours on its way out. */
export type Outgoing = Omit<Leaving, "after">;

export interface LinkPorts {
  connect(): Pick<WebSocket, "on" | "send" | "readyState" | "terminate">;
  /** Takes a stanza; says later what became of it by `sent` or `failed`. */
  outgoing(stanza: Outgoing): void;
  /** A question of some bridge's was answered. */
  answered(proof: string): void;
}

/** Who has brought a stanza: told when there is room for more, and when it is in custody. */
export interface Origin {
  drained(): void;
  taken(): void;
}

interface Entered {
  n: number;
  stanza: string;
  again?: boolean;
  origin: Origin;
}

/** Stanzas that were sent, remembered for when they come again. */
const REMEMBERED = 10_000;
/** After this without a stanza either way the link is closed. */
const IDLE_MS = 300_000;
/** An object that says nothing for so long though it was given something is not there any more. */
const SILENT_MS = 60_000;
const AGAIN_MS = [200, 1_000, 5_000, 15_000];
/** Stanzas that the object has not acknowledged, after which streams are not read from. */
const FULL = 1_000;

export class Link {
  readonly #ports: LinkPorts;
  /** The object counts what comes under this name. */
  readonly #name = crypto.randomUUID();
  #socket: ReturnType<LinkPorts["connect"]> | undefined;
  #ready = false;
  /** The last that has come on this socket. */
  #heard = 0;
  /** After a failure: nothing is taken until something comes that follows a number below this. */
  #halted = Number.POSITIVE_INFINITY;
  /** Taken from the object and not yet answered; and done with. */
  readonly #under = new Set<number>();
  readonly #done = new Set<number>();
  /** For the object, until it has acknowledged them. */
  #unacked: Entered[] = [];
  /** Whose streams are not read from. */
  readonly #paused = new Set<Origin>();
  #last = 0;
  #tries = 0;
  #used = Date.now();
  /** When the object has last said something, or was first given something that it has not acknowledged. */
  #alive = Date.now();
  /** Held open whatever the traffic: a component is there. */
  keep = false;

  constructor(ports: LinkPorts) {
    this.#ports = ports;
    this.#connect();
  }

  #connect(): void {
    const socket = this.#ports.connect();
    this.#socket = socket;
    this.#ready = false;
    this.#heard = 0;
    this.#halted = Number.POSITIVE_INFINITY;
    this.#alive = Date.now();
    socket.on("open", () => this.#say({ hello: this.#name, next: this.#unacked[0]?.n ?? this.#last + 1 }));
    socket.on("message", (data) => {
      if (socket === this.#socket) this.#frame(JSON.parse(String(data)) as ToBridge);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (socket !== this.#socket) return;
      this.#ready = false;
      this.#socket = undefined;
      if (!this.keep && this.#unacked.length === 0 && this.#under.size === 0) return;
      setTimeout(() => this.#socket ?? this.#connect(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
    });
  }

  /** Opens it if it is closed. */
  wake(): void {
    this.#used = Date.now();
    if (!this.#socket) this.#connect();
  }

  /** The object has no link: one that was ready is of no use, whatever it looks like from here. */
  reach(): void {
    if (this.#ready) this.#renew();
    else this.wake();
  }

  #renew(): void {
    const old = this.#socket;
    this.#connect();
    old?.terminate();
  }

  #say(frame: ToPeer): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #frame(frame: ToBridge): void {
    this.#used = this.#alive = Date.now();
    if ("taken" in frame) this.#taken(frame.taken);
    else if ("answered" in frame) this.#ports.answered(frame.answered);
    else this.#leaving(frame);
  }

  #taken(upTo: number): void {
    this.#tries = 0;
    const left = this.#unacked.findIndex(({ n }) => n > upTo);
    const taken = this.#unacked.splice(0, left < 0 ? this.#unacked.length : left);
    if (!this.#ready) {
      this.#ready = true;
      for (const entered of this.#unacked) this.#bring(entered);
    }
    for (const { origin } of taken) origin.taken();
    if (this.#unacked.length >= FULL) return;
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const origin of paused) origin.drained();
  }

  #leaving({ n, after, stanza, from, to }: Leaving): void {
    // Something between has been lost: all that waits comes again on a new socket.
    if (after > this.#heard) return this.#renew();
    this.#heard = n;
    if (after >= this.#halted) return;
    this.#halted = Number.POSITIVE_INFINITY;
    if (this.#done.has(n)) return this.#say({ sent: [n] });
    if (this.#under.has(n)) return;
    this.#under.add(n);
    this.#ports.outgoing({ n, stanza, from, to });
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** Stanzas that the object has not taken, and those that nothing proves to have been read. */
  get unacknowledged(): { in: number; out: number } {
    return { in: this.#unacked.length, out: this.#under.size };
  }

  sent(numbers: readonly number[]): void {
    for (const n of numbers) {
      this.#under.delete(n);
      this.#done.add(n);
    }
    this.#say({ sent: [...numbers] });
    for (const oldest of this.#done) {
      if (this.#done.size <= REMEMBERED) return;
      this.#done.delete(oldest);
    }
  }

  failed(numbers: readonly number[], reason: string, final: boolean): void {
    if (numbers.length === 0) return;
    for (const n of numbers) this.#under.delete(n);
    if (!final) this.#halted = Math.min(this.#halted, ...numbers);
    this.#say({ failed: [...numbers], reason, final });
  }

  /** A verified stanza for the object. False when too many are on their way. */
  enter(stanza: string, origin: Origin): boolean {
    this.wake();
    if (this.#unacked.length === 0) this.#alive = this.#used;
    const entered: Entered = { n: ++this.#last, stanza, origin };
    this.#unacked.push(entered);
    if (this.#ready) this.#bring(entered);
    if (this.#unacked.length < FULL) return true;
    this.#paused.add(origin);
    return false;
  }

  #bring(entered: Entered): void {
    const { n, stanza, again } = entered;
    this.#say({ n, stanza, ...(again && { again }) });
    entered.again = true;
  }

  /** Closes it when nobody has used it; true when it is of no more use. */
  idle(now: number): boolean {
    const waits = this.#socket && (!this.#ready || this.#unacked.length > 0);
    if (waits && now - this.#alive > SILENT_MS) this.#renew();
    if (this.keep || now - this.#used < IDLE_MS || this.#unacked.length > 0 || this.#under.size > 0) return false;
    this.close();
    return true;
  }

  close(): void {
    this.keep = false;
    this.#unacked = [];
    this.#under.clear();
    this.#socket?.terminate();
  }
}
