/** A room as its features see it: who is in it, who they are to it, what was said — and what is sent to it. */
import { createHmac } from "node:crypto";
import { Archive } from "../archive/archive.ts";
import { stanzaOf } from "../archive/row.ts";
import { Uids } from "../archive/uid.ts";
import { Entity, type HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import type { Answer, Table } from "../kernel/feature.ts";
import { forgetOnce } from "../kernel/once.ts";
import type { StanzaItem } from "../kernel/post.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { Trait } from "../protocol/message.ts";
import { Stanza } from "../protocol/stanza.ts";
import { type Affiliation, Affiliations, rank } from "./affiliations.ts";
import { type Config, reviveConfig } from "./config.ts";
import { ownPresence } from "./forgery.ts";
import type { Passage, Promotion, Removal, Subject, Whisper } from "./hooks.ts";
import type { Listing } from "./listing.ts";
import { type Audience, type Occupant, Occupants, type Role, type Session, type Shown } from "./occupants.ts";
import type { Outstanding } from "./outstanding.ts";
import { type Cause, departure, ownDeparture, selfPresence, shownPresence } from "./presence.ts";
import { Repeats } from "./repeats.ts";
import { itemText, stanzaIdText, statusText, userText } from "./wire.ts";

/** `locked`: waits for its first configuration (§10.1). `subject`: JSON of `Subject`, "" when it never had one. */
export const ROOM: Table = {
  name: "room",
  steps: [
    `CREATE TABLE room (
       id INTEGER PRIMARY KEY AUTOINCREMENT, jid TEXT NOT NULL UNIQUE, config TEXT NOT NULL, locked INTEGER NOT NULL,
       subject TEXT NOT NULL, creator TEXT NOT NULL, created INTEGER NOT NULL)`,
  ],
};

/** Messages read at a time after the object was lost. */
const PAGE = 500;

export interface RoomPorts {
  /** Tells the Directory how the room is listed; `undefined` when it is no more. */
  list(jid: string, listing: Listing | undefined): void;
  readonly outstanding: Outstanding;
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
    this.#archive ??= new Archive(this.sql, this.id, new Uids(this.object.secrets.archive, this.jid.toString()));
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

  /** What lies in the archive, as everybody hears it. */
  identified(message: Stanza, id: number): Stanza {
    return message.with({ to: undefined, inner: message.inner + stanzaIdText(this.jid, this.archive.uid(id)) });
  }

  /** Tells everybody what lies in the archive, and once more if the object was lost meanwhile. */
  say(message: Stanza, id: number, again = false): void {
    const { outstanding } = this.ports;
    const said = this.identified(message, id);
    const { gates, remote } = this.occupants.audiences.all;
    outstanding.begin(id);
    for (const [gate, sids] of gates) outstanding.deliver(gate, sids.slice(), said, id, again);
    // An account's archive may have the same number.
    for (const to of remote) outstanding.pass(said.with({ to }), -id, again);
  }

  /** Says again what lies in the archive after an id. */
  repeat(after: number): void {
    const rows = this.archive.sent(after, PAGE);
    for (const row of rows) this.say(stanzaOf(row), row.id, true);
    const last = rows.at(-1);
    if (last && rows.length === PAGE) this.repeat(last.id);
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
    occupant.seen ??= shownPresence(this, occupant);
    return occupant.seen;
  }

  /** What an occupant is told of itself: always with its real address, and status 110 (§7.2.2). */
  self(occupant: Occupant, session: Session, cause: Cause & { id?: string } = {}): Stanza {
    return selfPresence(this, occupant, session, cause);
  }

  /** Everybody learns what has become of an occupant: its affiliation, its role, its presence. `was`: its role before. */
  announce(occupant: Occupant, was: Role = occupant.role, cause: Cause = {}): void {
    if (occupant.sessions.length === 0) return; // gone by the time it was to be told
    if (this.shows(occupant.role)) this.show(shownPresence(this, occupant, cause), occupant);
    else if (this.shows(was)) this.hide(occupant);
    for (const session of occupant.sessions) this.tell(session, this.self(occupant, session, cause));
  }

  /** The others no longer see an occupant, who is still here. */
  hide(occupant: Occupant): void {
    if (occupant.sessions.length > 0) this.show(departure(this, occupant), occupant);
  }

  /** One client goes; the occupant with it, when it was the last. Everybody else learns it after the answer. */
  leave(occupant: Occupant, session: Session, removal: Removal = {}): void {
    const last = occupant.sessions.length === 1;
    const left = last && this.shows(occupant.role) ? departure(this, occupant, removal) : undefined;
    this.tell(session, ownDeparture(this, occupant, session, removal));
    const shown = occupant.sessions[0] === session;
    this.occupants.remove(occupant, session);
    if (last) {
      if (left) this.after(() => this.show(left));
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

  /**
   * A message that its sender's archive has, or that a reader's should, is in the room's custody until another object has it.
   * It keeps its origin, so that its reader's account knows a repeat, too.
   */
  override send(stanza: Stanza | undefined): void {
    const origin = this.#origin;
    if (stanza?.kind !== "message" || !stanza.to) return super.send(stanza);
    if (stanza.type === "groupchat") {
      if (origin === undefined) super.send(stanza);
      else this.object.post.pass(stanza, origin, this.#again, () => {});
    } else if (origin === undefined && (stanza.traits & (Trait.STORE | Trait.OFFLINE)) === 0) super.send(stanza);
    else this.ports.outstanding.forward(this.id, stanza, origin, this.#again);
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
    this.fire("groupchat", { stanza, ...this.member(stanza), again: this.#again } satisfies Passage);
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
