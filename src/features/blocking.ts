/** XEP-0191: Blocking Command, v1.3 — https://xmpp.org/extensions/xep-0191.html. Blocking is polite: subscriptions stay (§4). */
import { type Account, account } from "../account/account.ts";
import { seen, sees } from "../account/contacts.ts";
import type { Feature } from "../kernel/feature.ts";
import { type StanzaError, stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";

const NS = "urn:xmpp:blocking";
const NS_ERRORS = "urn:xmpp:blocking:errors";
const MAX_BLOCKED = 1000;

class Blocklist {
  readonly items: Set<string>;

  constructor({ sql, id }: Account) {
    this.items = new Set(sql<{ jid: string }>`SELECT jid FROM blocked WHERE owner = ${id}`.map(({ jid }) => jid));
  }

  /** §5: the address itself, its account, its whole domain. */
  has(jid: Jid): boolean {
    const { items } = this;
    if (items.size === 0) return false;
    return items.has(jid.bare.toString()) || items.has(jid.domain) || (jid.full && items.has(jid.toString()));
  }
}

const blocklist = (account: Account) => account.memo(Blocklist, () => new Blocklist(account));

/** §4: whatever the list says, an account's own resources are not blocked. */
function blocked(account: Account, jid: Jid | undefined): boolean {
  return jid !== undefined && blocklist(account).has(jid) && !jid.bare.equals(account.jid);
}

/** §3.3: what a client hears that writes to somebody it has blocked. */
const refusal = (): StanzaError =>
  stanzaError("not-acceptable", "You have blocked this address.", xml("blocked", { xmlns: NS_ERRORS }));

const itemsOf = (jids: Iterable<string>): Element[] => [...jids].map((jid) => xml("item", { jid }));

function list(account: Account, iq: Stanza): Element {
  const resource = account.resources.get(iq.from.resource);
  if (resource && !resource.state.blocklist) {
    resource.state.blocklist = true;
    account.resources.touch(resource);
  }
  return xml("blocklist", { xmlns: NS }, ...itemsOf(blocklist(account).items));
}

function readItems(iq: Stanza): Jid[] {
  return iq.payload.getChildren("item", NS).map((item) => {
    const jid = Jid.tryParse(item.attrs.jid ?? "");
    if (!jid) throw stanzaError("jid-malformed", "An item's jid is no address.");
    return jid;
  });
}

function block(account: Account, iq: Stanza): undefined {
  const jids = readItems(iq);
  if (jids.length === 0) throw stanzaError("bad-request", "There is nobody to block in this."); // §3.3
  const { items } = blocklist(account);
  const added = jids.filter((jid) => !items.has(jid.toString()));
  if (account.settings.limits && items.size + added.length > MAX_BLOCKED)
    throw stanzaError("resource-constraint", `A block list has at most ${MAX_BLOCKED} items.`);
  const shown = watchers(account, jids).filter((jid) => !blocked(account, jid));
  for (const jid of added) {
    items.add(jid.toString());
    account.sql`INSERT OR IGNORE INTO blocked VALUES (${account.id}, ${jid.toString()})`;
  }
  for (const jid of shown) if (blocked(account, jid)) account.fire("presence:hide", jid);
  push(account, "block", jids);
}

function unblock(account: Account, iq: Stanza): undefined {
  const jids = readItems(iq);
  const { items } = blocklist(account);
  const hidden = [...watchers(account, jids)].filter((jid) => blocked(account, jid));
  const unseen = [...account.contacts].filter((contact) => sees(contact) && blocked(account, contact.jid));
  for (const jid of jids.length > 0 ? jids.map(String) : [...items]) {
    items.delete(jid);
    account.sql`DELETE FROM blocked WHERE owner = ${account.id} AND jid = ${jid}`;
  }
  for (const jid of hidden) if (!blocked(account, jid)) account.fire("presence:show", jid);
  // What they sent meanwhile was lost: ask again.
  for (const { jid } of unseen)
    if (!blocked(account, jid)) account.send(stanza("presence", { type: "probe", from: account.jid, to: jid }));
  push(account, "unblock", jids);
}

/** Who of those that a change may concern gets the account's presence, or got it directly. */
function watchers(account: Account, jids: readonly Jid[]): Jid[] {
  const found = [...account.contacts].filter(seen).map(({ jid }) => jid);
  const full = jids.filter((jid) => jid.full && seen(account.contacts.get(jid)));
  const directed = [...account.resources].flatMap(({ state }) => state.directed ?? []).map((jid) => Jid.parse(jid));
  return [...new Set([...found, ...full, ...directed])];
}

function push(account: Account, name: "block" | "unblock", jids: readonly Jid[]): void {
  const payload = xml(name, { xmlns: NS }, ...itemsOf(jids.map(String)));
  account.push(({ state }) => state.blocklist === true, payload, name);
}

function refuseOutbound(account: Account, { to, asks, kind }: Stanza): "handled" | undefined {
  if (!blocked(account, to)) return undefined;
  if (kind === "iq" && !asks) return "handled";
  throw refusal();
}

/** §3.3: the blocked see what they would see if nobody were there. */
function refuseInbound(account: Account, { from, kind, asks }: Stanza): "handled" | undefined {
  if (!blocked(account, from)) return undefined;
  if (kind === "presence" || (kind === "iq" && !asks)) return "handled";
  throw stanzaError("service-unavailable");
}

export const blocking: Feature = {
  name: "blocking",
  implements: [{ id: "XEP-0191", version: "1.3" }],
  advertises: { host: [NS], account: [NS] },
  tables: [
    {
      name: "blocked",
      steps: [
        "CREATE TABLE blocked (owner INTEGER NOT NULL, jid TEXT NOT NULL, PRIMARY KEY (owner, jid)) WITHOUT ROWID",
      ],
    },
  ],
  handles: [
    account.iq("get", NS, "blocklist", list),
    account.iq("set", NS, "block", block),
    account.iq("set", NS, "unblock", unblock),
    account.hook("message:outbound", (account, { stanza }) => refuseOutbound(account, stanza)),
    account.hook("presence:directed", (account, { stanza }) => refuseOutbound(account, stanza)),
    // What the server sends on its own (a roster item was removed) has come by no stream, and goes.
    account.hook("subscription:outbound", (account, stanza) =>
      stanza.via ? refuseOutbound(account, stanza) : undefined,
    ),
    account.hook("iq:outbound", refuseOutbound),
    account.hook("message:inbound", (account, { stanza }) => refuseInbound(account, stanza)),
    account.hook("event:inbound", (account, { stanza }) => refuseInbound(account, stanza)),
    account.hook("presence:inbound", refuseInbound),
    account.hook("subscription:inbound", refuseInbound),
    account.hook("iq:inbound", refuseInbound),
    account.hook("presence:audience", (account, event) => {
      if (blocklist(account).items.size === 0) return;
      event.contacts = event.contacts.filter((jid) => !blocked(account, jid));
    }),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM blocked WHERE owner = ${id}`;
    }),
  ],
};
