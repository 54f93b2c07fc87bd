/** XEP-0163: Personal Eventing Protocol, v1.2.2 — https://xmpp.org/extensions/xep-0163.html. The nodes of an account. */
import type { Account } from "../account/account.ts";
import { seen } from "../account/contacts.ts";
import type { Resource } from "../account/resources.ts";
import { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import { mayRead } from "./access.ts";
import { type Config, PERSONAL } from "./config.ts";
import { pubsubError } from "./errors.ts";
import { lastItem } from "./events.ts";
import { type Affiliation, type Node, Nodes } from "./nodes.ts";
import type { Show } from "./options.ts";
import { type Draft, putItems, settle } from "./publish.ts";
import type { Change, Relation, Service } from "./service.ts";

/** Nodes of one account (security.md D7). */
const MOST_NODES = 100;

export class Personal implements Service {
  readonly personal = true;
  readonly jid: Jid;
  readonly settings: Settings;
  readonly nodes: Nodes;
  readonly #account: Account;

  private constructor(account: Account) {
    this.#account = account;
    this.jid = account.jid;
    this.settings = account.settings;
    this.nodes = new Nodes(account.sql, account.id, PERSONAL);
  }

  static of(account: Account): Personal {
    return account.memo(Personal, () => new Personal(account));
  }

  get now(): number {
    return this.#account.now;
  }

  inherent(jid: Jid): Affiliation | undefined {
    return jid.bare.equals(this.jid) ? "owner" : undefined;
  }

  relation(_: Node, jid: Jid): Relation {
    const contact = this.#account.contacts.get(jid);
    return { sees: seen(contact), groups: contact?.groups ?? [] };
  }

  checkAccess(): void {}

  /** Whoever else publishes here, what purges items is that the owner goes off line. */
  sees(): boolean {
    return true;
  }
  watch(): void {}

  /** Strangers hear the same of a node that is not there as of an account that is not there (RFC 6121 §13.10). */
  missing(asker: Jid): void {
    this.#account.admit(asker);
  }

  checkRoom(): void {
    if (this.settings.limits && this.nodes.size >= MOST_NODES)
      throw pubsubError("max-nodes-exceeded", `An account has at most ${MOST_NODES} nodes.`);
  }

  send(stanza: Stanza): void {
    this.#account.send(stanza);
  }

  cast(message: Stanza, to: readonly string[], shows?: readonly Show[]): void {
    this.#account.object.post.cast(message, to, shows && { shows });
  }

  after(run: () => void): void {
    this.#account.after(run);
  }

  changed(change: Change): void {
    this.#account.fire("node:changed", change);
  }

  /** §4.3: every resource of the owner and of its contacts gets what it has asked for, once. */
  implicit(message: Stanza, node: Node, told: readonly string[]): void {
    const account = this.#account;
    const except = new Set(told);
    if (!except.has(this.jid.toString()))
      for (const resource of account.resources)
        if (wants(resource, node.name) && !except.has(resource.jid.toString())) account.deliver(resource, message);
    const { access } = node.config;
    const all = node.affiliations.size === 0 && (access === "presence" || access === "open");
    if (access === "whitelist" && node.affiliations.size === 0) return;
    const local: string[] = [];
    const elsewhere = new Set<string>();
    for (const jid of this.#audience()) {
      const address = jid.toString();
      if (!except.has(address) && (all || mayRead(this, node, jid)))
        if (this.#isLocal(jid)) local.push(address);
        else elsewhere.add(address);
    }
    // Their own accounts know which of their clients are there, and what these have asked for.
    if (local.length > 0) account.object.post.cast(message, local, { wanted: node.name });
    if (elsewhere.size === 0) return;
    const to = interests(account, node.name).filter((jid) => elsewhere.has(Jid.parse(jid).bare.toString()));
    if (to.length > 0) account.object.post.cast(message, to);
  }

  /** Contacts that see the owner and are not blocked. */
  #audience(only?: Jid): readonly Jid[] {
    const contacts: Jid[] = [];
    for (const contact of this.#account.contacts)
      if (seen(contact) && (!only || contact.jid.equals(only.bare))) contacts.push(contact.jid);
    const event = { contacts: contacts as readonly Jid[] };
    if (contacts.length > 0) this.#account.fire("presence:audience", event);
    return event.contacts;
  }

  /** §4.3.4: the last item of each of these nodes, for a client that has come on line. Without `names`: of all. */
  greet(by: Jid, names?: readonly string[]): void {
    const own = by.bare.equals(this.jid);
    if (this.nodes.size === 0 || (!own && this.#audience(by).length === 0)) return;
    for (const name of names ?? [...this.nodes].map((node) => node.name)) {
      const node = this.nodes.get(name);
      if (node?.config.sendLast !== "on_sub_and_presence" || !mayRead(this, node, by)) continue;
      const message = lastItem(this, node);
      const resource = own ? this.#account.resources.get(by.resource) : undefined;
      if (message && resource) this.#account.deliver(resource, message);
      else if (message)
        this.#account.object.post.cast(message, [by.toString()], this.#isLocal(by) ? { wanted: name } : {});
    }
  }

  #isLocal(jid: Jid): boolean {
    return jid.domain === this.settings.domain;
  }

  /** Publishes on the owner's behalf; a node that is not there is made with `options`. */
  publish(name: string, drafts: readonly Draft[], options: Partial<Config> = {}): void {
    let node = this.nodes.get(name);
    if (!node) {
      this.checkRoom();
      node = this.nodes.create(name, settle(this, name, options), this.jid.toString(), this.now);
    }
    putItems(this, node, this.jid, drafts);
  }
}

/** Whether a client has asked for the events of a node (§4.4). */
export function wants({ state }: Resource, node: string): boolean {
  return state.presence !== undefined && state.notify?.includes(node) === true;
}

/** Clients of contacts elsewhere that have asked for the events of a node. */
function interests({ sql, id }: Account, node: string): string[] {
  const rows = sql<{ jid: string; notify: string | null }>`SELECT jid, notify FROM pubsub_interest WHERE owner = ${id}`;
  return rows.flatMap(({ jid, notify }) => ((notify ?? "").split("\n").includes(node) ? [jid] : []));
}
