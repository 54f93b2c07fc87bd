/** XEP-0060 §12.5, §16.4.4: what ends with somebody's presence — https://xmpp.org/extensions/xep-0060.html#impl-tempsub */
import type { Node } from "./nodes.ts";
import { isTemporary } from "./options.ts";
import { removeItems } from "./publish.ts";
import type { Service } from "./service.ts";
import { cancel } from "./subscribe.ts";

/** A subscriber, or a publisher, has gone off line: what lasts only as long as its presence ends. */
export function depart(service: Service, node: Node, jid: string): void {
  const subscription = node.subscriptions.get(jid);
  if (subscription && isTemporary(subscription.options)) cancel(service, node, subscription);
  const ids = node.config.purgeOffline ? node.items.by(jid) : [];
  if (ids.length > 0) removeItems(service, node, ids, node.config.notifyRetract);
}

/**
 * Where an owner wants no other subscriptions than temporary ones, the others end: nobody who has one has agreed that the
 * owner learns when it goes off line (§14.4).
 */
export function endLasting(service: Service, node: Node): void {
  if (!node.config.temporary) return;
  for (const subscription of [...node.subscriptions.values()])
    if (!isTemporary(subscription.options)) cancel(service, node, subscription);
}
