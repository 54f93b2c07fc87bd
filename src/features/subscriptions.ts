/** RFC 6121 §3: managing presence subscriptions — https://www.rfc-editor.org/rfc/rfc6121#section-3. The tables of §A are account/subscription.ts. */
import { type Account, account } from "../account/account.ts";
import { seen } from "../account/contacts.ts";
import type { Resource } from "../account/resources.ts";
import * as subscription from "../account/subscription.ts";
import { enter, type Step, stateOf } from "../account/subscription.ts";
import type { Feature } from "../kernel/feature.ts";
import type { Jid } from "../protocol/jid.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";

/** §3.1.3's warning: requests of strangers that wait for an answer, and how much of each is kept. */
const MAX_REQUESTS = 500;
const MAX_REQUEST_LENGTH = 4096;

/** The account's own step, from one of its clients or on its behalf; `from` is bare already (§3.1.2). */
function outbound(account: Account, stanza: Stanza): void {
  const { contacts } = account;
  const { to } = stanza;
  // An entity is subscribed to its own presence anyway (§4.2.2).
  if (!to || to.equals(account.jid)) return;
  const contact = contacts.obtain(to);
  const state = stateOf(contact);
  const step = stanza.type as Step;
  const move = subscription.outbound(state, step, contact.approved);
  const changed = move.next !== state || move.approved !== contact.approved;
  const joins = !contact.listed && changed && (step === "subscribe" || step === "subscribed");
  if (joins) contacts.checkRoom(account.settings);
  // §3.2.2: unavailable comes while the contact is still subscribed.
  if (step === "unsubscribed" && seen(contact)) account.fire("presence:hide", to);
  if (move.pass) account.send(stanza.with({ via: undefined }));
  if (changed) {
    enter(contact, move.next);
    contact.approved = move.approved;
    contact.listed ||= joins;
    contacts.put(contact, contact.listed);
    if (contact.listed) account.fire("roster:changed", contact);
  }
  if (step === "subscribed" && move.pass) account.fire("presence:show", to);
}

/** A step of somebody else. */
function inbound(account: Account, stanza: Stanza): void {
  const { contacts } = account;
  const { from } = stanza;
  if (from.equals(account.jid)) return;
  const contact = contacts.obtain(from);
  const state = stateOf(contact);
  const step = stanza.type as Step;
  const move = subscription.inbound(state, step, contact.approved);
  const shown = seen(contact);
  if (move.next !== state) {
    const asks = move.pass && step === "subscribe";
    if (asks && account.settings.limits && pending(account).length >= MAX_REQUESTS) return;
    const { subscription, ask, approved } = contact;
    enter(contact, move.next, stanza.inner.length > MAX_REQUEST_LENGTH ? "" : stanza.inner);
    contact.approved = move.approved;
    if (move.pass) show(account, stanza);
    // A mere request is nothing that clients see in the roster.
    const visible =
      contact.listed && (contact.subscription !== subscription || contact.ask !== ask || contact.approved !== approved);
    contacts.put(contact, visible);
    if (visible) account.fire("roster:changed", contact);
  }
  if (move.reply) approve(account, from);
  if (shown !== seen(contact)) account.fire(shown ? "presence:hide" : "presence:show", from);
}

/** §3.1.3: requests go to available resources; §3.1.6, §3.2.3, §3.3.3: what follows from them to those with the roster. */
function show(account: Account, stanza: Stanza): void {
  const presence = stanza.with({ to: undefined, via: undefined });
  for (const resource of account.resources) {
    const wants = stanza.type === "subscribe" ? resource.state.presence : resource.state.roster;
    if (wants) account.deliver(resource, presence, { bare: true });
  }
}

function approve(account: Account, to: Jid): void {
  account.send(stanza("presence", { type: "subscribed", from: account.jid, to }));
}

const pending = ({ contacts }: Account) => [...contacts].filter(({ request }) => request !== undefined);

/** A resource that comes on line is asked what nobody has answered yet. */
function remind(account: Account, resource: Resource): void {
  for (const { jid, request = "" } of pending(account)) {
    const asking = stanza("presence", { type: "subscribe", from: jid }).with({ inner: request });
    account.deliver(resource, asking, { bare: true });
  }
  // §3.1.2: and what others have not answered is asked again, once per session of the account.
  if (account.resources.available.length > 1) return;
  for (const { jid, ask } of account.contacts) {
    if (ask) account.send(stanza("presence", { type: "subscribe", from: account.jid, to: jid }));
  }
}

export const subscriptions: Feature = {
  name: "subscriptions",
  implements: [{ id: "RFC 6121", note: "§3 and §A, with pre-approval" }],
  handles: [
    account.hook("subscription:outbound", outbound),
    account.hook("subscription:inbound", inbound),
    account.hook("resource:available", remind),
  ],
};
