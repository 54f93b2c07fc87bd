/** XEP-0045: Multi-User Chat, v1.35 — https://xmpp.org/extensions/xep-0045.html — with 0359, 0421, 0410 and 0085: one room, as an occupant sees it. */
import { MAM } from "./archive.ts";
import { type Client, PING } from "./client.ts";
import { type Child, type Element, xml } from "./element.ts";
import { History } from "./history.ts";
import { nonce } from "./negotiate.ts";
import { codesOf, describe, MUC, nickOf, OCCUPANT_ID, type Occupant, type RoomEvent, read, USER } from "./occupants.ts";
import { answer, correction, file as fileAt, reactions, text } from "./payload.ts";
import { StanzaError, stanzaError } from "./stanza-error.ts";
import type { Entry, Item, Timeline } from "./timeline.ts";
import { CHAT_STATES, Typing } from "./typing.ts";

const STANZA_ID = "urn:xmpp:sid:0";
const DISCO = "http://jabber.org/protocol/disco#info";

export interface RoomOptions {
  /** When the nick is taken, try it with something appended. */
  yield?: boolean;
  /** Messages a page of history. */
  pageSize?: number;
  password?: string;
}

export class Room {
  readonly jid: string;
  readonly history: History;
  readonly typing: Typing;
  readonly occupants = new Map<string, Occupant>();
  /** What the room says of itself, as far as it has said it. */
  features: ReadonlySet<string> = new Set<string>();
  name = "";
  description = "";
  slow = 0;
  count = 0;
  subject = "";
  nick = "";
  joined = false;
  #client: Client;
  #options: RoomOptions;
  #listener: (event: RoomEvent) => void;
  #offs: (() => void)[];
  #joining: { id: string; resolve: () => void; reject: (error: StanzaError) => void } | undefined;
  #wanted = false;
  /** The room knew us when the connection was lost, if it was. */
  #entered = false;
  #turns = 0;
  /** Said, and not yet come back. */
  #unsent = new Map<Entry, Element>();

