/** XEP-0060 §7: publishing and deleting items — https://xmpp.org/extensions/xep-0060.html#publisher */
import { randomName } from "../protocol/base32.ts";
import { isTrue } from "../protocol/boolean.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { PUBSUB, PUBSUB_EVENT } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";
import { escapeAttribute, serialise } from "../xml/writer.ts";
import { admitPublisher, affiliationOf } from "./access.ts";
import { type Config, MAX_PAYLOAD, readOptions, unmet } from "./config.ts";
import { pubsubError, unsupported } from "./errors.ts";
import { itemText, sweep, tellItems } from "./events.ts";
import { checkName, isName, nodeOf } from "./names.ts";
import type { Node } from "./nodes.ts";
import type { Service } from "./service.ts";

/** An item that is to be published. */
export interface Draft {
  id: string;
  /** "" for none. */
  payload: string;
}

export function publish(service: Service, iq: Stanza, request: Element): Element {
  const name = checkName(request);
  const options = readOptions(service.nodes.schema, iq.payload.getChild("publish-options", PUBSUB));
  const existing = service.nodes.get(name);
  if (existing) {
    admitPublisher(service, existing, iq.from);
    const field = options && unmet(service.nodes.schema, existing.config, options);
    if (field) throw pubsubError("precondition-not-met", `${field} is configured otherwise.`);
  }
  // §7.1.4: only the owner's own service makes nodes on the way.
  const node = existing ?? autoCreate(service, name, iq.from, options) ?? nodeOf(service, iq.from, request);
  // What goes with its publisher's presence comes only from those whose presence is known.
  if (node.config.purgeOffline && !service.sees(iq.from)) throw pubsubError("presence-subscription-required");
  const items = request.getChildren("item", PUBSUB);
  const drafts = readDrafts(service, node, items);
  putItems(service, node, iq.from, drafts, items.length > 0);
  return xml(
    "pubsub",
    { xmlns: PUBSUB },
    xml("publish", { node: name }, ...(items.length > 0 ? drafts.map(({ id }) => xml("item", { id })) : [])),
  );
}

function autoCreate(service: Service, name: string, by: Jid, options: Partial<Config> = {}): Node | undefined {
  if (!service.personal || service.inherent(by) !== "owner") return undefined;
  service.checkRoom(by);
  return service.nodes.create(name, settle(service, name, options), by.bare.toString(), service.now);
}

/** Nodes whose content is the owner's alone, whatever a client says of them (XEP-0223; security.md B7). */
const PRIVATE: Readonly<Record<string, Partial<Config>>> = {
  "storage:bookmarks": {},
  "urn:xmpp:bookmarks:1": { maxItems: "max", sendLast: "never" },
  "urn:xmpp:mds:displayed:0": { maxItems: "max", sendLast: "never" },
};

/** The configuration that a new node, or one configured anew, gets. */
export function settle(service: Service, name: string, changes: Partial<Config>, base?: Config): Config {
  const hidden =
    service.personal && Object.hasOwn(PRIVATE, name) ? { access: "whitelist" as const, ...PRIVATE[name] } : {};
  const config = { ...(base ?? { ...service.nodes.schema.defaults, ...hidden }), ...changes };
  if ("access" in hidden && config.access !== "whitelist")
    throw pubsubError("unsupported-access-model", "This node is for its owner's own clients.");
  return config;
}

/** §7.1.3.6: what the node's kind of events asks of a request. */
function readDrafts(service: Service, node: Node, items: readonly Element[]): Draft[] {
  const { persist, payloads, maxItems } = node.config;
  if (items.length === 0) {
    if (persist || payloads) throw pubsubError("item-required");
    return [];
  }
  if (!persist && !payloads) throw pubsubError("item-forbidden");
  // §12.10: all of a batch, or nothing of it.
  const most = maxItems === "max" ? service.nodes.schema.mostItems : maxItems;
  if (persist && items.length > 1 && items.length > most) throw pubsubError("max-items-exceeded");
  const drafts = items.map((item) => readDraft(node, item));
  if (persist && node.config.full === "reject") {
    sweep(service, node);
    const more = drafts.filter(({ id }) => !node.items.has(id)).length;
    if (more > 0 && node.items.size + more > most) throw pubsubError("node-full");
  }
  return drafts;
}

