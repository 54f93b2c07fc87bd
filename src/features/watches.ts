/** XEP-0060 §4.5, §12.5: what nodes of the pubsub service have to know of an account — https://xmpp.org/extensions/xep-0060.html#accessmodels */
import { type Account, account } from "../account/account.ts";
import { seen } from "../account/contacts.ts";
import type { Feature } from "../kernel/feature.ts";
import type { Sight } from "../kernel/post.ts";
import { Jid } from "../protocol/jid.ts";

/** After that long without an answer a node is told again. */
const AGAIN_MS = 30_000;

/** The account's roster, for nodes that it owns; else an address of its own, for nodes where something ends with its presence. */
const ROSTER = "";

/** A cache over the rows: which nodes want to know what. */
class Watched {
  /** By node. */
  readonly nodes = new Map<string, Set<string>>();
  /** The roster has changed, and nobody has been told. */
  dirty = false;

  constructor({ sql, id }: Account) {
    const rows = sql<{ node: string; jid: string }>`SELECT node, jid FROM node_watch WHERE owner = ${id}`;
    for (const { node, jid } of rows) this.note(node, jid);
  }

  note(node: string, jid: string): void {
    this.nodes.set(node, (this.nodes.get(node) ?? new Set()).add(jid));
  }
}

const watched = (account: Account) => account.memo(Watched, () => new Watched(account));

function add(account: Account, node: string, jid: string): void {
  const { nodes } = watched(account);
  if (nodes.get(node)?.has(jid)) return;
  watched(account).note(node, jid);
  account.sql`INSERT OR IGNORE INTO node_watch VALUES (${account.id}, ${node}, ${jid})`;
}

function drop(account: Account, node: string, jid: string): void {
  watched(account).nodes.get(node)?.delete(jid);
  account.sql`DELETE FROM node_watch WHERE owner = ${account.id} AND node = ${node} AND jid = ${jid}`;
}

function watch(account: Account, { node, jid, what }: { node: string; jid: Jid; what: string }): void {
  const address = what === "leaving" ? jid.toString() : ROSTER;
  const there = account.exists && (what !== "leaving" || isThere(account, jid));
  if (what === "nothing") return drop(account, node, address);
  if (there) {
    add(account, node, address);
    account.cancel("watch", keyOf(node, address));
  }
  if (what === "roster") account.object.post.sight({ seen: node, of: jid.toString(), roster: rosterOf(account) });
  else if (!there) account.object.post.sight({ seen: node, of: address });
}

function isThere({ resources }: Account, jid: Jid): boolean {
  return jid.full ? resources.get(jid.resource)?.state.presence !== undefined : resources.available.length > 0;
}

/** Whom the account has blocked is nobody's contact. */
function rosterOf(account: Account): NonNullable<Sight["roster"]> {
  if (!account.exists) return [];
  const event = { contacts: [...account.contacts].map(({ jid }) => jid) as readonly Jid[] };
  account.fire("presence:audience", event);
  return event.contacts.flatMap((jid) => {
    const contact = account.contacts.get(jid);
    const groups = contact?.listed ? contact.groups : [];
    const entry: [string, boolean, string[]] = [jid.toString(), seen(contact), groups];
    return entry[1] || groups.length > 0 ? [entry] : [];
  });
}

const keyOf = (node: string, jid: string) => JSON.stringify([node, jid]);

/** Tells a node, again should this object be lost before the node knows it. */
function tell(account: Account, node: string, jid: string): void {
  const key = keyOf(node, jid);
  const sight: Sight = { seen: node, of: jid || account.jid.toString() };
  if (jid === ROSTER) sight.roster = rosterOf(account);
  account.wake("watch", account.now + AGAIN_MS, [node, jid], key);
  account.object.post.sight(sight, (error) => {
    if (error) return;
    account.cancel("watch", key);
    if (jid !== ROSTER) drop(account, node, jid);
  });
}

function changed(account: Account): void {
  const own = watched(account);
  if (own.dirty || own.nodes.size === 0) return;
  own.dirty = true;
  account.after(() => {
    own.dirty = false;
    for (const [node, jids] of own.nodes) if (jids.has(ROSTER)) tell(account, node, ROSTER);
  });
}

/** A resource has gone off line, and with the last one the account. */
function departed(account: Account): void {
  for (const [node, jids] of watched(account).nodes)
    for (const jid of jids) if (jid !== ROSTER && !isThere(account, Jid.parse(jid))) tell(account, node, jid);
}

export const watches: Feature = {
  name: "watches",
  implements: [{ id: "XEP-0060", version: "1.30.0" }],
  tables: [
    {
      name: "node_watch",
      steps: [
        `CREATE TABLE node_watch (
           owner INTEGER NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, PRIMARY KEY (owner, node, jid)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    account.hook("node:watches", watch),
    account.hook("roster:changed", changed),
    account.hook("presence:show", changed),
    account.hook("presence:hide", changed),
    account.hook("resource:unavailable", departed),
    account.alarm<[node: string, jid: string]>("watch", (account, [node, jid]) => tell(account, node, jid)),
    account.hook("account:removed", (account) => {
      const { post } = account.object;
      for (const [node, jids] of watched(account).nodes)
        if (jids.has(ROSTER)) post.sight({ seen: node, of: account.jid.toString(), roster: [] });
      account.sql`DELETE FROM node_watch WHERE owner = ${account.id}`;
    }),
  ],
};
