/**
 * XEP-0115: Entity Capabilities, v1.6, and XEP-0390: Entity Capabilities 2.0, v0.3.2, as far as they say which events a client
 * wants (XEP-0060 §9.2) — https://xmpp.org/extensions/xep-0115.html.
 * What outlives an object's memory: of our own clients, the nodes that each asks for are in its resource's row; the accounts
 * of contacts here need not know them, since every account picks what its own clients get. Of contacts elsewhere, one row
 * for each client that asks for anything. Hashes that were verified are rows, too, for the whole object.
 */
import { type Account, account } from "../account/account.ts";
import { seen, sees } from "../account/contacts.ts";
import type { Resource } from "../account/resources.ts";
import type { Feature } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import { type CapsHash, caps2Hash, caps2Node, capsVersion, readCaps, readCaps2 } from "../protocol/caps.ts";
import { Jid } from "../protocol/jid.ts";
import { CAPS, CAPS2, DISCO_INFO } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { Personal } from "../pubsub/personal.ts";
import { type Element, xml } from "../xml/element.ts";

const QUESTION = "caps";
/** Nodes that one client may ask for. */
const MAX_NODES = 200;
/** Hashes kept by one object. */
const MAX_HASHES = 1000;

/** A claim: which format, which hash, its value, and the disco node that stands for it. */
interface Claim {
  format: "1" | "2";
  hash: CapsHash;
  value: string;
  node: string;
}

function claimOf(presence: Stanza): Claim | undefined {
  if (!presence.inner.includes(CAPS) && !presence.inner.includes(CAPS2)) return undefined;
  const caps = readCaps(presence.children);
  if (caps) return { format: "1", hash: caps.hash, value: caps.version, node: `${caps.node}#${caps.version}` };
  const hashes = readCaps2(presence.children);
  for (const hash of ["sha-256", "sha-512", "sha-1"] as const) {
    const value = hashes[hash];
    if (value !== undefined) return { format: "2", hash, value, node: caps2Node(hash, value) };
  }
  return undefined;
}

/** The formats' hashes are kept apart: what one vouches for may mean something else in the other. */
const keyOf = ({ format, hash, value }: Claim) => `${format} ${hash} ${value}`;
const written = (claim: Claim) => `${keyOf(claim)} ${claim.node}`;

function readWritten(text: string): Claim {
  const [format, hash, value = ""] = text.split(" ", 3);
  return { format: format as "1" | "2", hash: hash as CapsHash, value, node: text.split(" ").slice(3).join(" ") };
}

function lookUp(sql: Sql, claim: Claim): string[] | undefined {
  const [row] = sql<{ notify: string }>`SELECT notify FROM caps WHERE hash = ${keyOf(claim)}`;
  return row && listed(row.notify);
}

const listed = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** The nodes asked for in a disco#info answer. */
function readNotify(query: Element): string[] {
  const names = query.getChildren("feature", DISCO_INFO).flatMap(({ attrs: { var: name = "" } }) => {
    const node = name.endsWith("+notify") ? name.slice(0, -"+notify".length) : "";
    return node === "" || node.length > 1023 || node.includes("\n") ? [] : [node];
  });
  return [...new Set(names)].slice(0, MAX_NODES);
}

/** What an answer says; kept for others only where the hash proves it (XEP-0115 §5.4). */
function judge(sql: Sql, claim: Claim, query: Element): string[] {
  const notify = readNotify(query);
  const proof = claim.format === "1" ? capsVersion(query, claim.hash) : caps2Hash(query, claim.hash);
  if (proof !== claim.value) return notify;
  const [sum] = sql<{ n: number }>`SELECT count(*) AS n FROM caps`;
  if ((sum?.n ?? 0) >= MAX_HASHES) sql`DELETE FROM caps`;
  sql`INSERT OR REPLACE INTO caps VALUES (${keyOf(claim)}, ${notify.join("\n")})`;
  return notify;
}

function ask(account: Account, to: Jid, { node }: Claim): void {
  account.ask("get", to, xml("query", { xmlns: DISCO_INFO, node }), QUESTION);
}

/** One of our own clients says what it is. */
function announced(account: Account, { resource, stanza }: { resource: Resource; stanza: Stanza }): void {
  if (stanza.type !== "" || !resource.state.presence) return;
  const { state } = resource;
  const claim = claimOf(stanza);
  const caps = claim && written(claim);
  if (caps === state.caps) return;
  account.resources.touch(resource);
  if (!claim || !caps) {
    delete state.caps;
    delete state.notify;
    return;
  }
  state.caps = caps;
  const known = lookUp(account.sql, claim);
  if (known) learn(account, resource, known);
  else ask(account, resource.jid, claim);
}

