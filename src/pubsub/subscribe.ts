/** XEP-0060 §6.1 to §6.4, §8.6: subscribing — https://xmpp.org/extensions/xep-0060.html#subscriber. One subscription for each JID. */
import { randomName } from "../protocol/base32.ts";
import { StanzaError, stanzaError } from "../protocol/errors.ts";
import { booleanField, jidField, textField } from "../protocol/form-fields.ts";
import { formElement, readForm, readSubmission } from "../protocol/forms.ts";
import { Jid } from "../protocol/jid.ts";
import { PUBSUB } from "../protocol/ns.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { admit, admitOwner, isOwner, subscriptionsOf } from "./access.ts";
import { pubsubError, unsupported } from "./errors.ts";
import { lastItem, tellOfSubscriber, tellOwners, tellSubscriber } from "./events.ts";
import { nodeOf } from "./names.ts";
import type { Node, Subscription } from "./nodes.ts";
import { isTemporary, type Options, optionsForm, readOptions, settled } from "./options.ts";
import { checkSubid } from "./retrieve.ts";
import type { Service } from "./service.ts";

/** Subscriptions of one account at one node. */
const MOST_SUBSCRIPTIONS = 20;
/** Subscriptions of a node that a person's account keeps. */
const MOST_SUBSCRIBERS = 1000;

export function subscribe(service: Service, iq: Stanza, request: Element): Element {
  const { from } = iq;
  const jid = Jid.tryParse(request.attrs.jid ?? "");
  // §6.1.3.1
  if (!jid?.bare.equals(from.bare)) throw pubsubError("invalid-jid", "You can subscribe no one but yourself.");
  if (from.domain === service.settings.guestDomain)
    throw stanzaError("forbidden", undefined, undefined, { type: "cancel" });
  const given = iq.payload.getChild("options", PUBSUB);
  if (given && (given.attrs.node !== undefined || given.attrs.jid !== undefined))
    throw stanzaError("bad-request", "Options of a new subscription name no node and no JID."); // §6.3.7
  const node = nodeOf(service, from, request);
  const options = given && choose(service, jid, given);
  // §12.5: what ends with somebody's presence begins only where that is known.
  if (node.config.temporary && !service.sees(jid)) throw pubsubError("presence-subscription-required");
  const own = subscriptionsOf(service, node, from);
  let subscription = own.find((other) => other.jid === jid.toString());
  if (subscription?.state === "pending") throw pubsubError("pending-subscription");
  const asks = admit(service, node, from) === "ask";
  if (!node.config.subscribe) throw unsupported("subscribe", "The node takes no subscriptions.");
  if (!subscription) {
    checkRoom(service, node, own);
    subscription = {
      jid: jid.toString(),
      subid: randomName(),
      state: asks ? "pending" : "subscribed",
      options: settled(options ?? {}, node.config),
    };
    keep(service, node, subscription);
    const added = subscription;
    service.changed({ node, member: subscription.jid });
    service.after(() => (asks ? askOwners(service, node, added) : welcome(service, node, added)));
  } else if (options) {
    // §6.1.6: the state that there is, as if it were new.
    subscription = { ...subscription, options: settled({ ...subscription.options, ...options }, node.config) };
    keep(service, node, subscription);
  }
  return xml(
    "pubsub",
    { xmlns: PUBSUB },
    xml(
      "subscription",
      { node: node.name, jid: subscription.jid, subid: subscription.subid, subscription: subscription.state },
      xml("subscribe-options"),
    ),
    options && xml("options", {}, optionsForm(subscription.options, "result")),
  );
}

/** Stores a subscription, and sees to it that a temporary one ends. */
function keep(service: Service, node: Node, subscription: Subscription): void {
  node.subscribe(subscription);
  if (isTemporary(subscription.options)) service.watch(node, [subscription.jid]);
}

function checkRoom(service: Service, node: Node, own: readonly Subscription[]): void {
  const full = service.personal && node.subscriptions.size >= MOST_SUBSCRIBERS;
  if (service.settings.limits && (own.length >= MOST_SUBSCRIPTIONS || full))
    throw pubsubError("too-many-subscriptions", undefined, { type: "wait" });
}

/** What follows from a subscription that takes effect. */
function welcome(service: Service, node: Node, subscription: Subscription): void {
  tellOfSubscriber(service, node, subscription, "subscribed");
  const last = node.config.sendLast === "never" ? undefined : lastItem(service, node);
  if (last) service.cast(last, [subscription.jid]);
}

/** The subscription that a request names by its JID, of an entity that may say so. */
function named(service: Service, iq: Stanza, node: Node, request: Element, type: "cancel" | "modify"): Subscription {
  if (!request.attrs.jid) throw pubsubError("jid-required");
  const jid = Jid.tryParse(request.attrs.jid);
  if (!jid?.bare.equals(iq.from.bare)) throw stanzaError("forbidden", "This is somebody else's subscription.");
  const own = subscriptionsOf(service, node, iq.from).filter((subscription) => subscription.jid === jid.toString());
  const [subscription] = own;
  if (!subscription) throw pubsubError("not-subscribed", undefined, { type });
  checkSubid(own, request.attrs.subid);
  return subscription;
}

