/** XEP-0060 §4.1, §4.5: who may do what at a node — https://xmpp.org/extensions/xep-0060.html#accessmodels */
import { StanzaError, stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { pubsubError } from "./errors.ts";
import type { Affiliation, Node, Subscription } from "./nodes.ts";
import { ended } from "./options.ts";
import type { Service } from "./service.ts";

export function affiliationOf(service: Service, node: Node, jid: Jid): Affiliation {
  return service.inherent(jid) ?? node.affiliations.get(jid.bare.toString()) ?? "none";
}

export const isOwner = (service: Service, node: Node, jid: Jid): boolean =>
  affiliationOf(service, node, jid) === "owner";

/** Refuses everybody but owners. */
export function admitOwner(service: Service, node: Node, jid: Jid): void {
  if (!isOwner(service, node, jid)) throw stanzaError("forbidden", "Only owners of the node may do this.");
}

/** The subscriptions of an entity, under its bare JID or any full one. */
export function subscriptionsOf(service: Service, node: Node, jid: Jid): Subscription[] {
  const bare = jid.bare.toString();
  const found: Subscription[] = [];
  for (const subscription of node.subscriptions.values()) {
    const { jid: subscribed } = subscription;
    if (subscribed !== bare && !subscribed.startsWith(`${bare}/`)) continue;
    if (ended(subscription, service.now)) node.unsubscribe(subscribed);
    else found.push(subscription);
  }
  return found;
}

export function isSubscribed(service: Service, node: Node, jid: Jid): boolean {
  return subscriptionsOf(service, node, jid).some(({ state }) => state === "subscribed");
}

/** Refuses who may not see the node at all; "ask" where an owner has to approve first. */
export function admit(service: Service, node: Node, jid: Jid): "ask" | undefined {
  const affiliation = affiliationOf(service, node, jid);
  if (affiliation === "outcast" || affiliation === "publish-only") throw stanzaError("forbidden");
  if (affiliation !== "none") return undefined;
  const { access, groups } = node.config;
  switch (access) {
    case "open":
      return undefined;
    case "presence":
      if (!service.relation(node, jid).sees) throw pubsubError("presence-subscription-required");
      return undefined;
    case "roster":
      if (!service.relation(node, jid).groups.some((group) => groups.includes(group)))
        throw pubsubError("not-in-roster-group");
      return undefined;
    case "authorize":
      return "ask";
    case "whitelist":
      throw pubsubError("closed-node");
  }
}

/** §6.5.1: whether an entity may retrieve items, by the error that says why not. */
export function admitReader(service: Service, node: Node, jid: Jid): void {
  // An unsubscribed entity is told so where nothing but a subscription is missing (§6.5.9.3).
  if (admit(service, node, jid) === "ask" && !isSubscribed(service, node, jid))
    throw pubsubError("not-subscribed", undefined, { general: "not-authorized" });
}

export function mayRead(service: Service, node: Node, jid: Jid): boolean {
  try {
    admitReader(service, node, jid);
    return true;
  } catch (error) {
    if (error instanceof StanzaError) return false;
    throw error;
  }
}

/** §7.1.3.1. */
export function admitPublisher(service: Service, node: Node, jid: Jid): void {
  const affiliation = affiliationOf(service, node, jid);
  if (affiliation === "owner" || affiliation === "publisher" || affiliation === "publish-only") return;
  const { publishers } = node.config;
  const open = publishers === "open" || (publishers === "subscribers" && isSubscribed(service, node, jid));
  if (!open || affiliation === "outcast") throw stanzaError("forbidden", "You may not publish here.");
}