/** What one of our own clients wants is known: it gets the last of it, from here and from contacts here. */
function learn(account: Account, resource: Resource, notify: string[]): void {
  const { state, jid } = resource;
  const before = new Set(state.notify);
  const added = notify.filter((name) => !before.has(name));
  state.notify = notify;
  account.resources.touch(resource);
  if (added.length === 0) return;
  Personal.of(account).greet(jid, added);
  // Contacts elsewhere see its presence, and ask for themselves.
  const audience = { contacts: [] as readonly Jid[] };
  audience.contacts = [...account.contacts].flatMap((contact) =>
    sees(contact) && contact.jid.domain === jid.domain ? [contact.jid] : [],
  );
  if (audience.contacts.length === 0) return;
  account.fire("presence:audience", audience);
  account.object.post.wish(jid, added, audience.contacts.map(String));
}

function answered(account: Account, stanza: Stanza): void {
  if (!stanza.id.startsWith(`ask-${QUESTION}-`)) return;
  const query = stanza.type === "result" ? stanza.children.find((child) => child.is("query", DISCO_INFO)) : undefined;
  if (stanza.from.bare.equals(account.jid)) {
    const resource = account.resources.get(stanza.from.resource);
    const { caps, presence, notify } = resource?.state ?? {};
    if (resource && caps && presence && !notify && query)
      learn(account, resource, judge(account.sql, readWritten(caps), query));
    return;
  }
  const jid = stanza.from.toString();
  const row = interest(account, jid);
  if (!row || row.notify !== null) return;
  if (query) wishOf(account, stanza.from, row.caps, judge(account.sql, readWritten(row.caps), query));
  else forget(account, jid);
}

interface Interest {
  caps: string;
  notify: string | null;
}

function interest({ sql, id }: Account, jid: string): Interest | undefined {
  return sql<{ caps: string; notify: string | null }>`SELECT caps, notify FROM pubsub_interest
    WHERE owner = ${id} AND jid = ${jid}`[0];
}

function note({ sql, id }: Account, jid: string, caps: string, notify: string | null): void {
  sql`INSERT OR REPLACE INTO pubsub_interest VALUES (${id}, ${jid}, ${caps}, ${notify})`;
}

function forget({ sql, id }: Account, jid: string): void {
  sql`DELETE FROM pubsub_interest WHERE owner = ${id} AND jid = ${jid}`;
}

/** Presence of a contact's client elsewhere. */
function heard(account: Account, stanza: Stanza): void {
  const { from, type } = stanza;
  if (from.domain === account.jid.domain || !from.full) return;
  const contact = account.contacts.get(from);
  // One that may not see the owner's events yet may do so later, without another presence.
  if (!seen(contact) && !sees(contact)) return;
  const jid = from.toString();
  if (type === "unavailable") {
    if (interest(account, jid)) forget(account, jid);
    return;
  }
  const claim = type === "" ? claimOf(stanza) : undefined;
  if (!claim) return;
  const caps = written(claim);
  if (interest(account, jid)?.caps === caps) return;
  const known = lookUp(account.sql, claim);
  if (known) wishOf(account, from, caps, known);
  else {
    note(account, jid, caps, null);
    ask(account, from, claim);
  }
}

function wishOf(account: Account, from: Jid, caps: string, notify: readonly string[]): void {
  const jid = from.toString();
  // One who asks for nothing is remembered, too, so as not to be asked again with every presence.
  note(account, jid, caps, notify.join("\n"));
  if (notify.length > 0) Personal.of(account).greet(from, notify);
}

/** A contact elsewhere may see the owner's events from now on. */
function welcome(account: Account, to: Jid): void {
  if (to.domain === account.jid.domain) return;
  const { sql, id } = account;
  const rows = sql<{ jid: string; notify: string | null }>`SELECT jid, notify FROM pubsub_interest WHERE owner = ${id}`;
  for (const { jid, notify } of rows) {
    const client = Jid.parse(jid);
    if (client.bare.equals(to.bare) && notify) Personal.of(account).greet(client, listed(notify));
  }
}

export const interests: Feature = {
  name: "interests",
  implements: [
    { id: "XEP-0115", version: "1.6", note: "of clients: verified and cached" },
    { id: "XEP-0390", version: "0.3.2", note: "of clients: verified and cached" },
  ],
  tables: [
    { name: "caps", steps: ["CREATE TABLE caps (hash TEXT PRIMARY KEY, notify TEXT NOT NULL) WITHOUT ROWID"] },
    {
      name: "pubsub_interest",
      steps: [
        `CREATE TABLE pubsub_interest (
           owner INTEGER NOT NULL, jid TEXT NOT NULL, caps TEXT NOT NULL, notify TEXT, PRIMARY KEY (owner, jid)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    account.hook("presence:outbound", announced),
    account.hook("presence:inbound", heard),
    account.hook("iq:answered", answered),
    account.hook("presence:show", welcome),
    account.hook("resource:unavailable", (account, { resource }) => {
      delete resource.state.caps;
      delete resource.state.notify;
      account.resources.touch(resource);
    }),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM pubsub_interest WHERE owner = ${id}`;
    }),
  ],
};
