/** RFC 6121 §2: managing the roster — https://www.rfc-editor.org/rfc/rfc6121#section-2; XEP-0237: Roster Versioning, v1.3 */
import { type Account, account, contact } from "../account/account.ts";
import type { Contact } from "../account/contacts.ts";
import type { Resource } from "../account/resources.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { ROSTER } from "../protocol/ns.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";

const NS_VER = "urn:xmpp:features:rosterver";
const NS_PREAPPROVAL = "urn:xmpp:features:pre-approval";
const MAX_TEXT = 1023;
const MAX_GROUPS = 50;
/** Removed items that are remembered, so that a client which was away can be told. */
const MAX_REMOVED = 200;

/** The account's id keeps versions of an earlier account of the same name apart. */
const versionOf = ({ id }: Account, version: number) => `${id}-${version}`;

function itemElement({ jid, name, groups, subscription, ask, approved, listed }: Contact): Element {
  return xml(
    "item",
    {
      jid: jid.toString(),
      name: name || undefined,
      subscription: listed ? subscription : "remove",
      ask: listed && ask ? "subscribe" : undefined,
      approved: listed && approved ? "true" : undefined,
    },
    ...(listed ? groups.map((group) => xml("group", {}, group)) : []),
  );
}

function pushTo(account: Account, resource: Resource, item: Contact): void {
  const payload = xml("query", { xmlns: ROSTER, ver: versionOf(account, item.version) }, itemElement(item));
  account.pushTo(resource, payload, "roster");
}

function get(account: Account, iq: Stanza): Element | undefined {
  const { contacts, resources } = account;
  const resource = resources.get(iq.from.resource);
  if (resource && !resource.state.roster) {
    resource.state.roster = true;
    resources.touch(resource);
  }
  const { listed } = contacts;
  const known = knownVersion(account, iq.payload.attrs.ver ?? "");
  if (resource && known !== undefined) {
    const changed = [...contacts].filter(({ version }) => version > known);
    // §2.6.3: only the changes, where they are fewer than all there is.
    if (changed.length === 0 || changed.length < listed.length) {
      changed.sort((a, b) => a.version - b.version);
      account.after(() => {
        for (const item of changed) pushTo(account, resource, item);
      });
      return undefined;
    }
  }
  return xml("query", { xmlns: ROSTER, ver: versionOf(account, contacts.version) }, ...listed.map(itemElement));
}

/** The version a client has, if all that was changed since is still known. */
function knownVersion(account: Account, ver: string): number | undefined {
  const [id, version] = ver.split("-").map(Number);
  if (id !== account.id || version === undefined || !Number.isSafeInteger(version)) return undefined;
  const floor = account.sql<{ floor: number }>`SELECT floor FROM roster WHERE owner = ${account.id}`[0]?.floor ?? 0;
  return version >= floor && version <= account.contacts.version ? version : undefined;
}

function set(account: Account, iq: Stanza): undefined {
  const [item, second] = iq.payload.getChildElements();
  if (!item?.is("item", ROSTER) || second) throw stanzaError("bad-request", "A roster set has exactly one item.");
  const jid = Jid.tryParse(item.attrs.jid ?? "")?.bare;
  if (!jid) throw stanzaError("jid-malformed", "The item's jid is no address.");
  if (jid.equals(account.jid)) throw stanzaError("not-allowed", "An account is not in its own roster.");
  if (item.attrs.subscription === "remove") remove(account, jid);
  else update(account, jid, item);
}

function update(account: Account, jid: Jid, element: Element): void {
  const { contacts } = account;
  const name = element.attrs.name ?? "";
  const groups = element.getChildren("group", ROSTER).map((group) => group.getText());
  if (utf8Length(name) > MAX_TEXT) throw stanzaError("not-acceptable", "The name is longer than 1023 bytes.");
  if (groups.length > MAX_GROUPS) throw stanzaError("not-acceptable", "An item is in at most 50 groups.");
  if (groups.some((group) => group === "" || utf8Length(group) > MAX_TEXT))
    throw stanzaError("not-acceptable", "A group's name has 1 to 1023 bytes.");
  if (new Set(groups).size < groups.length) throw stanzaError("bad-request", "A group is named twice.");
  const item = contacts.obtain(jid);
  if (!item.listed) contacts.checkRoom(account.settings);
  Object.assign(item, { name, groups, listed: true });
  contacts.put(item, true);
  account.fire("roster:changed", item);
}

/** §2.5.2: with the item goes every subscription, either way. */
function remove(account: Account, jid: Jid): void {
  const item = account.contacts.get(jid);
  if (!item?.listed) throw stanzaError("item-not-found", "There is no such item in the roster.");
  const { subscription, ask, request } = item;
  Object.assign(item, { listed: false, name: "", groups: [], approved: false });
  account.contacts.put(item, true);
  account.fire("roster:changed", item);
  const step = (type: "unsubscribe" | "unsubscribed") =>
    account.fire("subscription:outbound", stanza("presence", { type, from: account.jid, to: jid }));
  if (subscription === "to" || subscription === "both" || ask) step("unsubscribe");
  if (subscription === "from" || subscription === "both" || request !== undefined) step("unsubscribed");
  forgetRemoved(account);
}

/** Keeps few removed items: a client that is behind the others gets the whole roster. */
function forgetRemoved(account: Account): void {
  const removed = [...account.contacts].filter(({ listed, request }) => !listed && request === undefined);
  if (removed.length <= MAX_REMOVED) return;
  removed.sort((a, b) => a.version - b.version);
  const gone = removed.slice(0, MAX_REMOVED / 2);
  for (const item of gone) account.contacts.drop(item);
  account.sql`INSERT OR REPLACE INTO roster VALUES (${account.id}, ${gone.at(-1)?.version ?? 0})`;
}

/** Others may not even learn that there is a roster, unless they know the account already. */
function refuse(account: Account, { from }: Stanza): never {
  account.admit(from);
  throw stanzaError("forbidden");
}

export const roster: Feature = {
  name: "roster",
  implements: [
    { id: "RFC 6121", note: "§2" },
    { id: "XEP-0237", version: "1.3" },
  ],
  offers: (phase, guest) =>
    phase === "session" && !guest ? [xml("ver", { xmlns: NS_VER }), xml("sub", { xmlns: NS_PREAPPROVAL })] : [],
  tables: [
    {
      name: "roster",
      steps: ["CREATE TABLE roster (owner INTEGER PRIMARY KEY, floor INTEGER NOT NULL)"],
    },
  ],
  handles: [
    account.iq("get", ROSTER, "query", get),
    account.iq("set", ROSTER, "query", set),
    contact.iq("get", ROSTER, "query", refuse),
    contact.iq("set", ROSTER, "query", refuse),
    account.hook("roster:changed", (account, item) => {
      for (const resource of account.resources) if (resource.state.roster) pushTo(account, resource, item);
    }),
    account.hook("account:removed", (account) => {
      for (const { jid } of account.contacts.listed) remove(account, jid);
      account.contacts.clear();
      account.sql`DELETE FROM roster WHERE owner = ${account.id}`;
    }),
  ],
};
