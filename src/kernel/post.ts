/** What leaves an object: stanzas to the objects that answer for their addresses, deliveries to gates. */
import { Jid } from "../protocol/jid.ts";
import { nodeOf } from "../protocol/pubsub.ts";
import type { Envelope, Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Log } from "./entity.ts";
import { Outbox } from "./outbox.ts";
import { placement, route, type Target } from "./placement.ts";

/** A stanza for an entity: of the account that sent it (`out`), else of the one it is addressed to. */
export interface StanzaItem {
  e: Envelope;
  out?: true;
  /** It may have come before: its sender does not know whether the last try arrived. */
  again?: true;
  /** The id that a message has in its sender's archive. */
  origin?: number;
  /** It is for each of these addresses, and `e` names none. */
  each?: string[];
  /** It is for those clients only that have asked for the events of this node (XEP-0060 §9.2). */
  wanted?: string;
  /** It is for those clients only that show one of these in their presence: `<show/>`, or "online" (XEP-0060 §16.4.2). */
  shows?: readonly string[];
  /** The node of the pubsub service that it is about; without one, it is for the service itself. */
  node?: string;
}

/** What a gate tells an account of one of its streams. */
export interface StreamNotice {
  /** The account's bare JID. */
  of: string;
  sid: string;
  /** Up to which mark the stream's client has what it was handed. */
  acked: number;
  /** The stream waits for its client, who has not acknowledged all. */
  asleep?: true;
  /** The stream has ended for good; with the presence that said so, if there was one. */
  ended?: true;
  presence?: Envelope;
}

/** A client has come on line that asks for the events of these nodes; for the accounts whose events it may see. */
export interface Wish {
  of: string[];
  /** The client's full JID. */
  by: string;
  wants: readonly string[];
}

/** What the pubsub service lists of one of its nodes, and of somebody's part in it. */
export interface NodeNotice {
  listed: string;
  /** null when the node is no more. */
  facts: { creator: string; title: string; access: string } | null;
  /** By bare JID; an affiliation of "none" without subscriptions has no part in it. */
  members: { jid: string; affiliation: string; subscriptions: [jid: string, subid: string, state: string][] }[];
}

/**
 * A node of the pubsub service wants to know of accounts: who is in their rosters, now and whenever that changes, or when
 * these addresses are not there any more; or nothing of this any longer.
 */
export interface Watch {
  watch: string;
  /** Bare JIDs for "roster". */
  of: string[];
  what: "roster" | "leaving" | "nothing";
}

/** What an account tells a node that watches it: who is in its roster, or, without that, that the address is not there. */
export interface Sight {
  /** The node. */
  seen: string;
  of: string;
  /** Contacts that see the account's presence or are in some group of its roster. */
  roster?: [jid: string, sees: boolean, groups: string[]][];
}

export type Item = StanzaItem | StreamNotice | Wish | NodeNotice | Watch | Sight;

/** A stanza for streams of one gate. An empty `e.to` stands for each stream's own address. */
export interface Delivery {
  e?: Envelope;
  /** What the same streams get right after `e`: a room's presences for somebody who joins. */
  more?: Envelope[];
  to: string[];
  /** The empty `to` means the stream's bare address, not its full one (RFC 6121 §8.5.2). */
  bare?: true;
  /** Where the stanza lies in its account's archive: what the client has acknowledged is known by it. */
  mark?: number;
  /** Where it lies in its room's archive. */
  place?: number;
  /** It may have come before; those with a mark or a place are known by it. */
  again?: true;
  /** The streams' account has this avatar from now on, by its hash; "" for none (XEP-0398 §4). */
  photo?: string;
  /** The streams end with this stream error instead of getting a stanza. */
  end?: "conflict" | "reset" | "not-authorized";
}

/** What became of a batch: streams that a gate no longer has, and streams that went on to another gate. */
export interface Delivered {
  gone: string[];
  moved: [sid: string, gate: string][];
  /** Up to which mark a stream's client has what it was handed, where that is news. */
  acked: [jid: string, sid: string, mark: number][];
  /** Streams that wait for their clients, and now for this, too. */
  asleep?: [jid: string, sid: string][];
  /** Streams whose clients have much to acknowledge: what waits in their archive should wait there a little longer. */
  slow?: [jid: string, sid: string][];
}

/** What every object that hosts entities offers to the others. */
export interface EntityCalls {
  receive(batch: Item[]): Promise<void>;
}

/** What a gate offers to them. */
export interface GateCalls extends EntityCalls {
  deliver(batch: Delivery[]): Promise<Delivered>;
}

/** How a stanza is delivered, and by which number it is known when that is tried again. */
export interface DeliverOptions {
  bare?: boolean;
  mark?: number;
  place?: number;
  again?: boolean;
}