/** §6.2. */
export function unsubscribe(service: Service, iq: Stanza, request: Element): Element {
  const node = nodeOf(service, iq.from, request);
  const subscription = named(service, iq, node, request, "cancel");
  node.unsubscribe(subscription.jid);
  service.changed({ node, member: subscription.jid });
  if (subscription.state === "subscribed") service.after(() => tellOfSubscriber(service, node, subscription, "none"));
  const { jid, subid } = subscription;
  return xml("pubsub", { xmlns: PUBSUB }, xml("subscription", { node: node.name, jid, subid, subscription: "none" }));
}

/** §6.3.2. */
export function getOptions(service: Service, iq: Stanza, request: Element): Element {
  const node = nodeOf(service, iq.from, request);
  const { jid, subid, options } = named(service, iq, node, request, "modify");
  return xml("pubsub", { xmlns: PUBSUB }, xml("options", { node: node.name, jid, subid }, optionsForm(options)));
}

/** §6.3.5. */
export function setOptions(service: Service, iq: Stanza, request: Element): undefined {
  const node = nodeOf(service, iq.from, request);
  const subscription = named(service, iq, node, request, "modify");
  const options = choose(service, iq.from, request);
  if (!options) return;
  keep(service, node, { ...subscription, options: settled({ ...subscription.options, ...options }, node.config) });
}

/** Presence is known of our own accounts alone. */
function choose({ personal, settings }: Service, jid: Jid, form: Element): Partial<Options> | undefined {
  const options = readOptions(form);
  const unknown = jid.domain !== settings.domain;
  if (unknown && options?.shows?.length) throw pubsubError("invalid-options", "Your presence is not known here.");
  if (options && isTemporary(options) && (personal || unknown))
    throw pubsubError("invalid-options", "No subscription here ends with your presence.");
  return options;
}

/** §6.4. */
export function defaultOptions(service: Service, iq: Stanza, request: Element): Element {
  if (request.attrs.node) nodeOf(service, iq.from, request);
  return xml("pubsub", { xmlns: PUBSUB }, xml("default", { node: request.attrs.node }, optionsForm({}, "result")));
}

export const AUTHORIZATION = `${PUBSUB}#subscribe_authorization`;

const APPROVAL = {
  subid: textField("pubsub#subid", "Subscription", "", { type: "hidden" }),
  node: textField("pubsub#node", "Node"),
  jid: jidField("pubsub#subscriber_jid", "Subscriber"),
  allow: booleanField("pubsub#allow", "Allow this address to subscribe to this node?", false),
};

function approvalRequest(service: Service, node: Node, { jid, subid }: Subscription): Stanza {
  const title = "Request for a subscription";
  const form = formElement(AUTHORIZATION, APPROVAL, { subid, node: node.name, jid, allow: false }, { title });
  const body = xml("body", {}, `${jid} asks to subscribe to the node ${node.name}.`);
  return stanza("message", { id: randomName(), from: service.jid }, body, form);
}

/** §8.6: every owner is asked; the first answer counts. */
function askOwners(service: Service, node: Node, subscription: Subscription): void {
  tellOwners(service, node, approvalRequest(service, node, subscription));
}

/** An owner's answer. @returns whether the message was one */
export function judge(service: Service, message: Stanza): boolean {
  if (!message.inner.includes(AUTHORIZATION)) return false;
  const form = message.children.map((child) => readForm(child, AUTHORIZATION)).find((one) => one !== undefined);
  if (form?.type === "cancel") return true; // the request stays pending
  if (form?.type !== "submit") return false;
  const { jid = "", allow, ...given } = readSubmission(form, AUTHORIZATION, APPROVAL);
  const node = service.nodes.get(given.node ?? "");
  if (!node) throw stanzaError("item-not-found", "There is no such node.");
  admitOwner(service, node, message.from);
  const subscription = node.subscriptions.get(jid);
  if (!subscription) throw pubsubError("not-subscribed");
  if (given.subid && given.subid !== subscription.subid) throw pubsubError("invalid-subid");
  decide(service, node, subscription, allow === true);
  return true;
}

/** Approves or denies a request. */
export function decide(service: Service, node: Node, subscription: Subscription, allow: boolean): void {
  if (allow && subscription.state === "subscribed") return;
  if (allow) {
    const approved: Subscription = { ...subscription, state: "subscribed" };
    keep(service, node, approved);
    tellSubscriber(service, node, approved, "subscribed");
    welcome(service, node, approved);
  } else cancel(service, node, subscription);
  service.changed({ node, member: subscription.jid });
}

/** Ends a subscription that its subscriber did not end, and says so (§12.13). */
export function cancel(service: Service, node: Node, subscription: Subscription): void {
  node.unsubscribe(subscription.jid);
  tellSubscriber(service, node, subscription, "none");
  if (subscription.state === "subscribed") tellOfSubscriber(service, node, subscription, "none");
  service.changed({ node, member: subscription.jid });
}

/** XEP-0163 §5: subscriptions whose holders may no longer see the node end. */
export function recheck(service: Service, node: Node, concerns: (jid: Jid) => boolean = () => true): void {
  for (const subscription of [...node.subscriptions.values()]) {
    const jid = Jid.parse(subscription.jid);
    if (!concerns(jid)) continue;
    try {
      admit(service, node, jid);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      cancel(service, node, subscription);
    }
  }
}

/** The requests that wait for an owner, shown to it again (§8.7). */
export function pendingRequests(service: Service, node: Node, owner: Jid): Stanza[] {
  if (!isOwner(service, node, owner)) return [];
  const pending = [...node.subscriptions.values()].filter(({ state }) => state === "pending");
  return pending.map((subscription) => approvalRequest(service, node, subscription).with({ to: owner }));
}
