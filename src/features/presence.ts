/** RFC 6121 §4: exchanging presence — https://www.rfc-editor.org/rfc/rfc6121#section-4 */
import { type Account, account, type Leave } from "../account/account.ts";
import { seen, sees } from "../account/contacts.ts";
import { lastSeen, noteLeave } from "../account/last-seen.ts";
import type { Resource } from "../account/resources.ts";
import type { Feature } from "../kernel/feature.ts";
import { delayElement } from "../protocol/delay.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { CLIENT } from "../protocol/ns.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";

/** Presence younger than this is news; shown later it says when it was sent. */
const NEWS_MS = 60_000;
/** Entities that one resource may send directed presence to. */
const MAX_DIRECTED = 500;

/** Presence without an address, from a client. */
function announce(account: Account, { resource, stanza }: { resource: Resource; stanza: Stanza }): void {
  const { state } = resource;
  const presence = stanza.with({ to: undefined, via: undefined });
  if (stanza.type === "unavailable") {
    if (state.presence) account.fire("resource:unavailable", { resource, stanza: presence });
    else sayGoodbye(account, resource, presence);
    account.deliver(resource, presence, { bare: true }); // §4.5.2
    return;
  }
  // A probe or an error for nobody in particular.
  if (stanza.type !== "") return;
  const initial = state.presence === undefined;
  const deaf = initial || state.priority < 0;
  state.priority = priorityOf(presence);
  state.presence = presence.pack();
  state.shown = account.now;
  account.resources.touch(resource);
  broadcast(account, presence);
  if (initial) {
    for (const other of account.resources.available) {
      const known = other === resource ? undefined : current(account, other);
      if (known) account.deliver(resource, known, { bare: true });
    }
    probe(account, resource);
    account.fire("resource:available", resource);
  }
  if (deaf && state.priority >= 0) account.fire("resource:receptive", resource);
}

/** §4.7.2.3; what is no such number counts as none. */
function priorityOf(presence: Stanza): number {
  const priority = Number(presence.child("priority", CLIENT)?.getText() ?? 0);
  return Number.isInteger(priority) && priority >= -128 && priority <= 127 ? priority : 0;
}

/** Those of the account's contacts that presence is exchanged with; other features may take some out. */
function audience(account: Account, wants: typeof seen): readonly Jid[] {
  const contacts: Jid[] = [];
  for (const contact of account.contacts) if (wants(contact)) contacts.push(contact.jid);
  const event = { contacts };
  account.fire("presence:audience", event);
  return event.contacts;
}

/** To everybody who is subscribed, and to the account's own resources (§4.2.2, §4.4.2, §4.5.2). */
function broadcast(account: Account, presence: Stanza): void {
  for (const to of audience(account, seen)) account.send(presence.with({ to }));
  for (const other of account.resources.available) account.deliver(other, presence, { bare: true });
}

/** A resource's last presence, for somebody who did not get it when it was sent. */
function current(account: Account, resource: Resource): Stanza | undefined {
  const presence = account.resources.presence(resource);
  const { shown = 0 } = resource.state;
  if (!presence || account.now - shown < NEWS_MS) return presence;
  return presence.plus(delayElement({ stamp: new Date(shown), from: resource.jid.toString() }));
}

function currents(account: Account): Stanza[] {
  return account.resources.available.flatMap((resource) => current(account, resource) ?? []);
}

/** §4.3.1: a new resource asks for the presence of everybody the account is subscribed to. */
function probe(account: Account, { jid }: Resource): void {
  const { domain } = account.jid;
  for (const to of audience(account, sees)) {
    // Between servers it comes from the bare address; here the answer need only reach the resource that is new.
    const from = to.domain === domain ? jid : account.jid;
    account.send(stanza("presence", { type: "probe", from, to }));
  }
}

/** A resource is no longer available, by its own word or because its stream ended. */
function depart(account: Account, { resource, stanza: said }: Leave): void {
  const { state } = resource;
  delete state.presence;
  delete state.shown;
  state.priority = 0;
  account.resources.touch(resource);
  const presence = said?.with({ to: undefined, via: undefined }) ?? unavailable(resource.jid);
  broadcast(account, presence);
  sayGoodbye(account, resource, presence);
  if (account.resources.available.length === 0)
    noteLeave(account, presence.child("status", CLIENT)?.getText().slice(0, 1024) ?? "");
}

const unavailable = (from: Jid) => stanza("presence", { type: "unavailable", from });

