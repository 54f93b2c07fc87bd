/** XEP-0060 §5.3 to §5.5: what disco says of a node — https://xmpp.org/extensions/xep-0060.html#entity-info */
import type { Jid } from "../protocol/jid.ts";
import { PUBSUB } from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import { affiliationOf, mayRead } from "./access.ts";
import { metadata } from "./config.ts";
import { sweep } from "./events.ts";
import type { Node } from "./nodes.ts";
import type { Service } from "./service.ts";

/** What both kinds of service do, in the words of §10 after "#". Nothing is here that does not work. */
const BOTH = [
  "config-node",
  "create-and-configure",
  "create-nodes",
  "delete-items",
  "delete-nodes",
  "instant-nodes",
  "item-ids",
  "leased-subscription",
  "manage-subscriptions",
  "member-affiliation",
  "meta-data",
  "modify-affiliations",
  "multi-items",
  "outcast-affiliation",
  "persistent-items",
  "presence-notifications",
  "publish",
  "publish-node-full",
  "publish-only-affiliation",
  "publish-options",
  "publisher-affiliation",
  "purge-nodes",
  "retract-items",
  "retrieve-affiliations",
  "retrieve-default",
  "retrieve-default-sub",
  "retrieve-items",
  "retrieve-subscriptions",
  "rsm",
  "subscribe",
  "subscription-notifications",
  "subscription-options",
  // In common use, though no registry has them: max_items and item_expire may be "max".
  "config-node-max",
  "item-expire-max",
] as const;

const named = (names: readonly string[]) => [PUBSUB, ...names.map((name) => `${PUBSUB}#${name}`)];

/** An account (XEP-0163 §6): besides, everything that presence makes possible. */
export const PERSONAL_FEATURES: readonly string[] = named([
  ...BOTH,
  "access-presence",
  "auto-create",
  "auto-subscribe",
  "filtered-notifications",
  "last-published",
  "presence-subscribe",
  "pubsub-on-a-jid",
]);

export const PUBLIC_FEATURES: readonly string[] = named([...BOTH, "access-open"]);

/** What disco#info of a node lists. */
export function nodeInfo(service: Service, node: Node): Element[] {
  const jids = (affiliation: string) =>
    [...node.affiliations].flatMap(([jid, other]) => (other === affiliation ? [jid] : []));
  const active = [...node.subscriptions.values()].filter(({ state }) => state === "subscribed");
  return [
    xml("identity", { category: "pubsub", type: "leaf", name: node.config.title || undefined }),
    xml("feature", { var: PUBSUB }),
    metadata(node.config, {
      "pubsub#creator": [node.creator],
      "pubsub#creation_date": [new Date(node.created).toISOString()],
      "pubsub#owner": service.personal ? [service.jid.toString()] : jids("owner"),
      "pubsub#publisher": jids("publisher"),
      "pubsub#num_subscribers": [String(active.length)],
    }),
  ];
}

/** disco#items of a node: its items, to those who may read them. */
export function nodeItems(service: Service, node: Node): Element[] {
  sweep(service, node);
  return node.items.entries.map(({ id }) => xml("item", { jid: service.jid.toString(), name: id }));
}

/** disco#items of the service: the nodes that the asker may read or subscribe to (XEP-0163 §6). */
export function listNodes(service: Service, asker: Jid): Element[] {
  const shown = [...service.nodes].filter((node) => listed(service, node, asker));
  return shown.map(({ name, config }) =>
    xml("item", { jid: service.jid.toString(), node: name, name: config.title || undefined }),
  );
}

/** Whether somebody may know that there is a node. */
export function listed(service: Service, node: Node, asker: Jid): boolean {
  if (mayRead(service, node, asker)) return true;
  return node.config.access === "authorize" && affiliationOf(service, node, asker) === "none";
}
