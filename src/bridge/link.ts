/** The bridge's links to Peer objects: one for each remote domain that it talks with; numbered both ways, so that a cut loses nothing. */
import type WebSocket from "ws";
import type { ToBridge, ToPeer } from "../peer/frames.ts";

/** A stanza of ours on its way out. */
export interface Outgoing {
  n: number;
  stanza: string;
  from: string;
  to: string;
}

export interface LinkPorts {
  connect(): WebSocket;
  /** This start of the bridge. */
  name: string;
  /** Takes a stanza; says later what became of it by `sent` or `failed`. */
  outgoing(stanza: Outgoing): void;
}

/** Stanzas that were written, remembered for when they come again. */
const REMEMBERED = 10_000;
/** After this without a stanza either way the link is closed. */
const IDLE_MS = 300_000;
const AGAIN_MS = [200, 1_000, 5_000, 15_000];
/** Stanzas that the object has not acknowledged, after which streams are not read from. */
const FULL = 1_000;

export class Link {
  readonly #ports: LinkPorts;
  #socket: WebSocket | undefined;
  #ready = false;
  /** Taken from the object and not yet answered; and done with. */
  readonly #under = new Set<number>();
  readonly #done = new Set<number>();
  /** For the object, until it has acknowledged them. */
  #unacked: { n: number; stanza: string }[] = [];
  #last = 0;
  #tries = 0;
  #used = Date.now();
  /** Held open whatever the traffic: a component is there. */
  keep = false;
  readonly #drained: (() => void)[] = [];

  constructor(ports: LinkPorts) {
    this.#ports = ports;
    this.#connect();
  }

  #connect(): void {
    const socket = this.#ports.connect();
    this.#socket = socket;
    socket.on("open", () => this.#say({ hello: this.#ports.name }));
    socket.on("message", (data) => this.#frame(JSON.parse(String(data)) as ToBridge));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ready = false;
      this.#socket = undefined;
      if (!this.keep && this.#unacked.length === 0 && this.#under.size === 0) return;
      setTimeout(() => this.#socket ?? this.#connect(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
    });
  }

  /** Opens it again if it was closed. */
  wake(): void {
    this.#used = Date.now();
    if (!this.#socket) this.#connect();
  }

  #say(frame: ToPeer): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #frame(frame: ToBridge): void {
    this.#used = Date.now();
    if ("taken" in frame) {
      this.#tries = 0;
      this.#unacked = this.#unacked.filter(({ n }) => n > frame.taken);
      if (!this.#ready) {
        this.#ready = true;
        for (const stanza of this.#unacked) this.#say(stanza);
      }
      if (this.#unacked.length < FULL) for (const run of this.#drained.splice(0)) run();
      return;
    }
    const { n } = frame;
    if (this.#done.has(n)) return this.#say({ sent: [n] });
    if (this.#under.has(n)) return;
    this.#under.add(n);
    this.#ports.outgoing(frame);
  }

  sent(n: number): void {
    this.#under.delete(n);
    this.#done.add(n);
    this.#say({ sent: [n] });
    if (this.#done.size > REMEMBERED) for (const oldest of this.#done) return void this.#done.delete(oldest);
  }

  failed(numbers: number[], reason: string, final: boolean): void {
    for (const n of numbers) this.#under.delete(n);
    this.#say({ failed: numbers, reason, final });
  }

  /** A verified stanza for the object. When too many are on their way, `drained` is run once there are fewer, and this is false. */
  enter(stanza: string, drained: () => void): boolean {
    this.wake();
    const numbered = { n: ++this.#last, stanza };
    this.#unacked.push(numbered);
    if (this.#ready) this.#say(numbered);
    if (this.#unacked.length < FULL) return true;
    this.#drained.push(drained);
    return false;
  }

  /** Closes it when nobody has used it; true when it is of no more use. */
  idle(now: number): boolean {
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