/** §4.6.3: whoever was sent directed presence is told too. */
function sayGoodbye(account: Account, resource: Resource, presence = unavailable(resource.jid)): void {
  const { directed } = resource.state;
  if (!directed) return;
  delete resource.state.directed;
  account.resources.touch(resource);
  for (const jid of directed) account.send(presence.with({ to: Jid.parse(jid) }));
}

/** Presence of a client for one entity. */
function direct(account: Account, { resource, stanza }: { resource: Resource; stanza: Stanza }): void {
  const { to, type } = stanza;
  if (!to) return;
  // §4.6.3: subscribers are told when the resource leaves anyway.
  if (type === "" && !account.trusts(to)) {
    const { directed = [] } = resource.state;
    const jid = to.toString();
    if (!directed.includes(jid)) {
      if (directed.length >= MAX_DIRECTED)
        throw stanzaError("resource-constraint", "Too many have been sent presence.");
      resource.state.directed = [...directed, jid];
      account.resources.touch(resource);
    }
  } else if (type === "unavailable") undirect(account, resource, to);
  account.send(stanza.with({ via: undefined }));
}

function undirect(account: Account, resource: Resource, to: Jid): void {
  const { directed } = resource.state;
  const rest = directed?.filter((jid) => jid !== to.toString());
  if (!directed || !rest || rest.length === directed.length) return;
  if (rest.length > 0) resource.state.directed = rest;
  else delete resource.state.directed;
  account.resources.touch(resource);
}

/** Presence about others (§8.5.2.1.2, §8.5.3.1, §8.5.3.2.2). */
function hear(account: Account, stanza: Stanza): void {
  const { to, from, type } = stanza;
  if (!to) return;
  if (type === "probe") {
    answerProbe(account, stanza, to);
    return;
  }
  if (to.full) {
    const resource = account.resources.get(to.resource);
    if (!resource) return;
    if (type === "unavailable") undirect(account, resource, from); // §4.6.1
    account.deliver(resource, stanza);
  } else if (type !== "error") {
    const presence = stanza.with({ to: undefined });
    for (const resource of account.resources.available) account.deliver(resource, presence, { bare: true });
  }
}

function answerProbe(account: Account, { from, id }: Stanza, to: Jid): void {
  const resource = account.resources.get(to.resource);
  const mere = (type: string, from: Jid) => stanza("presence", { type, id, from });
  let answers: Stanza[];
  if (account.trusts(from)) {
    if (to.full) answers = [mere(resource?.state.presence ? "" : "unavailable", to)];
    else answers = currents(account);
    if (answers.length === 0) {
      const { at } = lastSeen(account);
      const delay = at > 0 && delayElement({ stamp: new Date(at), from: account.jid.toString() });
      answers = [delay ? mere("unavailable", account.jid).plus(delay) : mere("unavailable", account.jid)];
    }
  } else if (resource && wasDirected(resource, from)) {
    answers = [mere("", to)]; // §4.6.6
  } else {
    answers = [mere("unsubscribed", account.jid)]; // §4.3.2
  }
  for (const answer of answers) account.send(answer.with({ to: from }));
}

function wasDirected({ state: { directed = [] } }: Resource, jid: Jid): boolean {
  const bare = jid.bare.toString();
  return directed.some((other) => other === bare || other.startsWith(`${bare}/`));
}

/** XEP-0166: whoever knows a client's full address may call it, as with other servers. */
const JINGLE = "urn:xmpp:jingle:1 jingle";

/** §8.5.3.1: no other request reaches a client that has not shown its presence to the sender. */
function guard(account: Account, { asks, about, from, to }: Stanza): void {
  if (!asks || !to?.full || about === JINGLE) return;
  const { domain, mucDomain, pubsubDomain } = account.settings;
  const own = from.domain === mucDomain || from.domain === pubsubDomain || (!from.local && from.domain === domain);
  const resource = account.resources.get(to.resource);
  if (!own && !account.trusts(from) && !(resource && wasDirected(resource, from)))
    throw stanzaError("service-unavailable");
}

export const presence: Feature = {
  name: "presence",
  implements: [{ id: "RFC 6121", note: "§4, §8.5 for presence" }],
  handles: [
    account.hook("presence:outbound", announce),
    account.hook("presence:directed", direct),
    account.hook("presence:inbound", hear),
    account.hook("resource:unavailable", depart),
    account.hook("resource:gone", (account, resource) => sayGoodbye(account, resource)),
    account.hook("iq:inbound", guard),
    account.hook("presence:show", (account, to) => {
      for (const presence of currents(account)) account.send(presence.with({ to }));
    }),
    account.hook("presence:hide", (account, to) => {
      for (const { jid } of account.resources.available) account.send(unavailable(jid).with({ to }));
    }),
  ],
};
