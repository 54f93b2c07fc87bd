/** What an object hosts: an account, a room, a node. A handler is given its entity and nothing else. */
import type { StanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Alarms } from "./due.ts";
import type { Place } from "./feature.ts";
import type { Kernel } from "./kernel.ts";
import type { Post } from "./post.ts";
import type { Sql } from "./sql.ts";

export interface Log {
  /** Something an operator should know. Never a body, password or token. */
  warn(message: string, facts?: object): void;
  error(message: string, error: unknown, facts?: object): void;
}

/** Keys that this deployment made for itself at first start; the Directory holds them. */
export interface Secrets {
  /** Hides whether an account exists (security.md C5). */
  salt: string;
  /** Occupant ids, XEP-0421. */
  occupant: string;
  /** Dialback keys, XEP-0185. */
  dialback: string;
  /** UIDs of archived messages, XEP-0313. */
  archive: string;
  /** Slots and names of files, XEP-0363. */
  upload: string;
  /** Guests are banned by a keyed hash of their address, not by the address. */
  address: string;
}

/** The object an entity lives in, as its entities see it. */
export interface HostObject {
  readonly name: string;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly kernel: Kernel;
  readonly sql: Sql;
  readonly post: Post;
  readonly alarms: Alarms;
  readonly log: Log;
  /** Runs SQL as one transaction that an exception undoes. */
  atomically<T>(run: () => T): T;
  /** Keeps the object from being forgotten until what was written is on the disk: for a timer, which no answer waits for. */
  stored(): void;
}

export abstract class Entity {
  abstract readonly place: Place;
  readonly jid: Jid;
  /** The key of its rows in this object: never used again for another entity, so rights are not inherited. */
  readonly id: number;
  readonly object: HostObject;

  constructor(object: HostObject, jid: Jid, id: number) {
    this.object = object;
    this.jid = jid;
    this.id = id;
  }

  get settings(): Settings {
    return this.object.settings;
  }
  get sql(): Sql {
    return this.object.sql;
  }
  get now(): number {
    return Date.now();
  }

  send(stanza: Stanza | undefined): void {
    if (stanza) this.object.post.send(stanza);
  }

  /** Sends the error that a stanza earned, unless errors must not be answered. */
  bounce(stanza: Stanza, error: StanzaError): void {
    this.send(stanza.error(error));
  }

  fire(name: string, event: unknown): "handled" | undefined {
    return this.object.kernel.fire(this.place, name, this, event);
  }

  /** Sets this entity's alarm of that name (and key) to a time in ms. */
  wake(name: string, at: number, due: unknown = null, key = ""): void {
    this.object.alarms.wake(`${this.place} ${name}`, this.jid.toString(), at, due, key);
  }

  cancel(name: string, key = ""): void {
    this.object.alarms.cancel(`${this.place} ${name}`, this.jid.toString(), key);
  }

  /** What was said with an alarm that is set. */
  due<T>(name: string, key = ""): T | undefined {
    return this.object.alarms.data(`${this.place} ${name}`, this.jid.toString(), key);
  }

  pending(name: string, key = ""): boolean {
    return this.object.alarms.pending(`${this.place} ${name}`, this.jid.toString(), key);
  }
}
