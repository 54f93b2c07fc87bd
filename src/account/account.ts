/** An account as its features see it: who is connected, its contacts, its messages — and what arrives for it. */

import { Archive } from "../archive/archive.ts";
import { Uids } from "../archive/uid.ts";
import { Entity, type HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import { type Answer, handlersAt, type Inquiry, type Table } from "../kernel/feature.ts";
import { forgetOnce } from "../kernel/once.ts";
import type { DeliverOptions, Delivery, StanzaItem } from "../kernel/post.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { stanza as newStanza, QUESTION, Stanza } from "../protocol/stanza.ts";
import type { Change } from "../pubsub/service.ts";
import type { Element } from "../xml/element.ts";
import { Access } from "./access.ts";
import { type Contact, Contacts, seen } from "./contacts.ts";
import { type Resource, Resources } from "./resources.ts";
import { Tokens } from "./tokens.ts";

/**
 * `offline`: the archive position up to which some client has had everything. `passed`: up to which all was passed on.
 * `revoked`: when it was said (ms) that no token of before is good any more.
 */
export const ACCOUNT: Table = {
  name: "account",
  steps: [
    `CREATE TABLE account (
       id INTEGER PRIMARY KEY AUTOINCREMENT, jid TEXT NOT NULL UNIQUE, keys TEXT NOT NULL, created INTEGER NOT NULL,
       epoch INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '',
       offline INTEGER NOT NULL DEFAULT 0, passed INTEGER NOT NULL DEFAULT 0)`,
    "ALTER TABLE account ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0",
  ],
};

/** A message on its way through its sender's or its reader's account; handlers earlier in the list change it for later ones. */
export interface Passage {
  stanza: Stanza;
  /** Its place in this account's archive, once it has one. */
  mark?: number | undefined;
  /** The id it has in its sender's archive, by which a repeat is known. */
  origin?: number;
  /** It may be here for the second time (its last sender does not know). */
  again: boolean;
  /** In custody only: a preference keeps it out of the archive that clients see. */
  hidden?: boolean;
  /** The resources that it was handed to; empty while it waits for one. */
  delivered?: Resource[];
}

/** An event for many readers at once. Nothing of it is stored, so that one text does for all of them. */
export interface Notice {
  /** It names no reader. */
  stanza: Stanza;
  /** This reader's address, bare or full. */
  to: Jid;
  /** It is for those clients only that have asked for the events of this node (XEP-0060 §9.2). */
  wanted: string | undefined;
  /** It is for those clients only that show one of these in their presence, or "online". */
  shows: readonly string[] | undefined;
}

/** A resource that is no more, and the presence that says why, if its client sent one. */
export interface Leave {
  resource: Resource;
  stanza?: Stanza;
}

export interface AccountHooks {
  /** A message that one of the account's clients sent. */
  "message:outbound": Passage;
  /** A message addressed to the account (RFC 6121 §8.5). */
  "message:inbound": Passage;
  /** One that came for many readers, and is not for those who are away. */
  "event:inbound": Notice;
  /** It is in the sender's custody: its way on begins. */
  "message:pass": Passage;
  /** Nobody is there to read it; "handled" when it cannot wait. */
  "message:offline": Passage;
  /** It is in the reader's archive. */
  "message:stored": Passage;
  /** It was stored, and handed over perhaps, before the object was lost: its `mark` says so, and no client is to see it twice. */
  "message:again": Omit<Passage, "again">;
  /** The resources have been read from their rows. */
  "account:back": undefined;
  /** Presence without `to` from a client (§4.2, §4.4). */
  "presence:outbound": { resource: Resource; stanza: Stanza };
  /** Directed presence from a client (§4.6). */
  "presence:directed": { resource: Resource; stanza: Stanza };
  /** Presence about somebody else, for this account (§4). */
  "presence:inbound": Stanza;
  /** subscribe, subscribed, unsubscribe, unsubscribed (§3), by the account or to it. */
  "subscription:outbound": Stanza;
  "subscription:inbound": Stanza;
  /** A roster item has a new version, which clients are to see (§2.1.6). */
  "roster:changed": Contact;
  /** The contacts that presence is about to be exchanged with; a handler may replace the list by a shorter one. */
  "presence:audience": { contacts: readonly Jid[] };
  /** Somebody may see the account's presence from now on, or may not any more. */
  "presence:show": Jid;
  "presence:hide": Jid;
  /** An IQ of a client for somebody else; it goes there unless it is handled. */
  "iq:outbound": Stanza;
  /** An IQ from somebody else for one of the account's resources or for the account itself. */
  "iq:inbound": Stanza;
  /** The answer to an IQ that the account itself has sent. */
  "iq:answered": Stanza;
  /** A client of somebody's has come on line and asks for the events of these nodes (XEP-0163 §4.3). */
  "events:wanted": { by: Jid; nodes: readonly string[] };
  /** A node of the pubsub service wants to know something of the account, which may not exist. */
  "node:watches": { node: string; jid: Jid; what: "roster" | "leaving" | "nothing" };
  /** Something has happened at one of the account's pubsub nodes. */
  "node:changed": Change;
  /** A fragment of private storage is asked for, or stored: "handled" when that is done elsewhere (XEP-0411). */
  "private:get": { ns: string; name: string; found: string | undefined };
  "private:set": Element;
  /** The vCard has a new content (XEP-0054), or is to have this photograph, or none. */
  "vcard:changed": Element;
  "vcard:photo": { type: string; base64: string } | undefined;
  /** A resource is being bound; `photo`: the hash of the account's avatar, for its presence (XEP-0398). */
  "resource:bound": { photo?: string };
  /** The first available presence of a resource (§4.2). */
  "resource:available": Resource;
  /** A resource that gets messages from now on: its priority is not negative (§8.5.2.1). */
  "resource:receptive": Resource;
  /** A resource that was available is no more (§4.5). */
  "resource:unavailable": Leave;
  /** A stream has ended for good, whatever its presence was. */
  "resource:gone": Resource;
  /** Its stream waits for its client, and so do messages that it was handed. */
  "resource:asleep": Resource;
  /** A client does not keep up with what it is handed. */
  "resource:slow": Resource;
  /** A client has acknowledged what it was handed, up to the resource's `acked`. */
  "resource:acked": Resource;
  /** disco#items of the account or a node of it, disco#info of a node: what is found is listed. */
  "disco:items": Inquiry;
  "disco:info": Inquiry;
  /** The web app that vouches for its owner says what they are called. */
  "account:named": string;
  /** The account is about to be deleted. */
  "account:removed": undefined;
  /** The event is over: rows that were gathered are written now. */
  "account:settled": undefined;
}

/** Handlers of the account's own clients' requests and of its events. */
export const account = handlersAt<Account, AccountHooks>("account");
/** Handlers of requests that others send to the bare address: each decides what a stranger may know. */
export const contact = handlersAt<Account, Record<never, never>>("contact");

export class Account extends Entity {
  readonly place = "account" as const;
  readonly #memo = new Map<unknown, unknown>();
  readonly #after: (() => void)[] = [];
  #removed = false;
  #resources: Resources | undefined;
  #contacts: Contacts | undefined;
  #archive: Archive | undefined;

  /** `id` 0 stands for an account that does not exist. */
  constructor(object: HostObject, jid: Jid, id: number) {
    super(object, jid, id);
  }

  get exists(): boolean {
    return this.id !== 0 && !this.#removed;
  }
  /** It was deleted in this event. */
  get removed(): boolean {
    return this.#removed;
  }
  get resources(): Resources {
    if (!this.#resources) {
      this.#resources = new Resources(this.sql, this.id, this.jid);
      if (this.#resources.size > 0) this.fire("account:back", undefined);
    }
    return this.#resources;
  }
  get contacts(): Contacts {
    this.#contacts ??= new Contacts(this.sql, this.id);
    return this.#contacts;
  }
  get archive(): Archive {
    this.#archive ??= new Archive(this.sql, this.id, new Uids(this.object.secrets.archive, this.jid.toString()));
    return this.#archive;
  }

  /** The resources, if they were read already. */
  get loaded(): Resources | undefined {
    return this.#resources;
  }

  /** A feature's own cache, rebuilt by `load` after the object was forgotten. */
  memo<T>(key: { name: string }, load: () => T): T {
    if (!this.#memo.has(key)) this.#memo.set(key, load());
    return this.#memo.get(key) as T;
  }

  forget(key: { name: string }): void {
    this.#memo.delete(key);
  }

  /** Hands a stanza to a resource's stream. `mark` is where a message lies in the archive. */
  deliver(resource: Resource, stanza: Stanza, options: DeliverOptions = {}): void {
    if (options.mark !== undefined) resource.state.handed = Math.max(resource.state.handed, options.mark);
    this.object.post.deliver(resource.gate, [resource.sid], stanza, options);
  }

  /** A push or other IQ to each resource that `wants` it. */
  push(wants: (resource: Resource) => boolean, payload: Element, name: string): void {
    for (const resource of this.resources) if (wants(resource)) this.pushTo(resource, payload, name);
  }

  pushTo(resource: Resource, payload: Element, name: string): void {
    this.deliver(
      resource,
      newStanza("iq", { type: "set", id: `${name}-${crypto.randomUUID()}`, from: this.jid }, payload),
    );
  }

  /** Asks a client of the account's, or another entity, for something; what it answers comes as "iq:answered". */
  ask(type: "get" | "set", to: Jid, payload: Element, name: string): void {
    const iq = newStanza("iq", { type, id: `${QUESTION}${name}-${crypto.randomUUID()}`, from: this.jid, to }, payload);
    const resource = to.bare.equals(this.jid) ? this.resources.get(to.resource) : undefined;
    if (resource) this.deliver(resource, iq);
    else this.send(iq);
  }

  /** Does something once the request at hand has been answered. */
  after(run: () => void): void {
    this.#after.push(run);
  }

  /** Whether `jid` may know that this account exists and what it does: itself, or a contact with a subscription from it. */
  trusts(jid: Jid): boolean {
    return jid.bare.equals(this.jid) || seen(this.contacts.get(jid));
  }

  /** Refuses a stranger in the same words as where there is no account (§13.10). */
  admit(jid: Jid): void {
    if (!this.trusts(jid)) throw stanzaError("service-unavailable");
  }

  /** Takes one stanza; what a handler throws becomes the sender's error. */
  receive(item: StanzaItem, stanza: Stanza): void {
    try {
      if (item.out) this.#outbound(stanza, item.again === true);
      else this.#inbound(stanza, item);
    } catch (error) {
      this.bounce(stanza, asStanzaError(error, this.object.log, { kind: stanza.kind, about: stanza.about }));
    }
    this.#finish();
  }

  /** Takes an event that came for many readers. */
  notice(notice: Notice): void {
    try {
      if (!this.exists) throw stanzaError("service-unavailable");
      this.fire("event:inbound", notice);
    } catch (error) {
      const { stanza, to } = notice;
      this.bounce(stanza.with({ to }), asStanzaError(error, this.object.log, { kind: stanza.kind }));
    }
  }

  #finish(): void {
    while (this.#after.length > 0) for (const run of this.#after.splice(0)) run();
  }

  #outbound(stanza: Stanza, again: boolean): void {
    const resource = this.resources.get(stanza.from.resource);
    const [gate, sid] = stanza.via ?? [];
    if (!this.exists || !resource || resource.sid !== sid) {
      // The stream outlived its resource: after a crash, or because it was replaced. Its client has to start over.
      if (gate && sid) this.object.post.end(gate, sid, "reset");
      return;
    }
    const { to, type } = stanza;
    const own = !to || to.equals(this.jid);
    switch (stanza.kind) {
      case "message":
        this.fire("message:outbound", { stanza, again } satisfies Passage);
        return;
      case "presence":
        if (type.includes("subscribe")) {
          if (to) this.fire("subscription:outbound", stanza.with({ from: this.jid, to: to.bare }));
        } else if (own) this.fire("presence:outbound", { resource, stanza });
        else this.fire("presence:directed", { resource, stanza });
        return;
      case "iq":
        if (!own) {
          if (this.fire("iq:outbound", stanza) !== "handled") this.send(stanza);
        } else if (stanza.asks) this.answer(stanza, this.object.kernel.iq("account", this, stanza));
        else this.fire("iq:answered", stanza);
    }
  }

  #inbound(stanza: Stanza, { again, origin }: StanzaItem): void {
    const { to, type, kind } = stanza;
    if (!to) return;
    if (!this.exists) {
      // §8.5.1; the same answers as of an account whose owner shows nothing (§13.10).
      if (kind === "presence") {
        const { id, from } = stanza;
        if (type === "probe") this.send(newStanza("presence", { type: "unsubscribed", id, from: this.jid, to: from }));
        return;
      }
      throw stanzaError("service-unavailable");
    }
    switch (kind) {
      case "message":
        this.fire("message:inbound", {
          stanza,
          again: again === true,
          ...(origin && { origin }),
        } satisfies Passage);
        return;
      case "presence":
        if (type.includes("subscribe"))
          this.fire("subscription:inbound", stanza.with({ from: stanza.from.bare, to: this.jid }));
        else this.fire("presence:inbound", stanza);
        return;
      case "iq": {
        if (this.fire("iq:inbound", stanza) === "handled") return;
        if (to.full) {
          const resource = this.resources.get(to.resource);
          // §8.5.3: an IQ goes to any connected resource, and nowhere else.
          if (resource) this.deliver(resource, stanza);
          else throw stanzaError("service-unavailable");
        } else if (stanza.asks) {
          const { kernel } = this.object;
          const place = stanza.from.bare.equals(this.jid) ? "account" : "contact";
          if (place === "contact" && !kernel.answers(place, stanza)) this.admit(stanza.from);
          this.answer(stanza, kernel.iq(place, this, stanza));
        } else this.fire("iq:answered", stanza);
      }
    }
  }

  /** Answers an IQ that asks. */
  answer(iq: Stanza, answer: Answer): void {
    // An IQ without `to` is answered from nowhere in particular: the client takes that for its own account (RFC 6120 §8.1.2.1).
    const reply = answer instanceof Stanza ? answer : iq.result(answer || undefined);
    const resource = iq.from.bare.equals(this.jid) ? this.resources.get(iq.from.resource) : undefined;
    if (resource) this.deliver(resource, reply);
    else this.send(reply);
  }

  override send(stanza: Stanza | undefined): void {
    const resource = stanza?.to?.bare.equals(this.jid) ? this.resources.get(stanza.to.resource) : undefined;
    if (stanza && resource && stanza.type === "error") this.deliver(resource, stanza);
    else super.send(stanza);
  }

  /** A resource whose stream is gone: everybody who saw it is told, and what its client had not acknowledged is mail again. */
  leave(resource: Resource, stanza?: Stanza): void {
    if (this.resources.get(resource.jid.resource) !== resource) return;
    if (resource.state.presence) this.fire("resource:unavailable", stanza ? { resource, stanza } : { resource });
    this.resources.remove(resource);
    this.fire("resource:gone", resource);
  }

  /** What became of deliveries: streams that are gone, went on to another gate, or have acknowledged. */
  undelivered(resource: Resource, batch: readonly Delivery[]): void {
    const { sid } = resource;
    this.leave(resource);
    for (const { e, to } of batch) {
      if (!e || !to.includes(sid)) continue;
      const stanza = Stanza.open(e);
      if (stanza.asks && stanza.to) this.bounce(stanza, stanzaError("service-unavailable"));
    }
  }

  /** New keys end every session and token that the old ones opened (security.md C13). */
  changePassword(keys: string, keep?: Resource): void {
    this.sql`UPDATE account SET keys = ${keys} WHERE id = ${this.id}`;
    this.forget(Access);
    new Tokens(this.sql, this.id).clear();
    for (const resource of [...this.resources]) if (resource !== keep) this.end(resource, "reset");
  }

  end(resource: Resource, condition: "conflict" | "reset" | "not-authorized"): void {
    this.object.post.end(resource.gate, resource.sid, condition);
    this.leave(resource);
  }

  /** Deletes the account: subscriptions are cancelled, streams end, rows go. */
  remove(): void {
    for (const resource of [...this.resources]) this.end(resource, "not-authorized");
    this.fire("account:removed", undefined);
    this.archive.clear();
    new Tokens(this.sql, this.id).forget();
    this.contacts.clear();
    forgetOnce(this.sql, this.id);
    this.sql`DELETE FROM account WHERE id = ${this.id}`;
    this.#removed = true;
  }

  settle(): void {
    if (!this.exists) return;
    this.fire("account:settled", undefined);
    this.#resources?.save();
  }
}
