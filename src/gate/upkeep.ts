/** What streams leave for a little later: their states into attachments, acknowledgements asked for and passed on. */
import type { Stream } from "./stream.ts";

/**
 * What changed is put into attachments so many ms after it did, not with each stanza. The timer keeps the object from being
 * forgotten until then; it is the only reason why it does not hurt that a field is ahead of an attachment.
 */
const SAVE_MS = 20;
/** How often unacknowledged stanzas are asked for, and acknowledgements passed on, while there are any. */
const TICK_MS = 1000;
/** Ticks without any news after which a stream's unacknowledged stanzas go into its row, so that the object may sleep. */
const PATIENCE = 5;

export interface UpkeepPorts {
  /** Tells the stream's account what its client has acknowledged. */
  tell(stream: Stream): void;
  /** Puts a stream into its row: it has no socket, or its attachment no room. */
  keep(stream: Stream): void;
  /** Puts one into its row whose client has not said a word for a while. */
  silent(stream: Stream): void;
}

/** Two bounded timers over all streams of a gate, running only while there is something to do. */
export class Upkeep {
  readonly #ports: UpkeepPorts;
  readonly #unsaved = new Set<Stream>();
  /** Streams with something unacknowledged, and for how many ticks there has been no news of them. */
  readonly #unacked = new Map<Stream, number>();
  #saving = false;
  #ticking = false;

  constructor(ports: UpkeepPorts) {
    this.#ports = ports;
  }

  touch(stream: Stream): void {
    this.#unsaved.add(stream);
    const { ledger } = stream;
    if (ledger && (!ledger.tacit || stream.owed || ledger.hasNews)) this.watch(stream);
    if (this.#saving) return;
    this.#saving = true;
    setTimeout(() => this.#save(), SAVE_MS);
  }

  #save(): void {
    this.#saving = false;
    for (const stream of this.#unsaved) {
      if (stream.ended) continue;
      // All is acknowledged: what waits for that, the next page of its mail perhaps, need not wait for a tick.
      if (stream.ledger?.hasNews && stream.ledger.queue.length === 0) this.#ports.tell(stream);
      if (!stream.socket || !stream.save()) this.#ports.keep(stream);
    }
    this.#unsaved.clear();
  }

  watch(stream: Stream): void {
    this.#unacked.set(stream, 0);
    if (this.#ticking) return;
    this.#ticking = true;
    setTimeout(() => this.#tick(), TICK_MS);
  }

  watches(stream: Stream): boolean {
    return this.#unacked.has(stream);
  }

  forget(stream: Stream): void {
    this.#unsaved.delete(stream);
    this.#unacked.delete(stream);
  }

  /** Asks for acknowledgements and passes on those that came, until there is no more of either. */
  #tick(): void {
    this.#ticking = false;
    for (const [stream, ticks] of [...this.#unacked]) this.#attend(stream, ticks);
    if (this.#unacked.size === 0) return;
    this.#ticking = true;
    setTimeout(() => this.#tick(), TICK_MS);
  }

  #attend(stream: Stream, ticks: number): void {
    const { ledger } = stream;
    this.#unacked.delete(stream);
    if (stream.ended || !stream.socket || !ledger) return;
    stream.ask();
    if (ledger.hasNews && ticks >= 1) this.#ports.tell(stream);
    // A transport that was asked says by itself when something has arrived, and when nobody is there any more.
    const owes = ledger.queue.length > 0 && !ledger.tacit;
    if (owes && ticks >= PATIENCE) this.#ports.silent(stream);
    else if (owes || ledger.hasNews) this.#unacked.set(stream, ticks + 1);
  }
}