  constructor(client: Client, jid: string, listener: (event: RoomEvent) => void, options: RoomOptions = {}) {
    this.jid = jid.toLowerCase();
    this.#client = client;
    this.#options = options;
    this.#listener = listener;
    this.typing = new Typing(
      (state) => this.joined && this.post(state),
      () => this.#changed(),
    );
    this.history = new History(
      client,
      this.jid,
      options.pageSize ?? 50,
      (message, ref, time) => this.#item(message, ref, time, nickOf(message)),
      (fresh, live) => this.#arrived(fresh, live),
    );
    this.#offs = [
      client.on("stanza", (stanza) => this.#receive(stanza)),
      client.on("online", ({ resumed }) => void this.#online(resumed)),
      client.on("offline", () => this.#drop(false)),
      client.on("acked", ({ attrs }) => this.#settle(attrs.id, { state: "sent", error: undefined }, true)),
    ];
  }

  get timeline(): Timeline {
    return this.history.timeline;
  }

  get self(): Occupant | undefined {
    return this.occupants.get(this.nick);
  }

  /** Enters, and enters again after every reconnection. Rejects with the condition of §7.2: conflict, forbidden, not-authorized, … */
  async join(nick: string): Promise<void> {
    this.nick = nick;
    this.#wanted = true;
    if (this.#client.online) await this.#enter();
  }

  leave(): void {
    this.#wanted = false;
    if (this.joined) this.#client.send(xml("presence", { to: `${this.jid}/${this.nick}`, type: "unavailable" }));
    this.joined = false;
    for (const off of this.#offs) off();
  }

  /** §7.6; rejects with conflict when it is taken. */
  rename(nick: string): Promise<void> {
    return this.#greet(nick);
  }

  #greet(nick: string, x?: Element): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = nonce();
      this.#joining = { id, resolve, reject };
      this.#client.send(xml("presence", { to: `${this.jid}/${nick}`, id }, x));
    });
  }

  /** Says something, or shows a file by its address, to all or to one nick; it is seen at once, and sent once the room is entered. */
  say(body: string, { reply, to, file }: { reply?: Entry; to?: string; file?: boolean } = {}): void {
    const payload = reply?.ref ? answer(body, reply, `${this.jid}/${reply.nick}`) : [text(body)];
    const message = this.#message(to, ...payload, file && fileAt(body), !to && xml("active", { xmlns: CHAT_STATES }));
    this.typing.sent();
    this.#unsent.set(this.timeline.pend(this.#item(message, undefined, Date.now(), this.nick, to)), message);
    // While we are away the client keeps it, and drops it if the session is lost: then it is sent after the history is filled in.
    if (this.#entered && !this.history.held) this.#client.send(message);
    this.#changed();
  }

  /** Sends once more what was refused. */
  retry(entry: Entry): void {
    this.timeline.drop(entry);
    const { body, file } = entry;
    const reply = entry.reply && this.timeline.find(entry.reply.ref);
    this.say(body, { file, ...(reply ? { reply } : {}), ...(entry.to ? { to: entry.to } : {}) });
  }

  correct(entry: Entry, body: string): void {
    this.post(...correction(entry.id, body));
  }

  /** Adds our reaction, or takes it back. */
  react(entry: Entry, emoji: string): void {
    const own = this.senderOf(this.nick);
    const chosen = new Set([...entry.reactions].filter(([, senders]) => senders.has(own)).map(([key]) => key));
    if (!chosen.delete(emoji)) chosen.add(emoji);
    this.post(...reactions(entry.ref, [...chosen]));
  }

  /** Sends a message with this payload to all; it is not shown until the room sends it back. */
  post(...payload: Child[]): void {
    this.#client.send(this.#message("", ...payload));
  }

  #message(to = "", ...payload: Child[]): Element {
    const id = nonce();
    const attrs = to ? { to: `${this.jid}/${to}`, type: "chat", id } : { to: this.jid, type: "groupchat", id };
    const origin = xml("origin-id", { xmlns: STANZA_ID, id });
    return xml("message", attrs, ...payload, to && xml("x", { xmlns: USER }), origin);
  }

  async #online(resumed: boolean): Promise<void> {
    if (!this.#wanted) return;
    if (!resumed) {
      this.#entered = false;
      // Nobody can say whether these arrived.
      for (const { id, to } of this.#unsent.keys())
        if (to) this.#settle(id, { state: "failed", error: "disconnected" });
    }
    if (this.#entered) {
      // §0410: the room may have lost us while we were away.
      const gone = await this.#client.iq("get", `${this.jid}/${this.nick}`, xml("ping", { xmlns: PING })).then(
        () => false,
        ({ condition }) => condition === "not-acceptable",
      );
      this.joined = !gone && this.#client.online;
      this.#changed();
      if (!gone) return;
    }
    await this.#enter().catch((error: StanzaError) => {
      if (!this.#client.online) return;
      this.#wanted = false;
      this.#listener({ kind: "out", status: error.condition, reason: error.message });
    });
  }

  async #enter(): Promise<void> {
    // A resumed session goes on where it was: what comes now is newer than what has to be loaded first.
    this.history.hold();
    const turn = ++this.#turns;
    const information = await this.#client.iq("get", this.jid, xml("query", { xmlns: DISCO })).catch(() => undefined);
    // The connection was lost meanwhile, and the next one has begun to enter by itself.
    if (turn !== this.#turns) return;
    if (information) this.#describe(information.child("query", DISCO)!);
    // A room without an archive sends its history by itself.
    const history = xml("history", { maxstanzas: this.features.has(MAM) ? 0 : (this.#options.pageSize ?? 50) });
    const { password } = this.#options;
    this.occupants.clear();
    const x = xml("x", { xmlns: MUC }, history, password && xml("password", null, password));
    try {
      const { nick } = this;
      for (let tries = this.#options.yield ? 3 : 0; ; tries--) {
        try {
          await this.#greet(this.nick, x);
          break;
        } catch (error) {
          if (!tries || (error as StanzaError).condition !== "conflict") throw error;
          this.nick = `${nick}-${nonce().slice(0, 3)}`;
        }
      }
      this.joined = this.#entered = true;
      // It has only just been made.
      if (!information) await this.refresh().catch(() => {});
      if (this.features.has(MAM)) await this.history.catchUp().catch(() => {});
    } finally {
      this.history.release();
      // What was said before, and has not come back in the history, was never sent.
      if (this.joined) for (const [, message] of this.#unsent) this.#client.send(message);
      this.#changed();
    }
  }

  #receive(stanza: Element): void {
    const { from = "", type, id } = stanza.attrs;
    // Our own server refuses, in its own name, an address that is none.
    if (type === "error" && id && id === this.#joining?.id) {
      this.#presence(stanza, "");
      return;
    }
    if (from.split("/")[0] !== this.jid || stanza.child("result", MAM)) return;
    if (stanza.name === "presence") this.#presence(stanza, nickOf(stanza));
    else if (type === "error") this.#settle(id, { state: "failed", error: stanzaError(stanza).message });
    else this.#said(stanza, nickOf(stanza), type === "groupchat");
  }

  #said(message: Element, nick: string, all: boolean): void {
    const stamp = message.child("delay", "urn:xmpp:delay")?.attrs.stamp;
    const time = stamp ? Date.parse(stamp) : Date.now();
    const subject = message.text("subject");
    if (all && subject !== undefined && !message.child("body")) this.subject = subject;
    // 104: the settings changed.
    if (!nick && codesOf(message).includes("104")) void this.refresh();
    if (all) {
      if (nick !== this.nick) this.typing.hear(nick, !!message.child("composing", CHAT_STATES));
      const ref = message.all("stanza-id", STANZA_ID).find((el) => el.attrs.by === this.jid)?.attrs.id;
      this.history.add(this.#item(message, ref, time, nick), !stamp);
    } else if (nick && message.child("body")) {
      this.history.add(this.#item(message, undefined, time, nick, this.nick), !stamp);
    }
  }

  #arrived(fresh: readonly Entry[], live: boolean): void {
    for (const entry of fresh) {
      this.#unsent.delete(entry);
      if (live) this.#listener({ kind: "message", entry });
    }
    this.#changed();
  }

  /** A message of ours was refused; or accepted, which only what two see is told by: the rest comes back from the room. */
  #settle(id: string | undefined, outcome: Pick<Entry, "state" | "error">, secret = false): void {
    const entry = this.timeline.entries.findLast((each) => each.own && each.id === id);
    if (!entry || (secret && !entry.to)) return;
    this.#unsent.delete(entry);
    Object.assign(entry, outcome);
    this.#changed();
  }

  #presence(presence: Element, nick: string): void {
    const { type } = presence.attrs;
    if (type === "error") {
      this.#joining?.reject(stanzaError(presence));
      this.#joining = undefined;
      return;
    }
    // The room's own presence tells of its avatar.
    if (!nick) return;
    const codes = codesOf(presence);
    const { occupant, renamed, reason } = read(presence, nick);
    const { role, affiliation } = occupant;
    const before = this.occupants.get(nick);
    const own = codes.includes("110") || nick === this.nick;

    if (type === "unavailable") {
      this.occupants.delete(nick);
      this.typing.hear(nick, false);
      if (codes.includes("303") && renamed) {
        if (own) this.nick = renamed;
        this.occupants.set(renamed, { ...(before ?? occupant), nick: renamed });
        this.#listener({ kind: "nick", occupant: { ...occupant, nick: renamed }, from: nick });
      } else {
        const forced = codes.includes("301") ? "ban" : codes.includes("307") ? "kick" : undefined;
        if (own) this.#drop(true, codes.find((code) => /^3[0-3]\d$/.test(code)) ?? "", reason);
        else if (forced) this.#listener({ kind: forced, occupant, reason });
        else this.#listener({ kind: "leave", occupant });
      }
    } else {
      // 210: the room chose another nick for us.
      if (own) this.nick = nick;
      this.occupants.set(nick, occupant);
      const kind = before?.role !== role ? "role" : before.affiliation !== affiliation && "affiliation";
      if (!before) this.#listener({ kind: "join", occupant });
      else if (kind) this.#listener({ kind, occupant, reason });
      if (own) {
        // 201: made just now and locked until its owner accepts the settings (§10.1.2).
        if (codes.includes("201")) this.#client.iq("set", this.jid, INSTANT).catch(() => {});
        this.#joining?.resolve();
        this.#joining = undefined;
      }
    }
    this.#changed();
  }

  /** Out of the room: by the room's doing, or because the connection is gone. */
  #drop(out: boolean, status = "", reason?: string): void {
    this.joined = false;
    this.#joining?.reject(new StanzaError("disconnected"));
    this.#joining = undefined;
    if (out) {
      this.#wanted = this.#entered = false;
      this.#listener({ kind: "out", status, reason });
    }
    this.#changed();
  }

  /** Reads again what the room says of itself. */
  async refresh(): Promise<void> {
    this.#describe((await this.#client.iq("get", this.jid, xml("query", { xmlns: DISCO }))).child("query", DISCO)!);
    this.#changed();
  }

  #describe(query: Element): void {
    Object.assign(this, describe(query));
  }

  /** Who somebody is, however often they change their nick: what `Entry.sender` holds. */
  senderOf(nick: string): string {
    return (this.features.has(OCCUPANT_ID) && this.occupants.get(nick)?.id) || `${this.jid}/${nick}`;
  }

  #item(message: Element, ref: string | undefined, time: number, nick: string, to?: string): Item {
    const id = this.features.has(OCCUPANT_ID) && message.child("occupant-id", OCCUPANT_ID)?.attrs.id;
    const sender = id || this.senderOf(nick);
    return { message, ref, time, nick, sender, own: sender === this.senderOf(this.nick), ...(to ? { to } : {}) };
  }

  #changed(): void {
    this.#listener({ kind: "changed" });
  }
}

const INSTANT = xml("query", { xmlns: `${MUC}#owner` }, xml("x", { xmlns: "jabber:x:data", type: "submit" }));
