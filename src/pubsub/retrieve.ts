/** XEP-0060 §5.6, §5.7, §6.5: reading items, subscriptions and affiliations — https://xmpp.org/extensions/xep-0060.html#subscriber-retrieve */
import { stanzaError } from "../protocol/errors.ts";
import { PUBSUB, RSM } from "../protocol/ns.ts";
import { pageElement, paginate, readPage } from "../protocol/rsm.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { escapeAttribute } from "../xml/writer.ts";
import { admitReader, affiliationOf, subscriptionsOf } from "./access.ts";
import { pubsubError, unsupported } from "./errors.ts";
import { asClient, itemText, sweep } from "./events.ts";
import type { Item } from "./items.ts";
import { nodeOf } from "./names.ts";
import type { Node, Subscription } from "./nodes.ts";
import type { Service } from "./service.ts";

/** Characters of items in one answer: more are asked for page by page (§6.5.4). */
const MOST_CHARACTERS = 524_288;
const PAGE = 100;

export function items(service: Service, iq: Stanza, request: Element): Stanza {
  const node = nodeOf(service, iq.from, request);
  admitReader(service, node, iq.from);
  checkSubid(subscriptionsOf(service, node, iq.from), request.attrs.subid);
  if (!node.config.persist) throw unsupported("persistent-items");
  sweep(service, node);
  const ids = request.getChildren("item", PUBSUB).map((item) => item.attrs.id ?? "");
  if (ids.length > 0) return answer(iq, node, found(node, ids).items);
  if (iq.payload.getChild("set", RSM)) {
    const { items, set } = paginate(node.items.entries, ({ id }) => id, readPage(iq.payload, PAGE));
    const whole = found(
      node,
      items.map(({ id }) => id),
    );
    if (whole.items.length < items.length) return answer(iq, node, whole.items, partial(node, whole.items, 0, set));
    return answer(iq, node, whole.items, set);
  }
  const { entries } = node.items;
  const most = readMost(request) ?? entries.length;
  const newest = entries.slice(Math.max(0, entries.length - most));
  const whole = found(node, newest.map(({ id }) => id).reverse());
  whole.items.reverse();
  if (whole.items.length === newest.length) return answer(iq, node, whole.items);
  return answer(iq, node, whole.items, partial(node, whole.items, entries.length - whole.items.length));
}

/** Items by their ids, in that order, until they are too many for one answer. */
function found(node: Node, ids: readonly string[]): { items: Item[] } {
  const items: Item[] = [];
  let characters = 0;
  for (const id of ids) {
    const item = node.items.get(id);
    if (!item) continue;
    characters += item.payload.length + id.length;
    if (items.length > 0 && characters > MOST_CHARACTERS) break;
    items.push(item);
  }
  return { items };
}

function partial(node: Node, items: readonly Item[], index: number, set?: Element): Element {
  const at = set?.getChild("first", RSM)?.attrs.index;
  return pageElement({
    first: items[0]?.id,
    last: items.at(-1)?.id,
    index: at === undefined ? index : Number(at),
    count: node.items.size,
  });
}

function readMost({ attrs: { max_items: most } }: Element): number | undefined {
  if (most === undefined) return undefined;
  if (!/^\d{1,9}$/.test(most) || Number(most) === 0) throw stanzaError("bad-request", "max_items is a number.");
  return Number(most);
}

function answer(iq: Stanza, node: Node, items: readonly Item[], set?: Element): Stanza {
  const all = items.map((item) => itemText(node, item)).join("");
  const name = escapeAttribute(node.name);
  const body = `<items node="${name}"${all ? `>${all}</items>` : "/>"}${set ? asClient(set) : ""}`;
  return iq.result().with({ inner: `<pubsub xmlns="${PUBSUB}">${body}</pubsub>` });
}

/** A subscription id that is none of the entity's own is refused (§6.5.9.2). */
export function checkSubid(own: readonly Subscription[], subid: string | undefined): void {
  if (subid && own.length > 0 && !own.some((subscription) => subscription.subid === subid))
    throw pubsubError("invalid-subid");
}

/** §5.6. */
export function subscriptions(service: Service, iq: Stanza, request: Element): Element {
  const { node: name } = request.attrs;
  const nodes = name ? [nodeOf(service, iq.from, request)] : [...service.nodes];
  const own = nodes.flatMap((node) =>
    subscriptionsOf(service, node, iq.from).map(({ jid, subid, state }) =>
      xml("subscription", { node: node.name, jid, subid, subscription: state }),
    ),
  );
  return xml("pubsub", { xmlns: PUBSUB }, xml("subscriptions", { node: name }, ...own));
}

/** §5.7. */
export function affiliations(service: Service, iq: Stanza, request: Element): Element {
  const { node: name } = request.attrs;
  const nodes = name ? [nodeOf(service, iq.from, request)] : [...service.nodes];
  const own = nodes.flatMap((node) => {
    const affiliation = affiliationOf(service, node, iq.from);
    return affiliation === "none" ? [] : [xml("affiliation", { node: node.name, affiliation })];
  });
  return xml("pubsub", { xmlns: PUBSUB }, xml("affiliations", { node: name }, ...own));
}
