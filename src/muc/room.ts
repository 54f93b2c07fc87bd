/** A room as its features see it: who is in it, who they are to it, what was said — and what is sent to it. */
import { createHmac } from "node:crypto";
import { Archive } from "../archive/archive.ts";
import { Entity, type HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import { type Answer, handlersAt, type Inquiry, type Table } from "../kernel/feature.ts";
import { forgetOnce } from "../kernel/once.ts";
import type { StanzaItem } from "../kernel/post.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import { type Affiliation, Affiliations, rank } from "./affiliations.ts";
import { type Config, reviveConfig } from "./config.ts";
import { ownPresence } from "./forgery.ts";
import type { Listing } from "./listing.ts";
import { type Audience, type Occupant, Occupants, type Role, type Session, type Shown } from "./occupants.ts";
import { Repeats } from "./repeats.ts";
import { itemText, occupantIdText, statusText, userText } from "./wire.ts";

/** `locked`: waits for its first configuration (§10.1). `subject`: JSON of `Subject`, "" when it never had one. */
export const ROOM: Table = {
  name: "room",
  steps: [
    `CREATE TABLE room (
       id INTEGER PRIMARY KEY AUTOINCREMENT, jid TEXT NOT NULL UNIQUE, config TEXT NOT NULL, locked INTEGER NOT NULL,
       subject TEXT NOT NULL, creator TEXT NOT NULL, created INTEGER NOT NULL)`,
  ],
};

export interface Subject {
  /** The message's children as text, and who sent it. */
  inner: string;
  text: string;
  from: string;
  at: number;
}

/** Somebody at the door. Handlers throw to refuse, and later ones see what earlier ones decided. */
export interface Entry {
  readonly stanza: Stanza;
  readonly jid: Jid;
  nick: string;
  /** `<x/>` of the join. */
  readonly x: Element;
  readonly affiliation: Affiliation;
  readonly guest: boolean;
  readonly address: string;
  role: Role;
  /** Status codes of its self-presence (§7.2.2). */
  readonly codes: Set<number>;
  /** More for `<x/>` of its self-presence, as text. */
  extra: string;
}

/** Somebody who was let in, from this stream. */
export interface Arrival extends Entry {
  readonly session: Session;
}

/** A message to everybody, on its way through the room. */
export interface Passage {
  stanza: Stanza;
  readonly occupant: Occupant;
  readonly session: Session;
}

/** Something sent to somebody's place in the room, by somebody else in it. */
export interface Whisper {
  readonly stanza: Stanza;
  readonly nick: string;
  readonly from: { occupant: Occupant; session: Session } | undefined;
}

export interface RoomHooks {
  /** Whether somebody may come in; who refuses, throws. */
  "join:admit": Entry;
  /** Before anybody's presence is sent to who comes in (XEP-0463). */
  "join:before": Arrival;
  /** After its own presence: history, subject. */
  "join:after": Arrival;
  /** A client has changed its presence or its nick; who refuses, throws. */
  "presence:change": Occupant;
  /** Available presence of anybody: a join, a change of nick or of what is shown (§7.2, §7.6, §7.7). */
  "presence:available": Stanza;
  /** A presence that could not be delivered. */
  "presence:error": Stanza;
  /** Every presence of an occupant: handlers add children, as text. */
  "presence:extend": { occupant: Occupant; texts: string[] };
  "occupant:entered": Occupant;
  "occupant:left": Occupant;
  /** A groupchat message of an occupant (§7.4). */
  groupchat: Passage;
  /** A message to the room itself that is not for everybody: invitations, requests (§7.8, §7.13). */
  message: Stanza;
  /** A message to one occupant (§7.5). */
  whisper: Whisper;
  /** An IQ to one occupant, or an answer to one (§17.4). */
  "iq:occupant": Whisper;
  /** disco#info of the room or a node of it: what is found is listed. */
  "disco:info": Inquiry;
  "disco:items": Inquiry;
  /** Fields of muc#roominfo. */
  "disco:fields": Record<string, string | readonly string[] | undefined>;
  "affiliation:changed": Promotion;
  /** A moderator has given somebody another role; "none": sent it out. */
  "role:set": { occupant: Occupant; role: Role };
  /** The server's operator takes a message back; "handled" when there was one. */
  "message:retract": { uid: string; reason: string };
  "config:changed": { before: Config };
  /** What the Directory says of the room has changed. */
  "room:listing": undefined;
  "room:destroyed": undefined;
}

/** Handlers at a room that exists. */
export const room = handlersAt<Room, RoomHooks>("room");

/** Somebody's affiliation has changed, or its reserved nick. */
export interface Promotion {
  jid: Jid;
  before: Affiliation;
  after: Affiliation;
  /** The version of all affiliations before it (XEP-0463). */
  since: number;
  actor?: string | undefined;
  reason?: string;
}

/** Why an occupant is out (§7.14, §8.2, §9.1, §17.3). */
export interface Removal {
  codes?: readonly number[];
  actor?: string | undefined;
  reason?: string | undefined;
  /** Children of the occupant's last presence, as text. */
  presence?: string;
  affiliation?: Affiliation;
}

export interface RoomPorts {
  /** Tells the Directory how the room is listed; `undefined` when it is no more. */
  list(jid: string, listing: Listing | undefined): void;
}

export class Room extends Entity {
  readonly place = "room" as const;
  readonly ports: RoomPorts;
  readonly #memo = new Map<unknown, unknown>();
  readonly #after: (() => void)[] = [];
  #affiliations: Affiliations | undefined;
  #occupants: Occupants | undefined;
  #archive: Archive | undefined;
  #config: Config | undefined;
  #locked = false;
  #subject: Subject | undefined;
  #destroyed = false;
  /** Of the message at hand: the id in its sender's archive, and whether it may have come before. */
  #origin: number | undefined;
  #again = false;
  #repeats: Repeats | undefined;
  readonly creator: string = "";
  readonly created: number = 0;

  /** `id` 0 stands for a room that does not exist. */
  constructor(object: HostObject, jid: Jid, id: number, ports: RoomPorts) {
    super(object, jid, id);
    this.ports = ports;
    if (id === 0) return;
    const [row] = this.sql<{ config: string; locked: number; subject: string; creator: string; created: number }>`
      SELECT config, locked, subject, creator, created FROM room WHERE id = ${id}`;
    if (!row) return;
    this.#config = reviveConfig(this.settings, row.config);
    this.#locked = row.locked !== 0;
    this.#subject = row.subject ? JSON.parse(row.subject) : undefined;
    this.creator = row.creator;
    this.created = row.created;
  }

  get exists(): boolean {
    return this.id !== 0 && !this.#destroyed;
  }
  get affiliations(): Affiliations {
    this.#affiliations ??= new Affiliations(this.sql, this.id);
    return this.#affiliations;
  }
  get occupants(): Occupants {
    this.#occupants ??= new Occupants(this.sql, this.id, (jid) => this.occupantId(jid));
    return this.#occupants;
  }
  get archive(): Archive {
    this.#archive ??= new Archive(this.sql, this.id);
    return this.#archive;
  }
  get config(): Config {
    if (!this.#config) throw stanzaError("item-not-found", "There is no such room.");
    return this.#config;
  }
  /** Whether what is said is kept. */
  get logs(): boolean {
    return this.config.logging && this.settings.archive;
  }
  get locked(): boolean {
    return this.#locked;
  }
  get subject(): Subject | undefined {
    return this.#subject;
  }

  configure(config: Config): void {
    const before = this.config;
    this.#config = config;
    this.#locked = false;
    this.sql`UPDATE room SET config = ${JSON.stringify(config)}, locked = 0 WHERE id = ${this.id}`;
    this.cancel("unconfigured");
    this.occupants.unsee();
    this.fire("config:changed", { before });
    this.fire("room:listing", undefined);
  }

  setSubject(subject: Subject): void {
    this.#subject = subject;
    this.sql`UPDATE room SET subject = ${JSON.stringify(subject)} WHERE id = ${this.id}`;
  }

  /** A feature's own cache, rebuilt by `load` after the object was forgotten. */
  memo<T>(key: { name: string }, load: () => T): T {
    if (!this.#memo.has(key)) this.#memo.set(key, load());
    return this.#memo.get(key) as T;
  }

  forget(key: { name: string }): void {
    this.#memo.delete(key);
  }

  /** Does something once the request at hand has been answered (§8.2: the moderator first, then everybody). */
  after(run: () => void): void {
    this.#after.push(run);
  }

  flush(): void {
    for (let run = this.#after.shift(); run; run = this.#after.shift()) run();
  }

  affiliation(jid: Jid): Affiliation {
    return this.affiliations.get(jid);
  }

  isGuest(jid: Jid): boolean {
    return jid.domain === this.settings.guestDomain;
  }

  /** XEP-0421 §4: the same for the same person whenever they come, and useless to anybody else. */
  occupantId(jid: Jid): string {
    return createHmac("sha256", this.object.secrets.occupant).update(`${this.jid}\0${jid.bare}`).digest("base64url");
  }

  /** The sender's place in the room; who is not in it may not do this (§7.4, §7.5). */
  member(stanza: Stanza): { occupant: Occupant; session: Session } {
    const found = this.occupants.session(stanza.from);
    if (!found) throw stanzaError("not-acceptable", "You are not in this room.");
    return found;
  }

  /** Changes somebody's affiliation; whoever is here learns it after the answer. */
  affiliate(
    jid: Jid,
    after: Affiliation,
    { actor, reason = "", nick }: { actor?: string | undefined; reason?: string; nick?: string } = {},
  ): void {
    const before = this.affiliation(jid);
    if (before === after && nick === undefined) return;
    const since = this.affiliations.version;
    // A guest's name is gone with its stream: its address is what is banned.
    const address = after === "outcast" ? this.occupants.of(jid)[0]?.sessions[0]?.address : undefined;
    this.affiliations.set(jid, {
      affiliation: after,
      reason,
      ...(address && { address }),
      ...(nick !== undefined && { nick }),
    });
    this.fire("affiliation:changed", { jid, before, after, since, actor, reason } satisfies Promotion);
  }

  /** Gives an occupant another role; everybody learns it after the answer (§8.3). */
  play(occupant: Occupant, role: Role, actor?: string, reason?: string): void {
    const was = occupant.role;
    if (was === role) return;
    this.fire("role:set", { occupant, role });
    this.occupants.setRole(occupant, role);
    this.after(() => this.announce(occupant, was, { actor, reason }));
  }

  /** §9.5, §10.5, §10.8: where everybody sees everybody's address, lists of friends are no secret. */
  mayList(actor: { affiliation: Affiliation; role: Role }, affiliation: Affiliation): boolean {
    if (rank(actor.affiliation) >= rank("admin")) return true;
    if (affiliation === "outcast" || this.config.whois !== "anyone") return false;
    if (actor.role === "none") return rank(actor.affiliation) >= rank("member");
    return this.config.memberList.includes(actor.role);
  }

  // What is sent

  /** Answers a client: by the stream it wrote from, where that is known. */
  answer(request: Stanza, stanza: Stanza | undefined): void {
    if (!stanza) return;
    if (request.via) this.object.post.deliver(request.via[0], [request.via[1]], stanza.with({ via: undefined }));
    else this.send(stanza);
  }

  override bounce(stanza: Stanza, error: Parameters<Stanza["error"]>[0]): void {
    this.answer(stanza, stanza.error(error));
  }

  tell(session: Session, ...stanzas: Stanza[]): void {
    if (stanzas.length === 0) return;
    if (session.sid) this.object.post.deliverAll(session.gate, [session.sid], stanzas);
    else for (const stanza of stanzas) this.send(stanza.with({ to: session.jid }));
  }

  tellOccupant(occupant: Occupant, stanza: Stanza): void {
    for (const session of occupant.sessions) this.tell(session, stanza);
  }

  tellAudience({ gates, remote }: Audience, stanza: Stanza, except?: Occupant): void {
    const own = except && new Set(except.sessions.map(({ jid, sid }) => sid || jid.toString()));
    for (const [gate, sids] of gates) {
      const readers = own ? sids.filter((sid) => !own.has(sid)) : sids.slice();
      if (readers.length > 0) this.object.post.deliver(gate, readers, stanza);
    }
    for (const to of remote) if (!own?.has(to.toString())) this.send(stanza.with({ to }));
  }

  /** One delivery per gate, whoever many are there. */
  broadcast(stanza: Stanza): void {
    this.tellAudience(this.occupants.audiences.all, stanza);
  }

  /** Shows a presence to those who may see it: moderators with the real address, others without (§7.2.4). */
  show({ open, closed }: Shown, except?: Occupant): void {
    const { all, moderators, others } = this.occupants.audiences;
    if (this.config.whois === "anyone") this.tellAudience(all, open, except);
    else {
      this.tellAudience(moderators, open, except);
      this.tellAudience(others, closed, except);
    }
  }

  /** Tells everybody that something has changed which they may ask for (§10.2.1). */
  notify(...codes: number[]): void {
    this.broadcast(
      new Stanza({ kind: "message", type: "groupchat", from: this.jid, inner: userText(statusText(codes)) }),
    );
  }

  // Presence

  /** Whether the others are told of somebody with that role (§7.2.2). */
  shows(role: Role): boolean {
    return role !== "none" && this.config.presenceBroadcast.includes(role);
  }

  presence(occupant: Occupant): Shown {
    occupant.seen ??= this.#presence(occupant, {});
    return occupant.seen;
  }

  #presence(occupant: Occupant, { codes = [], actor, reason, extra = "" }: Removal & { extra?: string }): Shown {
    const { role, sessions } = occupant;
    const affiliation = this.affiliation(occupant.jid);
    const from = this.jid.with(occupant.nick);
    const head = sessions[0]?.presence ?? "";
    const tail = this.#tail(occupant);
    const more = statusText(codes) + extra;
    const write = (jid: Jid | undefined) => {
      const x = userText(itemText({ affiliation, role, jid, actor, reason }) + more);
      return new Stanza({ kind: "presence", from, inner: head + x + tail });
    };
    return { open: write(sessions[0]?.jid), closed: write(undefined) };
  }

  #tail(occupant: Occupant): string {
    const texts = [occupantIdText(occupant.id)];
    this.fire("presence:extend", { occupant, texts });
    return texts.join("");
  }

  /** What an occupant is told of itself: always with its real address, and status 110 (§7.2.2). */
  self(occupant: Occupant, session: Session, cause: Removal & { extra?: string; id?: string } = {}): Stanza {
    const { codes = [], actor, reason, extra = "", id = "" } = cause;
    const affiliation = this.affiliation(occupant.jid);
    const item = itemText({ affiliation, role: occupant.role, jid: session.jid, actor, reason });
    const x = userText(item + statusText([110, ...codes]) + extra);
    const from = this.jid.with(occupant.nick);
    return new Stanza({ kind: "presence", id, from, inner: session.presence + x + this.#tail(occupant) });
  }

  /** Everybody learns what has become of an occupant: its affiliation, its role, its presence. `was`: its role before. */
  announce(occupant: Occupant, was: Role = occupant.role, cause: Removal & { extra?: string } = {}): void {
    if (this.shows(occupant.role)) this.show(this.#presence(occupant, cause), occupant);
    else if (this.shows(was)) this.hide(occupant);
    for (const session of occupant.sessions) this.tell(session, this.self(occupant, session, cause));
  }

  /** The others no longer see an occupant, who is still here. */
  hide(occupant: Occupant): void {
    this.show(this.#departure(occupant, {}), occupant);
  }

  /** The unavailable presence of somebody who goes, for others (§7.14). */
  #departure(occupant: Occupant, removal: Removal): Shown {
    const { codes = [], actor, reason, presence = "" } = removal;
    const affiliation = removal.affiliation ?? this.affiliation(occupant.jid);
    const tail = occupantIdText(occupant.id);
    const from = this.jid.with(occupant.nick);
    const write = (jid: Jid | undefined) => {
      const item = itemText({ affiliation, role: "none", jid, actor, reason });
      const inner = `${presence}${userText(item + statusText(codes))}${tail}`;
      return new Stanza({ kind: "presence", type: "unavailable", from, inner });
    };
    return { open: write(occupant.sessions[0]?.jid), closed: write(undefined) };
  }

  /** One client goes; the occupant with it, when it was the last. Everybody else learns it after the answer. */
  leave(occupant: Occupant, session: Session, removal: Removal = {}, extra = ""): void {
    const { codes = [], actor, reason, presence = "" } = removal;
    const last = occupant.sessions.length === 1;
    const affiliation = removal.affiliation ?? this.affiliation(occupant.jid);
    const departure = last && this.shows(occupant.role) ? this.#departure(occupant, removal) : undefined;
    const item = itemText({ affiliation, role: "none", jid: session.jid, actor, reason });
    const x = userText(`${item}${statusText([110, ...codes])}${extra}`);
    const inner = `${presence}${x}${occupantIdText(occupant.id)}`;
    this.tell(
      session,
      new Stanza({ kind: "presence", type: "unavailable", from: this.jid.with(occupant.nick), inner }),
    );
    const shown = occupant.sessions[0] === session;
    this.occupants.remove(occupant, session);
    if (last) {
      if (departure) this.after(() => this.show(departure));
      this.fire("occupant:left", occupant);
    } else if (shown && this.shows(occupant.role)) this.after(() => this.announce(occupant));
  }

  /** All clients of an occupant go. */
  remove(occupant: Occupant, removal: Removal): void {
    for (const session of [...occupant.sessions]) this.leave(occupant, session, removal);
  }

  // What comes

  /** Takes one stanza; what a handler throws becomes the sender's error. */
  receive(stanza: Stanza, { origin, again }: Pick<StanzaItem, "origin" | "again"> = {}): void {
    if (origin !== undefined) {
      this.#repeats ??= new Repeats(this.sql, this.id);
      if (!this.#repeats.first(stanza.from, origin)) return;
    }
    this.#origin = origin;
    this.#again = again === true;
    try {
      this.#take(stanza);
    } catch (error) {
      this.bounce(stanza, asStanzaError(error, this.object.log, { kind: stanza.kind, about: stanza.about }));
    }
    this.flush();
    this.#origin = undefined;
  }

  /** What a message from an archive has become keeps its origin, so that the reader's account knows a repeat, too. */
  override send(stanza: Stanza | undefined): void {
    if (stanza?.kind === "message" && this.#origin !== undefined)
      this.object.post.pass(stanza, this.#origin, this.#again, () => {});
    else super.send(stanza);
  }

  #take(stanza: Stanza): void {
    const { kind, type, to } = stanza;
    if (!to) return;
    const nick = to.resource;
    switch (kind) {
      case "presence":
        if (type === "error") this.fire("presence:error", stanza);
        else if (type === "unavailable") this.#unavailable(stanza);
        else if (type === "") this.fire("presence:available", stanza);
        return;
      case "message":
        if (nick) this.fire("whisper", { stanza, nick, from: this.occupants.session(stanza.from) } satisfies Whisper);
        else if (type === "groupchat") this.#groupchat(stanza);
        else this.fire("message", stanza);
        return;
      case "iq":
        if (nick)
          this.fire("iq:occupant", { stanza, nick, from: this.occupants.session(stanza.from) } satisfies Whisper);
        else if (stanza.asks) this.reply(stanza, this.object.kernel.iq("room", this, stanza));
    }
  }

  reply(iq: Stanza, answer: Answer): void {
    this.answer(iq, answer instanceof Stanza ? answer : iq.result(answer || undefined));
  }

  #unavailable(stanza: Stanza): void {
    const found = this.occupants.session(stanza.from);
    // §17.3: who is not here cannot leave, and is not told so.
    if (found) this.leave(found.occupant, found.session, { presence: ownPresence(stanza) });
  }

  #groupchat(stanza: Stanza): void {
    if (this.locked) throw stanzaError("item-not-found", "This room is not open yet.");
    this.fire("groupchat", { stanza, ...this.member(stanza) } satisfies Passage);
  }

  /** Everybody out, and the rows with them; its name belongs to nobody afterwards (§10.9). */
  destroy(destroyed: string): void {
    const { occupants } = this;
    for (const occupant of occupants) {
      const from = this.jid.with(occupant.nick);
      const inner = userText(`${itemText({ affiliation: "none", role: "none" })}${statusText([110])}${destroyed}`);
      const gone = new Stanza({ kind: "presence", type: "unavailable", from, inner });
      this.tellOccupant(occupant, gone);
    }
    this.fire("room:destroyed", undefined);
    this.ports.list(this.jid.toString(), undefined);
    occupants.clear();
    this.affiliations.clear();
    this.archive.clear();
    new Repeats(this.sql, this.id).clear();
    forgetOnce(this.sql, this.id);
    this.cancel("unconfigured");
    this.sql`DELETE FROM room WHERE id = ${this.id}`;
    this.#destroyed = true;
  }
}