export interface PostPorts {
  settings: Settings;
  /** The object whose post this is: what it sends to itself stays a function call. */
  self: Target;
  calls(target: Target): EntityCalls & GateCalls;
  /** Takes a stanza for an entity of this same object. */
  local(item: Item): void;
  /** Learns what became of deliveries; `batch` is what was handed over. */
  delivered?(result: Delivered, batch: readonly Delivery[]): void;
  log: Log;
}

/** Addresses that one object answers for. */
interface Group {
  target: Target;
  addresses: string[];
}

export class Post {
  readonly #ports: PostPorts;
  /** Outboxes in use; an idle one is dropped, since all it holds is an order that nothing waits in. */
  readonly #entities = new Map<string, Outbox<Item>>();
  readonly #gates = new Map<string, Outbox<Delivery, Delivered>>();
  readonly #groups = new WeakMap<readonly string[], readonly Group[]>();

  constructor(ports: PostPorts) {
    this.#ports = ports;
  }

  /** Sends a stanza to the object that answers for its address. */
  send(stanza: Stanza, done?: (error?: Error) => void): void {
    if (stanza.to) this.#route(stanza, { e: stanza.pack() }, done);
  }

  #route(stanza: Stanza, item: StanzaItem, done?: (error?: Error) => void): void {
    const { settings } = this.#ports;
    const to = stanza.to as Jid;
    const node = to.domain === settings.pubsubDomain ? nodeOf(stanza) : undefined;
    this.#put(route(settings, to, node), node === undefined ? item : { ...item, node }, done);
  }

  /** Hands a stanza for the pubsub service on to where a node of it is. */
  sendToNode(stanza: Stanza, node: string): void {
    if (stanza.to) this.#put(route(this.#ports.settings, stanza.to, node), { e: stanza.pack(), node });
  }

  /** Tells the pubsub service of one of its nodes. @returns whether that was in this same object */
  list(notice: NodeNotice, done: (error?: Error) => void): boolean {
    const { settings } = this.#ports;
    const target = route(settings, Jid.parse(settings.pubsubDomain));
    this.#put(target, notice, done);
    return this.#same(target);
  }

  /** Tells the accounts of these addresses what a node of the pubsub service wants to know of them. */
  watch(node: string, what: Watch["what"], of: readonly string[], done?: (error?: Error) => void): void {
    for (const { target, addresses } of this.#byTarget(of))
      if (target.kind === "USER") this.#put(target, { watch: node, of: addresses, what }, done);
  }

  /** Tells a node of the pubsub service what it wanted to know of an account. */
  sight(sight: Sight, done?: (error?: Error) => void): void {
    const { settings } = this.#ports;
    this.#put(route(settings, Jid.parse(settings.pubsubDomain), sight.seen), sight, done);
  }

  /** Sends a client's stanza to its own account. */
  submit(stanza: Stanza, done?: (error?: Error) => void): void {
    this.#put(route(this.#ports.settings, stanza.from), { e: stanza.pack(), out: true }, done);
  }

  /** Passes a message on from its sender's archive, where it is `mark`. */
  pass(stanza: Stanza, mark: number, again: boolean, done: (error?: Error) => void): void {
    if (!stanza.to) return;
    const item: StanzaItem = { e: stanza.pack(), origin: mark };
    if (again) item.again = true;
    this.#route(stanza, item, done);
  }

  /**
   * Sends the same stanza to many addresses: one item for each object of accounts, which reads it once for all of them.
   * `wanted` and `shows` say which clients it is for, where it is not for all. Who tells the same many often keeps the list:
   * one that has been seen is not sorted by objects again.
   */
  cast(stanza: Stanza, to: readonly string[], only: Pick<StanzaItem, "wanted" | "shows"> = {}): void {
    const e = stanza.pack();
    for (const { target, addresses } of this.#byTarget(to))
      if (target.kind !== "USER") for (const jid of addresses) this.send(stanza.with({ to: Jid.parse(jid) }));
      else this.#put(target, { e, each: addresses, ...only });
  }

  /** Tells the accounts of these addresses what a client wants to know of. */
  wish(by: Jid, wants: readonly string[], of: readonly string[]): void {
    for (const { target, addresses } of this.#byTarget(of))
      if (target.kind === "USER") this.#put(target, { of: addresses, by: by.toString(), wants });
  }

  #byTarget(all: readonly string[]): readonly Group[] {
    const known = this.#groups.get(all);
    if (known) return known;
    const groups = new Map<string, Group>();
    for (const address of all) {
      const target = route(this.#ports.settings, Jid.parse(address));
      const key = `${target.kind} ${target.name}`;
      const group = groups.get(key);
      if (group) group.addresses.push(address);
      else groups.set(key, { target, addresses: [address] });
    }
    const sorted = [...groups.values()];
    this.#groups.set(all, sorted);
    return sorted;
  }

  /** Tells an account, or a guest's home, about one of its streams, behind whatever that stream sent. */
  notify(notice: StreamNotice, done?: () => void): void {
    const { settings } = this.#ports;
    const guest = notice.of.endsWith(`@${settings.guestDomain}`);
    this.#put(
      guest ? route(settings, Jid.parse(notice.of)) : { kind: "USER", name: placement(settings, notice.of) },
      notice,
      done,
    );
  }

  isLocal(stanza: Stanza): boolean {
    return stanza.to !== undefined && this.#same(route(this.#ports.settings, stanza.to));
  }

  #same(target: Target): boolean {
    return target.kind === this.#ports.self.kind && target.name === this.#ports.self.name;
  }

  #put(target: Target, item: Item, done?: (error?: Error) => void): void {
    if (this.#same(target)) {
      this.#ports.local(item);
      done?.();
      return;
    }
    const key = `${target.kind} ${target.name}`;
    let outbox = this.#entities.get(key);
    if (!outbox) {
      prune(this.#entities);
      outbox = new Outbox(
        (batch, again) => this.#ports.calls(target).receive(again ? batch.map(repeated) : batch),
        undefined,
        // What a client asks for is not done twice; it is told that this has failed.
        (item) => ("e" in item ? item.e.kind === "message" : "acked" in item),
      );
      this.#entities.set(key, outbox);
    }
    outbox.put(item, done);
  }

  /** Delivers a stanza to streams of a gate, in one call with whatever else goes there. */
  deliver(gate: string, sids: string[], stanza: Stanza, options: DeliverOptions = {}): void {
    const outbox = this.#gate(gate);
    const last = outbox.tail;
    // The same presence comes once for each contact of a site that sees it, in a copy for each.
    const { bare, mark, place, again } = options;
    const known = mark ?? place ?? last?.mark ?? last?.place;
    const plain = last?.e && !last.more && last.bare === (bare || undefined) && known === undefined;
    if (plain && alike(last.e as Envelope, stanza)) {
      last.to.push(...sids);
      return;
    }
    const delivery: Delivery = { e: stanza.pack(), to: sids };
    if (bare) delivery.bare = true;
    if (mark !== undefined) delivery.mark = mark;
    if (place !== undefined) delivery.place = place;
    if (again) delivery.again = true;
    outbox.put(delivery);
  }

  /** Delivers many stanzas to the same streams, in order, as one item of a call. */
  deliverAll(gate: string, sids: string[], stanzas: readonly Stanza[]): void {
    const [first, ...more] = stanzas;
    if (!first) return;
    if (more.length === 0) return this.deliver(gate, sids, first);
    this.#gate(gate).put({ e: first.pack(), more: more.map((stanza) => stanza.pack()), to: sids });
  }

  /** Tells a stream the hash of its account's avatar. */
  photo(gate: string, sid: string, photo: string): void {
    this.#gate(gate).put({ to: [sid], photo });
  }

  /** Ends a stream, which its client can start again. */
  end(gate: string, sid: string, condition: NonNullable<Delivery["end"]>): void {
    this.#gate(gate).put({ to: [sid], end: condition });
  }

  /** Resolves once nothing is on its way to that gate. */
  async drained(gate: string): Promise<void> {
    await this.#gates.get(gate)?.drained();
  }

  /** Whether something is on its way to that gate. */
  busy(gate: string): boolean {
    return this.#gates.get(gate)?.idle === false;
  }

  #gate(name: string): Outbox<Delivery, Delivered> {
    let outbox = this.#gates.get(name);
    if (!outbox) {
      prune(this.#gates);
      const target: Target = { kind: "GATE", name };
      outbox = new Outbox(
        (batch, again) => this.#ports.calls(target).deliver(again ? batch.map(repeated) : batch),
        (result, batch) => this.#ports.delivered?.(this.#fate(name, result, batch), batch),
        () => true,
      );
      this.#gates.set(name, outbox);
    }
    return outbox;
  }

  /** Streams of a gate that does not answer may be there or not; they are told to start over if they are. */
  #fate(gate: string, result: Delivered | Error, batch: readonly Delivery[]): Delivered {
    if (!(result instanceof Error)) return result;
    this.#ports.log.error("a gate could not be reached", result, { gate });
    return { gone: [...new Set(batch.flatMap(({ to }) => to))], moved: [], acked: [] };
  }
}

/** What a call that failed may have brought all the same. */
function repeated<T extends Item | Delivery>(item: T): T {
  return "e" in item ? { ...item, again: true } : item;
}

/** Whether it is the same stanza; the children's text is most often the very same string, so this is cheap. */
function alike(e: Envelope, { kind, type, id, from, to, lang, inner }: Stanza): boolean {
  return (
    e.inner === inner &&
    e.kind === kind &&
    e.type === type &&
    e.id === id &&
    e.lang === lang &&
    e.from === from.toString() &&
    e.to === (to?.toString() ?? "")
  );
}

/** Keeps a map of outboxes small: one that is idle can be made again. */
function prune(outboxes: Map<string, { idle: boolean }>): void {
  if (outboxes.size < 256) return;
  for (const [key, outbox] of outboxes) if (outbox.idle) outboxes.delete(key);
}
