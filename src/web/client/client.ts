/** XEP-0198: Stream Management, v1.6.1 — https://xmpp.org/extensions/xep-0198.html — and RFC 6120 §8: one account's lasting connection. */
import { discover } from "./discover.ts";
import { type Element, xml } from "./element.ts";
import { type Bound, type Keep, LoginError, negotiate, nonce, SM } from "./negotiate.ts";
import { read } from "./reader.ts";
import { type Credentials, SaslError } from "./sasl.ts";
import { STANZAS, StanzaError, stanzaError } from "./stanza-error.ts";
import { StreamError, Wire } from "./wire.ts";

export const PING = "urn:xmpp:ping";
/** Conditions after which trying again by ourselves would do harm, or nothing. */
const FINAL = ["conflict", "host-unknown", "not-authorized"];
const CONNECT_TIMEOUT = 20_000;
const IQ_TIMEOUT = 30_000;
const PROBE_TIMEOUT = 8_000;
const QUIET = 90_000;

/** A session that can be resumed, as plain data: kept over a page's reload. */
export interface Session {
  jid: string;
  id: string;
  /** Stanzas we have handled. */
  h: number;
  /** Stanzas of ours the server has handled. */
  acked: number;
  /** Our stanzas it has not, as XML. */
  queue: string[];
}

export interface Options {
  /** What `discover` takes: an https origin or a WebSocket URL. */
  address: string;
  domain: string;
  credentials: Credentials;
  /** Shown as the first part of the resource. */
  software?: string;
  keep?: Keep;
  kept?: (keep: Keep) => void;
  session?: Session | undefined;
  /** Seconds that others should see us after we were lost; undefined = as the server likes. */
  patience?: number;
  /** True while nobody is looking: a quiet connection is then left alone. */
  hidden?: () => boolean;
}

export interface Events {
  /** Usable; `resumed` when nothing was lost, so that rooms need not be joined again. */
  online: { resumed: boolean };
  /** Not usable; tries again in `retry` milliseconds, or never. */
  offline: { error: Error | undefined; retry: number | undefined };
  /** Each incoming stanza that is not an answer to an IQ. */
  stanza: Element;
  /** The server has this stanza of ours in its custody; without stream management: it was sent. */
  acked: Element;
}

type Listener<K extends keyof Events> = (event: Events[K]) => void;

export class Client {
  jid = "";
  online = false;
  readonly options: Options;
  /** Answer an incoming IQ request with a payload or with true; undefined = service-unavailable. Keyed by namespace. */
  readonly responders = new Map<string, (iq: Element) => Element | true | undefined>([[PING, () => true]]);
  #listeners: { [K in keyof Events]?: Set<Listener<K>> } = {};
  #asked = new Map<string, { to: string; settle: (answer: Element | StanzaError) => void }>();
  #wire: Wire | undefined;
  #wanted = false;
  #running = false;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #request: ReturnType<typeof setTimeout> | undefined;
  #id = "";
  #managed = false;
  #h = 0;
  #acked = 0;
  /** Sent and not acknowledged, then not yet sent: in order. */
  #queue: Element[] = [];

