/** What other objects hand to a gate's streams, each once, and what they are told became of it. */
import type { Delivered, Delivery } from "../kernel/post.ts";
import { StreamError } from "../protocol/errors.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Crossings } from "./crossings.ts";
import type { Stream } from "./stream.ts";

/** Rooms of which is known what was heard of them. */
const MOST_HEARD = 10_000;

export interface DeliveriesPorts {
  crossings: Crossings;
  stream(sid: string): Stream | undefined;
  /** Writes the row of a stream that is away. */
  keep(stream: Stream): void;
}

export class Deliveries {
  readonly #ports: DeliveriesPorts;
  /** Streams without a socket that something is delivered to in the batch at hand. */
  readonly #away = new Set<Stream>();
  /** Up to which place of its archive each room has been heard; a cache, for what may come again. */
  readonly #heard = new Map<string, number>();

  constructor(ports: DeliveriesPorts) {
    this.#ports = ports;
  }

  deliver(batch: readonly Delivery[]): Delivered {
    const result: Delivered = { gone: [], moved: [], acked: [] };
    for (const delivery of batch) this.#deliver(delivery, result);
    // Whoever is away has nothing but its row, so the row has it before anybody is told that it was delivered.
    for (const stream of this.#away) if (!stream.ended) this.#ports.keep(stream);
    this.#away.clear();
    return result;
  }

  #deliver(delivery: Delivery, result: Delivered): void {
    const { e, more = [], to, bare, mark, place, again, end, photo } = delivery;
    const stanza = e && Stanza.open(e);
    const heard = stanza && place !== undefined && this.#hears(stanza.from.bare.toString(), place);
    const rest = more.map(Stanza.open);
    const { crossings } = this.#ports;
    for (const sid of to) {
      if (crossings.hold(sid, delivery)) continue;
      const stream = this.#ports.stream(sid);
      if (!stream || stream.ended) {
        const gate = crossings.whither(sid);
        if (gate) result.moved.push([sid, gate]);
        else result.gone.push(sid);
        continue;
      }
      const had = again && stanza && (mark === undefined ? heard || stream.queues(stanza) : stream.had(mark));
      if (end) stream.fail(new StreamError(end, END_TEXTS[end]));
      else if (photo !== undefined) stream.picture(photo);
      else if (stanza && !had) {
        stream.deliver(stanza, bare, mark);
        for (const next of rest) stream.deliver(next, bare);
      }
      if (!stream.socket) {
        this.#away.add(stream);
        if (mark !== undefined && stream.jid) (result.asleep ??= []).push([stream.jid.toString(), sid]);
      }
      // Only an account can use the news: its deliveries have marks, and it ends streams.
      const acked = stream.ledger && (end || mark !== undefined) ? stream.ledger.news() : had ? undefined : mark;
      if (acked !== undefined && stream.jid) result.acked.push([stream.jid.toString(), sid, acked]);
      if (mark !== undefined && stream.jid && stream.ledger?.slow)
        (result.slow ??= []).push([stream.jid.toString(), sid]);
    }
  }

  /** Whether a room was heard up to that place of its archive; from now on it was. */
  #hears(room: string, place: number): boolean {
    if (place <= (this.#heard.get(room) ?? 0)) return true;
    this.#heard.set(room, place);
    if (this.#heard.size > MOST_HEARD) this.#heard.delete(this.#heard.keys().next().value as string);
    return false;
  }
}

const END_TEXTS = {
  conflict: "Another client has taken this resource.",
  reset: "The server has lost this session; log in again.",
  "not-authorized": "The credentials of this session are no longer good.",
} as const;
