/** The rooms of one object: making them, and taking what is sent to them. */
import type { HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import { Inbox } from "../kernel/inbox.ts";
import { type Outcome, outcomeOf } from "../kernel/outcome.ts";
import type { Delivered, Delivery, StanzaItem } from "../kernel/post.ts";
import { stanzaError } from "../protocol/errors.ts";
import { isUsername, Jid } from "../protocol/jid.ts";
import { MUC } from "../protocol/ns.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import type { Affiliation } from "./affiliations.ts";
import { type Config, initialConfig, type Preset } from "./config.ts";
import type { Listing, RoomDirectory } from "./listing.ts";
import { vouch } from "./operator.ts";
import { ALARM, Outstanding } from "./outstanding.ts";
import { Room, type RoomPorts } from "./room.ts";
import type { ServiceContext } from "./service.ts";
import { destroyText } from "./wire.ts";

/** Rooms kept in memory; any of them can be read again from its rows. */
const CACHED = 2_000;
/** A room nobody has configured dies after so long (security.md D8). */
const UNCONFIGURED_MS = 5 * 60_000;

export interface RoomsPorts {
  directory(): RoomDirectory;
  /** Keeps the object awake until the promise has settled. */
  wait(promise: Promise<unknown>): void;
}

/** A room as the REST API sees it. */
export interface RoomFacts {
  jid: string;
  occupants: number;
  /** In ms. */
  created: number;
  subject: string;
  config: Config;
}

/** What the REST API wants of a room; `owner` and `preset` count when it is made. */
export interface RoomRequest {
  owner?: string;
  preset?: Preset;
  config?: Partial<Config>;
  /** Only if there is such a room. */
  existing?: true;
}

export class Rooms {
  readonly #object: HostObject;
  readonly #ports: RoomsPorts;
  readonly #cache = new Map<string, Room>();
  readonly #outstanding: Outstanding;
  readonly inbox = new Inbox((item) => {
    if ("e" in item) this.#take(item, Stanza.open(item.e));
  });

  constructor(object: HostObject, ports: RoomsPorts) {
    this.#object = object;
    this.#ports = ports;
    this.#outstanding = new Outstanding(object, (after) => this.#repeat(after));
    this.#outstanding.recover();
  }

  #repeat(after: number): void {
    const rows = this.#object.sql<{ jid: string }>`SELECT DISTINCT room.jid AS jid FROM occupant JOIN room
      ON room.id = occupant.owner`;
    for (const { jid } of rows)
      try {
        this.room(jid).repeat(after);
      } catch (error) {
        this.#object.log.error("a room could not say again what it had said", error);
      }
  }

  room(jid: string): Room {
    let room = this.#cache.get(jid);
    if (!room?.exists) {
      const [row] = this.#object.sql<{ id: number }>`SELECT id FROM room WHERE jid = ${jid}`;
      room = this.#hold(jid, row?.id ?? 0);
    }
    return room;
  }

  get #roomPorts(): RoomPorts {
    return { list: (jid, listing) => this.#list(jid, listing), outstanding: this.#outstanding };
  }

  #hold(jid: string, id: number): Room {
    const room = new Room(this.#object, Jid.parse(jid), id, this.#roomPorts);
    if (id === 0) return room;
    if (this.#cache.size >= CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    this.#cache.set(jid, room);
    return room;
  }

  /** Makes a room; until its owner has configured it nobody else may enter (§10.1). */
  create(jid: Jid, { creator, preset, locked }: { creator?: Jid; preset?: Preset; locked: boolean }): Room {
    const { sql, settings } = this.#object;
    const name = jid.bare.toString();
    const config = JSON.stringify(initialConfig(settings, preset));
    const [row] = sql<{ id: number }>`INSERT INTO room (jid, config, locked, subject, creator, created)
      VALUES (${name}, ${config}, ${locked ? 1 : 0}, '', ${creator?.bare.toString() ?? ""}, ${Date.now()}) RETURNING id`;
    const room = this.#hold(name, (row as { id: number }).id);
    if (creator) room.affiliations.set(creator, { affiliation: "owner" });
    if (locked) room.wake("unconfigured", Date.now() + UNCONFIGURED_MS);
    else room.fire("room:listing", undefined);
    return room;
  }

  #take(item: StanzaItem, stanza: Stanza): void {
    const { to } = stanza;
    if (!to) return;
    if (!to.local) return this.#atService(stanza, to);
    let room = this.room(to.bare.toString());
    if (room.exists) return room.receive(stanza, item);
    try {
      if (!joins(stanza)) return this.#nowhere(room, stanza);
      room = this.#found(room, stanza);
    } catch (error) {
      return room.bounce(stanza, asStanzaError(error, this.#object.log, { kind: stanza.kind }));
    }
    room.receive(stanza);
    // Whoever was to be its owner did not get in.
    if (room.locked && room.occupants.size === 0) room.destroy(destroyText());
  }

  /** A room that does not exist: what is said to it is an error, and leaving it is nothing. */
  #nowhere(room: Room, stanza: Stanza): void {
    if (stanza.kind === "presence" || stanza.type === "error") return;
    if (stanza.kind === "iq" && !stanza.asks) return;
    room.bounce(stanza, stanzaError("item-not-found", "There is no such room."));
  }

  /** §10.1.1: who enters a room that does not exist makes it, if that is allowed. */
  #found(room: Room, { from }: Stanza): Room {
    const { settings } = this.#object;
    const { jid } = room;
    // The room that pages show first is there for whoever comes first.
    if (jid.local === settings.defaultRoom) return this.create(jid, { preset: "embed", locked: false });
    const guest = from.domain === settings.guestDomain;
    const allowed =
      settings.mucCreate === "anyone" ? true : settings.mucCreate === "user" && from.domain === settings.domain;
    if (!allowed || guest) throw stanzaError("not-allowed", "You may not make rooms here.");
    if (!isUsername(jid.local)) throw stanzaError("jid-malformed", "No room may be called this.");
    return this.create(jid, { creator: from, locked: true });
  }

  // The service itself

  #atService(stanza: Stanza, self: Jid): void {
    const { kernel, settings, log } = this.#object;
    const door = new Room(this.#object, self, 0, this.#roomPorts);
    if (!stanza.asks) {
      if (stanza.kind === "message") door.bounce(stanza, stanzaError("service-unavailable"));
      return;
    }
    let pending: Promise<Element> | undefined;
    const later = (answer: Promise<Element>) => {
      pending = answer;
    };
    const fail = (error: unknown) => door.bounce(stanza, asStanzaError(error, log, { about: stanza.about }));
    try {
      const directory = this.#ports.directory();
      const answer = kernel.iq("rooms", { self, settings, kernel, directory, later } satisfies ServiceContext, stanza);
      if (pending) this.#ports.wait(pending.then((element) => door.reply(stanza, element)).catch(fail));
      else door.reply(stanza, answer);
    } catch (error) {
      fail(error);
    }
  }

  #list(jid: string, listing: Listing | undefined): void {
    const directory = this.#ports.directory();
    const told = listing ? directory.listRoom(listing) : directory.unlistRoom(jid).then(() => true);
    this.#ports.wait(
      told
        .then((accepted) => {
          if (!accepted) this.#refuse(jid);
        })
        .catch((error) => this.#object.log.error("a room could not be listed", error)),
    );
  }

  /** Its creator has too many rooms already: this one goes again (security.md D8). */
  #refuse(jid: string): void {
    const room = this.room(jid);
    if (room.exists) room.destroy(destroyText({ reason: "You have too many rooms." }));
    room.flush();
  }

  // What became of deliveries

  delivered(result: Delivered, batch: readonly Delivery[]): void {
    for (const [sid, to] of result.moved) {
      for (const { room, occupant, session } of this.#bySid(sid)) room.occupants.move(occupant, session, to, sid);
      for (const { e, more = [], to: sids, place } of batch) {
        if (!e || !sids.includes(sid)) continue;
        if (place === undefined) this.#object.post.deliverAll(to, [sid], [e, ...more].map(Stanza.open));
        else this.#outstanding.deliver(to, [sid], Stanza.open(e), place);
      }
    }
    for (const sid of result.gone) this.#gone(sid, batch);
    for (const { place } of batch) if (place !== undefined) this.#outstanding.answered();
  }

  /** A stream that is no more: whoever it was has left without a word (§18.1.2). */
  #gone(sid: string, batch: readonly Delivery[]): void {
    for (const { room, occupant, session } of this.#bySid(sid)) {
      room.leave(occupant, session, { codes: [333] });
      room.flush();
    }
    for (const { e, to } of batch)
      if (e && to.includes(sid) && e.kind === "iq" && (e.type === "get" || e.type === "set")) {
        const error = Stanza.open(e).error(stanzaError("recipient-unavailable"));
        if (error) this.inbox.put({ e: error.pack() });
      }
  }

  /** The rooms that a stream is in; a stream that is gone is rare enough to ask the rows. */
  #bySid(sid: string) {
    const rows = this.#object.sql<{ jid: string }>`SELECT room.jid AS jid FROM occupant JOIN room
      ON room.id = occupant.owner WHERE occupant.sid = ${sid}`;
    return rows.flatMap(({ jid }) => {
      const room = this.room(jid);
      const found = room.occupants.stream(sid);
      return found ? [{ room, ...found }] : [];
    });
  }

  /** The object's alarm: what is due for each of its rooms. */
  alarm(): void {
    const { alarms, kernel, log } = this.#object;
    for (const { name, entity, data } of alarms.take(Date.now())) {
      if (name === ALARM) this.#outstanding.alarm();
      if (!entity) continue;
      const room = this.room(entity);
      try {
        if (room.exists) kernel.alarm("room", name.slice("room ".length), room, data);
      } catch (error) {
        log.error("an alarm failed", error, { name });
      }
      room.flush();
    }
  }

  // For the REST API

  /** The room that pages show first is there before anybody has come. */
  #standing(jid: string): Room {
    const room = this.room(jid);
    if (room.exists || room.jid.local !== this.#object.settings.defaultRoom) return room;
    const made = this.create(room.jid, { preset: "embed", locked: false });
    made.flush();
    return made;
  }

  facts(jid: string): RoomFacts | undefined {
    const room = this.#standing(jid);
    if (!room.exists) return undefined;
    const { config, created, occupants, subject } = room;
    return { jid, occupants: occupants.size, created, subject: subject?.text ?? "", config };
  }

  /** Makes a room or changes its settings. */
  put(jid: string, { owner, preset, config, existing }: RoomRequest): Outcome<{ created: boolean }> {
    return outcomeOf(this.#object.log, () => {
      const known = existing ? this.#standing(jid) : this.room(jid);
      if (existing && !known.exists) throw noRoom();
      const wanted = { ...(known.exists ? known.config : initialConfig(this.#object.settings, preset)), ...config };
      if (wanted.passwordProtected && wanted.password === "")
        throw stanzaError("not-acceptable", "A password is required, but there is none.");
      const room = known.exists
        ? known
        : this.create(Jid.parse(jid), {
            locked: false,
            ...(preset && { preset }),
            ...(owner && { creator: Jid.parse(owner) }),
          });
      if (config) room.configure(wanted);
      room.flush();
      return { created: !known.exists };
    });
  }

  /** What an operator does in a room, from outside it. */
  operate<T>(jid: string, run: (room: Room) => T): Outcome<T> {
    return outcomeOf(this.#object.log, () => {
      const room = this.#standing(jid);
      if (!room.exists) throw noRoom();
      try {
        return run(room);
      } finally {
        room.flush();
      }
    });
  }

  /** What a web app's token says of its user: an owner's makes the room, where there is none. */
  vouch(jid: string, whom: string, affiliation: Affiliation): Outcome<void> {
    if (affiliation === "owner") this.put(jid, { owner: whom });
    return this.operate(jid, (room) => vouch(room, whom, affiliation));
  }
}

const noRoom = () => stanzaError("item-not-found", "There is no such room.");

/** §7.2.1: only available presence with `<x/>`, to a nick, asks to enter. */
function joins(stanza: Stanza): boolean {
  return (
    stanza.kind === "presence" && stanza.type === "" && stanza.to?.full === true && stanza.child("x", MUC) !== undefined
  );
}