  constructor(options: Options) {
    this.options = options;
    const { session } = options;
    if (session) {
      [this.jid, this.#id, this.#h, this.#acked] = [session.jid, session.id, session.h, session.acked];
      this.#queue = session.queue.map(read);
    }
  }

  get bare(): string {
    return this.jid.split("/")[0]!;
  }

  on<K extends keyof Events>(event: K, listener: Listener<K>): () => void {
    const set = ((this.#listeners[event] as Set<Listener<K>> | undefined) ??= new Set() as never) as Set<Listener<K>>;
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Connects, and keeps reconnecting until `disconnect`. Call it again to try at once. */
  connect(): void {
    this.#wanted = true;
    clearTimeout(this.#retry);
    if (!this.#running) void this.#run();
  }

  /** The page is looked at again, or the network is back: tries at once, or finds out whether the connection still is one. */
  wake(): void {
    if (this.online) this.#probe();
    else if (this.#wanted) this.connect();
  }

  /** Ends the session for good. */
  disconnect(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#id = "";
    this.#wire?.end();
  }

  /** Leaves without a word, so that the session can be resumed, and says what is needed for that. */
  suspend(): Session | undefined {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#wire?.end(undefined, true);
    const { jid } = this;
    return this.#id ? { jid, id: this.#id, h: this.#h, acked: this.#acked, queue: this.#queue.map(String) } : undefined;
  }

  /**
   * Sends now, or once there is a connection again. Stanzas that wait survive a reconnection: presence and IQs only if the
   * session is resumed, messages in any case.
   */
  send(stanza: Element): void {
    stanza.attrs.xmlns ??= "jabber:client";
    if (this.#managed || !this.online) this.#queue.push(stanza);
    if (!this.online) return;
    this.#wire!.send(stanza);
    if (!this.#managed) this.#emit("acked", stanza);
    else if (stanza.name === "message") this.#request ??= setTimeout(() => this.#ask(), 300);
  }

  /** Asks and waits for the answer; rejects with StanzaError. */
  iq(type: "get" | "set", to: string | undefined, payload: Element): Promise<Element> {
    const id = nonce();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new StanzaError("timeout")), IQ_TIMEOUT);
      const settle = (answer: Element | StanzaError) => {
        clearTimeout(timer);
        this.#asked.delete(id);
        if (answer instanceof StanzaError) reject(answer);
        else resolve(answer);
      };
      this.#asked.set(id, { to: to ?? "", settle });
      this.send(xml("iq", { type, to, id }, payload));
    });
  }

  /** Sends something that is no stanza: not counted, not kept. */
  nonza(element: Element): void {
    this.#wire?.send(element);
  }

  #probe(): void {
    clearTimeout(this.#quiet);
    if (this.#managed) this.#ask();
    else this.iq("get", this.bare.split("@")[1], xml("ping", { xmlns: PING })).catch(() => {});
    this.#quiet = setTimeout(() => this.#wire?.end(new StreamError("closed", "no answer"), true), PROBE_TIMEOUT);
  }

  #emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) (listener as Listener<K>)(value);
  }

  async #run(): Promise<void> {
    const {
      domain,
      credentials,
      software = "enjamb",
      patience,
      keep = { agent: crypto.randomUUID() },
      kept = () => {},
    } = this.options;
    this.options.keep = keep;
    this.#running = true;
    let error: Error | undefined;
    try {
      const address = await discover(this.options.address);
      if (!this.#wanted) throw new StreamError("closed");
      const { protocol, hostname } = new URL(address);
      const secure = protocol === "wss:" || /^(localhost|127\..*|\[::1\])$/.test(hostname);
      const resume = this.#id ? { id: this.#id, h: this.#h } : undefined;
      const wire = (this.#wire = new Wire(address, domain, secure && keep.token ? keep.jid : undefined));
      const over = wire.closed.then((reason) => {
        error = reason;
      });
      this.#quiet = setTimeout(() => wire.end(new StreamError("closed", "no answer"), true), CONNECT_TIMEOUT);
      const bound = await negotiate(wire, { domain, credentials, secure, software, patience, keep, kept, resume });
      this.#begin(wire, bound);
      await over;
    } catch (thrown) {
      error ??= thrown as Error;
      this.#wire?.end();
    }
    this.#lost(error);
  }

  #begin(wire: Wire, { jid, resumed = false, h, sm }: Bound): void {
    if (h !== undefined) this.#handled(h);
    if (!resumed) {
      // What the old session had sent and nobody acknowledged: only messages are worth sending again, under the same id, and
      // what goes to or through a room is the room's own affair.
      this.#queue = this.#queue.filter(
        ({ name, attrs }) => name === "message" && attrs.type === "chat" && !attrs.to?.includes("/"),
      );
      for (const { settle } of this.#asked.values()) settle(new StanzaError("disconnected"));
      [this.jid, this.#id, this.#h, this.#acked] = [jid!, sm ?? "", 0, 0];
      this.#managed = sm !== undefined;
    }
    this.#failures = 0;
    this.online = true;
    if (resumed) wire.send(...this.#queue);
    // On a new session whatever the listeners send comes first: presence before messages.
    const waiting = resumed ? [] : this.#queue.splice(0);
    this.#emit("online", { resumed });
    for (const stanza of waiting) this.send(stanza);
    wire.listen((element) => this.#receive(element));
    this.#rest();
  }

  #lost(error: Error | undefined): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#request);
    this.#request = this.#wire = undefined;
    this.online = this.#running = false;
    const condition = error instanceof StreamError || error instanceof LoginError ? error.condition : "";
    // A session that ends so would end so again on its next resumption.
    if (condition === "policy-violation") [this.#id, this.#queue] = ["", []];
    const final =
      !this.#wanted ||
      FINAL.includes(condition) ||
      (error instanceof LoginError && condition !== "temporary-auth-failure") ||
      error instanceof SaslError;
    if (final) {
      this.#wanted = false;
      this.#emit("offline", { error, retry: undefined });
      return;
    }
    // Jitter keeps the clients of a restarted server from all coming back in one second.
    const retry = Math.min(Math.random() * 5_000 * 2 ** this.#failures++, 60_000);
    this.#retry = setTimeout(() => this.connect(), retry);
    this.#emit("offline", { error, retry });
  }

  #receive(element: Element): void {
    this.#rest();
    const { name, attrs } = element;
    if (attrs.xmlns === SM) {
      if (name === "r") this.#wire?.send(xml("a", { xmlns: SM, h: this.#h }));
      else if (name === "a") this.#handled(Number(attrs.h));
    } else if (attrs.xmlns === "jabber:client") {
      // The counter is 32 bits wide (§4).
      this.#h = (this.#h + 1) >>> 0;
      if (name !== "iq") this.#emit("stanza", element);
      else if (attrs.type === "get" || attrs.type === "set") this.#respond(element);
      else this.#answered(element);
    }
  }

  #answered(iq: Element): void {
    const { id = "", from = "", type } = iq.attrs;
    const asked = this.#asked.get(id);
    // Only the one who was asked may answer; the server and our own account may leave `from` out.
    const own = ["", this.bare, this.bare.split("@")[1]];
    if (!asked || (asked.to !== from && !(own.includes(asked.to) && own.includes(from)))) return;
    asked.settle(type === "error" ? stanzaError(iq) : iq);
  }

  #respond(iq: Element): void {
    const { id, from } = iq.attrs;
    const payload = iq.all()[0];
    const ns = payload?.attrs.xmlns ?? "";
    const answer = this.responders.get(ns)?.(iq);
    const error = !answer && xml("error", { type: "cancel" }, xml("service-unavailable", { xmlns: STANZAS }));
    this.send(xml("iq", { type: error ? "error" : "result", id, to: from }, error || (answer !== true && answer)));
  }

  #handled(h: number): void {
    const count = (h - this.#acked) >>> 0;
    if (count > this.#queue.length) return;
    this.#acked = h;
    for (const stanza of this.#queue.splice(0, count)) this.#emit("acked", stanza);
  }

  #ask(): void {
    clearTimeout(this.#request);
    this.#request = undefined;
    this.#wire?.send(xml("r", { xmlns: SM }));
  }

  /** Something was heard: the next probe is due after a quiet time, and only while somebody is looking. */
  #rest(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      if (!this.options.hidden?.()) this.#probe();
    }, QUIET);
  }
}