function readDraft({ config }: Node, item: Element): Draft {
  const given = item.attrs.id;
  if (given !== undefined && given !== "" && !isName(given)) throw stanzaError("bad-request", "This is no item id.");
  const [content, second] = item.getChildElements();
  if (second) throw pubsubError("invalid-payload", "An item has one payload.");
  if (!content && config.payloads) throw pubsubError("payload-required");
  if (content && config.type && content.attrs.xmlns !== config.type)
    throw pubsubError("invalid-payload", `Payloads here are in the namespace ${config.type}.`);
  const payload = content ? serialise(content, PUBSUB_EVENT) : "";
  if (utf8Length(payload) > Math.min(config.maxPayload, MAX_PAYLOAD)) throw pubsubError("payload-too-big");
  return { id: given || randomName(), payload };
}

/** Stores items and tells of them. What is told is told once the request has been answered. */
export function putItems(service: Service, node: Node, by: Jid, drafts: readonly Draft[], told = true): void {
  const { persist, payloads, maxItems, full, notifyRetract } = node.config;
  const publisher = by.bare.toString();
  let dropped: string[] = [];
  if (persist) {
    sweep(service, node);
    for (const { id, payload } of drafts) node.items.put(id, publisher, payload, service.now);
    if (node.config.purgeOffline) service.watch(node, [publisher]);
    dropped = node.items.trim(maxItems === "max" ? service.nodes.schema.mostItems : Math.max(1, maxItems));
  }
  const items = told ? drafts.map((draft) => itemText(node, { ...draft, publisher }, payloads)).join("") : "";
  service.after(() => {
    tellItems(service, node, items, drafts.map(({ payload }) => payload).join(""));
    // A node of one item has it replaced, which is nothing that anybody took back.
    if (dropped.length > 0 && full === "retract-oldest" && notifyRetract && maxItems !== 1)
      tellRetracted(service, node, dropped);
  });
  service.changed({ node, published: drafts, ...(dropped.length > 0 && { retracted: dropped }) });
}

function tellRetracted(service: Service, node: Node, ids: readonly string[]): void {
  tellItems(service, node, ids.map((id) => `<retract id="${escapeAttribute(id)}"/>`).join(""), "");
}

/** §7.2. */
export function retract(service: Service, iq: Stanza, request: Element): undefined {
  const node = nodeOf(service, iq.from, request);
  const ids = request.getChildren("item", PUBSUB).map((item) => item.attrs.id ?? "");
  if (ids.length === 0 || ids.includes("")) throw pubsubError("item-required");
  admitRetractor(service, node, iq.from, ids);
  if (!node.config.persist) throw unsupported("persistent-items");
  sweep(service, node);
  if (!ids.every((id) => node.items.has(id))) throw stanzaError("item-not-found", "There is no such item.");
  removeItems(service, node, ids, isTrue(request.attrs.notify) || node.config.notifyRetract);
}

/** §4.1: owners and publishers may delete any item, others what they have published. */
function admitRetractor(service: Service, node: Node, by: Jid, ids: readonly string[]): void {
  const affiliation = affiliationOf(service, node, by);
  if (affiliation === "owner" || affiliation === "publisher") return;
  const own = ids.every((id) => node.items.get(id)?.publisher === by.bare.toString());
  if (affiliation === "outcast" || !own) throw stanzaError("forbidden", "This is somebody else's item.");
}

export function removeItems(service: Service, node: Node, ids: readonly string[], notify: boolean): void {
  for (const id of ids) node.items.remove(id);
  if (notify) service.after(() => tellRetracted(service, node, ids));
  service.changed({ node, retracted: ids });
}
