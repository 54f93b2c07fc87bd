/** Senders and readers that outlive their server, and write down what was sent, acknowledged and seen. */
import { attribute, Client, content, type Login } from "./client.ts";

const ORIGIN = /<origin-id[^>]*\sid=["']([^"']+)/;
const STANZA_ID = /<stanza-id[^>]*>/g;
const MAM = "urn:xmpp:mam:2";

const bare = (jid: string): string => jid.slice(0, jid.indexOf("/"));

/** `1-40 38 41-90`: runs of consecutive numbers, so that a loss, a repeat or a wrong order shows. */
export function runs(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");
}

/** Somebody with a stream-managed session, who comes back after each crash. */
class Survivor {
  protected readonly login: Login;
  protected client!: Client;
  #lost: Promise<void> = Promise.resolve();
  resumed = 0;
  refused = 0;

  constructor(login: Login) {
    this.login = login;
  }

  async begin(): Promise<void> {
    this.client = await Client.authenticate(this.login);
    await this.#bind();
    this.#watch();
  }

  /** Resolves when the connection is gone. */
  lost(): Promise<void> {
    return this.#lost;
  }

  /** Resumes the session, or begins a new one where the server has lost it. */
  async comeBack(): Promise<void> {
    const before = this.client;
    const client = await Client.authenticate(this.login);
    this.wire(client);
    this.client = client;
    if (before.session !== "" && (await client.resume(before))) {
      this.resumed++;
    } else {
      this.refused++;
      const inDoubt = client.unacked;
      client.unacked = [];
      client.acked = 0;
      await this.#bind();
      // As modern clients do: what was in doubt is sent again, and keeps its origin-id.
      for (const stanza of inDoubt) client.send(stanza);
    }
    this.#watch();
    this.onBack();
  }

  close(): Promise<void> {
    return this.client.close();
  }

  protected wire(_client: Client): void {}
  protected onBack(): void {}
  protected async onBound(): Promise<void> {}

  async #bind(): Promise<void> {
    this.wire(this.client);
    await this.client.bind();
    await this.client.enable();
    await this.onBound();
  }

  #watch(): void {
    this.#lost = new Promise((resolve) => {
      this.client.onClose = resolve;
    });
  }
}

/** Sends numbered messages, at most `WINDOW` of them unacknowledged at a time. */
export class Sender extends Survivor {
  static readonly WINDOW = 8;
  readonly to: string;
  /** Numbers in the order they were sent, and in the order they were acknowledged. */
  readonly sent: number[] = [];
  readonly acked: number[] = [];
  onAck: () => void = () => {};
  #going = false;
  #drained: () => void = () => {};

  constructor(login: Login, to: string) {
    super(login);
    this.to = to;
  }

  /** Sends, until the server goes; after a return it must be told again. */
  go(): void {
    this.#going = true;
    this.#fill();
  }

  /** Sends no more; resolves when all that was sent is acknowledged. */
  finish(): Promise<void> {
    this.#going = false;
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#check();
    });
  }

  protected override wire(client: Client): void {
    client.onAcked = (stanza) => {
      const number = content(stanza, "body");
      if (number === undefined) return;
      this.acked.push(Number(number));
      this.onAck();
      this.#fill();
      this.#check();
    };
  }

  override comeBack(): Promise<void> {
    this.#going = false;
    return super.comeBack();
  }

  protected override onBack(): void {
    this.client.requestAck();
  }

  #check(): void {
    if (!this.#going && this.acked.length === this.sent.length) this.#drained();
  }

  #fill(): void {
    while (this.#going && this.client.unacked.length < Sender.WINDOW) {
      const number = this.sent.length + 1;
      this.sent.push(number);
      const id = `${this.to}-${number}`;
      this.client.send(
        `<message xmlns="jabber:client" to="${this.to}" type="chat" id="${id}"><body>${number}</body>` +
          `<origin-id xmlns="urn:xmpp:sid:0" id="${id}"/></message>`,
      );
      this.client.requestAck();
    }
  }
}

export interface ReaderOptions {
  /** Fetches what it has missed from the archive (XEP-0313), and reads what comes live after that. */
  archive: boolean;
  /** Knows a repeat by its origin-id too, not by its stanza-id alone. */
  lenient: boolean;
}

/** Collects numbered messages as a modern client does: what has a known stanza-id is a repeat. */
export class Reader extends Survivor {
  readonly seen: number[] = [];
  repeats = 0;
  onSeen: () => void = () => {};
  readonly #options: ReaderOptions;
  readonly #known = new Set<string>();
  #last = "";
  /** What came live while it caught up. */
  #live: string[] | undefined;

  constructor(login: Login, options: ReaderOptions) {
    super(login);
    this.#options = options;
  }

  override toString(): string {
    const help = this.#options.archive ? "with" : "without";
    const [, end] = this.client.error?.match(/<(?:\w+:)?error[^>]*>(.*)/) ?? [];
    return `${this.login.username} (${help} the archive's help; ${this.resumed} resumed, ${this.refused} refused; ${end ?? "no error"})`;
  }

  protected override wire(client: Client): void {
    client.onStanza = (stanza) => {
      if (!stanza.startsWith("<message") || attribute(stanza, "type") === "error") return;
      const result = stanza.match(/<result[^>]*\sid=["']([^"']+)/)?.[1];
      if (result !== undefined) this.#read(stanza, result);
      else if (this.#live) this.#live.push(stanza);
      else this.#readLive(stanza);
    };
  }

  protected override async onBound(): Promise<void> {
    this.client.send(`<presence xmlns="jabber:client"/>`);
    if (!this.#options.archive) return;
    this.#live = [];
    // What comes after this comes live: so there is an end to what must be fetched.
    await this.client.iq("get", undefined, `<ping xmlns="urn:xmpp:ping"/>`);
    await this.#catchUp(new Date(Date.now() + 1_000));
    const live = this.#live;
    this.#live = undefined;
    for (const stanza of live) this.#readLive(stanza);
  }

  #readLive(stanza: string): void {
    const self = bare(this.client.jid);
    const ids = stanza.match(STANZA_ID)?.filter((tag) => attribute(tag, "by") === self);
    this.#read(stanza, ids?.[0] && attribute(ids[0], "id"));
  }

  #read(stanza: string, stanzaId: string | undefined): void {
    const number = content(stanza, "body");
    if (number === undefined) return;
    const ids = [stanzaId, this.#options.lenient ? `origin ${stanza.match(ORIGIN)?.[1]}` : undefined];
    const repeat = ids.some((id) => id !== undefined && this.#known.has(id));
    for (const id of ids) if (id !== undefined) this.#known.add(id);
    if (repeat) {
      this.repeats++;
    } else {
      this.#last = stanzaId ?? this.#last;
      this.seen.push(Number(number));
    }
    this.onSeen();
  }

  async #catchUp(end: Date): Promise<void> {
    const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
    const until = `<x xmlns="jabber:x:data" type="submit">${field("FORM_TYPE", MAM)}${field("end", end.toISOString())}</x>`;
    for (let last = this.#last, complete = false; !complete; ) {
      const after = last === "" ? "" : `<after>${last}</after>`;
      const set = `<set xmlns="http://jabber.org/protocol/rsm"><max>100</max>${after}</set>`;
      const page = await this.client.iq("set", bare(this.client.jid), `<query xmlns="${MAM}">${until}${set}</query>`);
      complete = /complete=["']true/.test(page);
      last = content(page, "last") ?? last;
    }
  }
}
