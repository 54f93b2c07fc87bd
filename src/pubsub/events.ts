/** XEP-0060 §7.1.2, §12.2 to §12.4: what is told of a node, and to whom — https://xmpp.org/extensions/xep-0060.html#impl-notify */
import { randomName } from "../protocol/base32.ts";
import { delayElement } from "../protocol/delay.ts";
import { Trait } from "../protocol/message.ts";
import { CLIENT, PUBSUB_EVENT } from "../protocol/ns.ts";
import { eventId } from "../protocol/pubsub.ts";
import { Stanza, stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { escapeAttribute, serialise } from "../xml/writer.ts";
import type { Item } from "./items.ts";
import type { Node, Subscription } from "./nodes.ts";
import { ended, type Show, wants } from "./options.ts";
import type { Service } from "./service.ts";

/** An item as events and answers show it (§12.15: its publisher is what we say, not what was said). */
export function itemText(node: Node, { id, publisher, payload }: Omit<Item, "seq" | "at">, whole = true): string {
  const shown = node.config.publisherShown;
  const by = shown === "publisher" ? publisher : shown === "owner" ? node.creator : "";
  const attributes = ` id="${escapeAttribute(id)}"${by ? ` publisher="${escapeAttribute(by)}"` : ""}`;
  return whole && payload ? `<item${attributes}>${payload}</item>` : `<item${attributes}/>`;
}

function message(service: Service, node: Node, inner: string): Stanza {
  const { messageType, presenceBased } = node.config;
  // A headline is for those who are available (RFC 6121 §8.5.2); what is normal waits for those who are not (§12.7).
  const away = messageType === "normal" && !presenceBased;
  const type = away ? { traits: Trait.OFFLINE } : { type: "headline" };
  const id = service.personal ? randomName() : eventId(randomName(), node.name);
  return new Stanza({ kind: "message", ...type, id, from: service.jid, inner });
}

const event = (inner: string) => `<event xmlns="${PUBSUB_EVENT}">${inner}</event>`;

/** Tells of items; `items` is what stands inside `<items/>`. `text`: what filters look at. */
export function tellItems(service: Service, node: Node, items: string, text = items): void {
  if (!node.config.notify) return;
  const inner = event(`<items node="${escapeAttribute(node.name)}"${items ? `>${items}</items>` : "/>"}`);
  tell(service, node, message(service, node, inner), (subscription) => wants(subscription, text));
}

/** Tells of the node itself: `<configuration/>`, `<delete/>`, `<purge/>`. */
export function tellNode(service: Service, node: Node, what: Element, pending = false): void {
  if (!node.config.notify) return;
  const told = message(service, node, event(serialise(what, PUBSUB_EVENT)));
  tell(service, node, told, (subscription) => pending || wants(subscription, ""), pending);
}

function tell(
  service: Service,
  node: Node,
  told: Stanza,
  wanted: (subscription: Subscription) => boolean,
  pending = false,
): void {
  const { all, choosy } = node.audience;
  const more: string[] = [];
  const byShow = new Map<string, string[]>();
  for (const subscription of choosy) {
    const { jid, state, options } = subscription;
    if (state === "pending" && !pending) continue;
    if (ended(subscription, service.now)) node.unsubscribe(jid);
    else if (wanted(subscription)) {
      const shows = options.shows?.join();
      if (shows) byShow.set(shows, [...(byShow.get(shows) ?? []), jid]);
      else more.push(jid);
    }
  }
  const to = more.length > 0 ? [...all, ...more] : all;
  if (to.length > 0) service.cast(told, to);
  for (const [shows, jids] of byShow) service.cast(told, jids, shows.split(",") as Show[]);
  service.implicit(told, node, [...to, ...[...byShow.values()].flat()]);
}

/** The message that brings somebody the last item (§6.1.7), as old as it is; undefined where there is none to send. */
export function lastItem(service: Service, node: Node): Stanza | undefined {
  const { config, items, name } = node;
  if (!config.persist || !config.notify) return undefined;
  sweep(service, node);
  const { last } = items;
  if (!last) return undefined;
  const inner = event(`<items node="${escapeAttribute(name)}">${itemText(node, last, config.payloads)}</items>`);
  return message(service, node, inner).plus(delayElement({ stamp: new Date(last.at) }));
}

/** Items past their time go when somebody looks; nobody is told (§16.4.4, item_expire). */
export function sweep({ now }: Service, { config, items }: Node): void {
  if (typeof config.expire === "number") items.expire(now - config.expire * 1000);
}

/** §12.13: tells a subscriber what has become of its subscription. */
export function tellSubscriber(
  service: Service,
  node: Node,
  { jid, subid }: Subscription,
  state: "subscribed" | "none" | "pending",
): void {
  const subscription = xml("subscription", { node: node.name, jid, subid, subscription: state });
  const told = stanza(
    "message",
    { type: "headline", id: randomName(), from: service.jid },
    xml("event", { xmlns: PUBSUB_EVENT }, subscription),
  );
  service.cast(told, [jid]);
}

/** A message for the node's owners. */
export function tellOwners(service: Service, node: Node, told: Stanza): void {
  const owners = [...node.affiliations].flatMap(([jid, affiliation]) => (affiliation === "owner" ? [jid] : []));
  service.cast(told, service.personal ? [service.jid.toString()] : owners);
}

/** notify_sub: owners learn of a subscriber who has come or gone. */
export function tellOfSubscriber(
  service: Service,
  node: Node,
  { jid, subid }: Subscription,
  state: "subscribed" | "none",
): void {
  if (!node.config.notifySub) return;
  const subscription = xml("subscription", { node: node.name, jid, subid, subscription: state });
  const inner = event(serialise(subscription, PUBSUB_EVENT));
  tellOwners(
    service,
    node,
    new Stanza({ kind: "message", type: "headline", id: randomName(), from: service.jid, inner }),
  );
}

export const asClient = (el: Element): string => serialise(el, CLIENT);
