/** XEP-0045: occupants for load and crash tests, who write down what they said and what they heard. */
import { attribute, Client, content, type Login } from "./client.ts";
import { parallel } from "./parallel.ts";

const MUC = "http://jabber.org/protocol/muc";
const MAM = "urn:xmpp:mam:2";
const STANZA_ID = /<stanza-id[^>]*>/g;
const RESULT = /<result[^>]*\sid=["']([^"']+)/;
const FORWARDED = /<forwarded[^>]*>(?:(?!<message).)*(<message.*<\/message>)/;
/** With nobody hearing anything for so long, something was lost. */
const PATIENCE_MS = 15_000;

/** A message as the room gave it out. */
export interface Said {
  /** Its stanza-id, which is the archive's id of it. */
  uid: string;
  nick: string;
  id: string;
  body: string;
}

const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;

export class Occupant {
  readonly room: string;
  readonly nick: string;
  client!: Client;
  /** What was said, in the order heard, each once. */
  readonly heard: Said[] = [];
  /** What came live a second time, by its stanza-id. */
  readonly repeats: Said[] = [];
  /** Bodies, in the order sent and in the order acknowledged. */
  readonly sent: string[] = [];
  readonly acked: string[] = [];
  resumed = 0;
  refused = 0;
  onHeard: () => void = () => {};
  onAcked: () => void = () => {};
  readonly #login: Login;
  /** Stanza-ids of what was heard, and of what came live. */
  readonly #known = new Set<string>();
  readonly #came = new Set<string>();
  #managed = false;
  #lost: Promise<void> = Promise.resolve();
  /** What came live while it caught up. */
  #live: Said[] | undefined;

  constructor(login: Login, room: string, nick: string) {
    this.#login = login;
    this.room = room;
    this.nick = nick;
  }

  /** Logs in and enters; `managed` = with stream management, to come back by. */
  async begin({ managed = false } = {}): Promise<void> {
    this.#managed = managed;
    this.#take(await Client.authenticate(this.#login));
    await this.#bind();
  }

  /** Makes the room: accepts what it comes with but for these fields (§10.1). */
  async found(fields: Record<string, string> = {}): Promise<void> {
    await this.begin();
    const set = Object.entries({ FORM_TYPE: `${MUC}#roomconfig`, ...fields }).map(([name, value]) =>
      field(name, value),
    );
    const form = `<x xmlns="jabber:x:data" type="submit">${set.join("")}</x>`;
    await this.client.iq("set", this.room, `<query xmlns="${MUC}#owner">${form}</query>`);
  }

  /** Says the next thing. */
  say(): void {
    const body = `${this.nick} ${this.sent.length + 1}`;
    this.sent.push(body);
    const id = body.replace(" ", "-");
    this.client.send(
      `<message xmlns="jabber:client" to="${this.room}" type="groupchat" id="${id}"><body>${body}</body>` +
        `<origin-id xmlns="urn:xmpp:sid:0" id="${id}"/></message>`,
    );
    if (this.#managed) this.client.requestAck();
  }

  /** XEP-0410: whether it is in still. What the room sent before has been heard when this resolves. */
  async ping(): Promise<void> {
    await this.client.iq("get", `${this.room}/${this.nick}`, `<ping xmlns="urn:xmpp:ping"/>`);
  }

  /** Resolves when the connection is gone. */
  lost(): Promise<void> {
    return this.#lost;
  }

  /** Resumes the session; or begins a new one, enters again, reads what it missed, and says again what is in doubt. */
  async comeBack(): Promise<void> {
    const before = this.client;
    this.#take(await Client.authenticate(this.#login));
    if (before.session !== "" && (await this.client.resume(before))) {
      this.resumed++;
    } else {
      this.refused++;
      const inDoubt = this.client.unacked.filter((stanza) => stanza.startsWith("<message"));
      this.client.unacked = [];
      this.client.acked = 0;
      this.#live = [];
      await this.#bind();
      for (const missed of await this.archive(this.heard.at(-1)?.uid)) this.#note(missed);
      const live = this.#live;
      this.#live = undefined;
      for (const said of live) this.#hear(said);
      for (const stanza of inDoubt) this.client.send(stanza);
    }
    this.client.requestAck();
  }

  /** XEP-0313: all that the room has kept, after that message where one is given. */
  async archive(after = ""): Promise<Said[]> {
    const found: Said[] = [];
    const { client } = this;
    const { onStanza } = client;
    client.onStanza = (stanza) => {
      const uid = stanza.match(RESULT)?.[1];
      const said = uid === undefined ? undefined : read(stanza.match(FORWARDED)?.[1] ?? "", this.room, uid);
      if (said) found.push(said);
      else onStanza(stanza);
    };
    for (let last = after, complete = false; !complete; ) {
      const set = `<set xmlns="http://jabber.org/protocol/rsm"><max>100</max>${last && `<after>${last}</after>`}</set>`;
      const page = await client.iq("set", this.room, `<query xmlns="${MAM}">${set}</query>`);
      complete = /complete=["']true/.test(page);
      last = content(page, "last") ?? last;
    }
    client.onStanza = onStanza;
    return found;
  }

  close(): Promise<void> {
    return this.client.close();
  }

  #take(client: Client): void {
    this.client = client;
    this.#lost = new Promise((resolve) => {
      client.onClose = resolve;
    });
    client.onAcked = (stanza) => {
      const body = content(stanza, "body");
      if (body === undefined) return;
      this.acked.push(body);
      this.onAcked();
    };
    client.onStanza = (stanza) => {
      if (!stanza.startsWith("<message")) return;
      const uid = stanza.match(STANZA_ID)?.find((tag) => attribute(tag, "by") === this.room);
      const said = read(stanza, this.room, (uid && attribute(uid, "id")) ?? "");
      if (said && this.#live) this.#live.push(said);
      else if (said) this.#hear(said);
    };
  }

  async #bind(): Promise<void> {
    await this.client.bind();
    if (this.#managed) await this.client.enable();
    const own = this.client.next(
      (frame) => frame.startsWith("<presence") && attribute(frame, "from") === `${this.room}/${this.nick}`,
    );
    const x = `<x xmlns="${MUC}"><history maxstanzas="0"/></x>`;
    this.client.send(`<presence xmlns="jabber:client" to="${this.room}/${this.nick}">${x}</presence>`);
    const presence = await own;
    if (attribute(presence, "type") === "error") throw new Error(presence);
  }

  #hear(said: Said): void {
    if (this.#came.has(said.uid)) this.repeats.push(said);
    this.#came.add(said.uid);
    this.#note(said);
  }

  #note(said: Said): void {
    if (!this.#known.has(said.uid)) this.heard.push(said);
    this.#known.add(said.uid);
    this.onHeard();
  }
}

function read(message: string, room: string, uid: string): Said | undefined {
  const body = content(message, "body");
  const from = attribute(message, "from") ?? "";
  if (body === undefined || attribute(message, "type") !== "groupchat") return undefined;
  return { uid, nick: from.slice(room.length + 1), id: attribute(message, "id") ?? "", body };
}

/** Everybody enters, a few at a time. */
export const enter = (occupants: readonly Occupant[], options?: { managed: boolean }): Promise<unknown> =>
  parallel(occupants, 8, (occupant) => occupant.begin(options));

/** Resolves when `done` says so. It is asked whenever one of them hears or learns something, which must not stop. */
export function until(occupants: readonly Occupant[], done: () => boolean, what: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`waited in vain for ${what()}`)), PATIENCE_MS);
  const look = () => {
    late.refresh();
    if (done()) resolve();
  };
  for (const occupant of occupants) {
    occupant.onHeard = look;
    occupant.onAcked = look;
  }
  look();
  return promise.finally(() => {
    clearTimeout(late);
    for (const occupant of occupants) {
      occupant.onHeard = () => {};
      occupant.onAcked = () => {};
    }
  });
}
