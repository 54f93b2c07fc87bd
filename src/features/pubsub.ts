/** XEP-0060: Publish-Subscribe, v1.30.0, at a host of its own — https://xmpp.org/extensions/xep-0060.html. No collections. */
import type { Answer, Feature } from "../kernel/feature.ts";
import { randomName } from "../protocol/base32.ts";
import { infoElement } from "../protocol/disco.ts";
import { stanzaError } from "../protocol/errors.ts";
import { readForm } from "../protocol/forms.ts";
import { COMMANDS, DISCO_INFO, DISCO_ITEMS, FORMS, PUBSUB, PUBSUB_OWNER, RSM } from "../protocol/ns.ts";
import { GET_PENDING } from "../protocol/pubsub.ts";
import { paginate, readPage } from "../protocol/rsm.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { isOwner, mayRead } from "../pubsub/access.ts";
import { listed, nodeInfo, nodeItems, PUBLIC_FEATURES } from "../pubsub/discovery.ts";
import { pubsubError } from "../pubsub/errors.ts";
import { asClient } from "../pubsub/events.ts";
import { type Index, service } from "../pubsub/listing.ts";
import { node, type PublicNodes } from "../pubsub/public.ts";
import { answer } from "../pubsub/requests.ts";
import { pendingRequests } from "../pubsub/subscribe.ts";
import { type Element, xml } from "../xml/element.ts";

const NS_PING = "urn:xmpp:ping";
/** Nodes of one account (security.md D7). */
const MOST_NODES = 100;
/** Nodes in one answer, and in all pages together. */
const PAGE = 100;
const MOST_LISTED = 10_000;

const query = (iq: Stanza, ...found: (Element | false)[]): Element => {
  const { node: name, xmlns } = iq.payload.attrs;
  return xml("query", { xmlns, node: name }, ...found);
};

function serviceInfo({ object }: Index, iq: Stanza): Element {
  const { node: name } = iq.payload.attrs;
  if (name === COMMANDS) return query(iq, xml("identity", { category: "automation", type: "command-list" }));
  if (name === GET_PENDING) {
    const identity = xml("identity", { category: "automation", type: "command-node", name: PENDING_NAME });
    return query(iq, identity, xml("feature", { var: COMMANDS }), xml("feature", { var: FORMS }));
  }
  const info = infoElement(object.kernel.disco("pubsub", object.settings));
  if (name !== undefined) info.attrs.node = name;
  return info;
}

const PENDING_NAME = "Requests for subscriptions";

function serviceItems(index: Index, iq: Stanza): Element {
  const jid = index.jid.toString();
  if (iq.payload.attrs.node === COMMANDS) return query(iq, xml("item", { jid, node: GET_PENDING, name: PENDING_NAME }));
  const all = index.listings(iq.from, MOST_LISTED);
  const { items, set } = paginate(all, (listing) => listing.node, readPage(iq.payload, PAGE));
  const found = items.map(({ node, title }) => xml("item", { jid, node, name: title || undefined }));
  const partial = iq.payload.getChild("set", RSM) !== undefined || items.length < all.length;
  return query(iq, ...found, partial && set);
}

/** Requests that name no node: those about all nodes, a new one, or ones that lack what they need. */
function withoutNode(index: Index, iq: Stanza): Answer {
  const { payload, type } = iq;
  const request = (name: string) => payload.attrs.xmlns === PUBSUB && payload.getChild(name, PUBSUB);
  if (type === "set" && request("create")) return create(index, iq);
  if (type === "get" && request("subscriptions")) return subscriptions(index, iq);
  if (type === "get" && request("affiliations")) return affiliations(index, iq);
  return answer(index.nodes, iq);
}

/** §8.1: the list knows whether one may have another node; the node's object makes it. */
function create(index: Index, iq: Stanza): undefined {
  const { from, payload } = iq;
  const { settings } = index;
  if (from.domain !== settings.domain || !from.local)
    throw stanzaError("forbidden", "Accounts of this server make nodes here.");
  if (settings.limits && index.count(from) >= MOST_NODES)
    throw pubsubError("max-nodes-exceeded", `An account has at most ${MOST_NODES} nodes.`);
  const request = payload.getChild("create", PUBSUB) as Element;
  request.attrs.node ||= randomName();
  index.pass(iq.with({ inner: asClient(payload) }), request.attrs.node);
}

/** §5.6. */
function subscriptions(index: Index, iq: Stanza): Element {
  const own = index
    .memberships(iq.from)
    .flatMap(({ node, subscriptions }) =>
      subscriptions.map(([jid, subid, state]) => xml("subscription", { node, jid, subid, subscription: state })),
    );
  return xml("pubsub", { xmlns: PUBSUB }, xml("subscriptions", {}, ...own));
}

/** §5.7. */
function affiliations(index: Index, iq: Stanza): Element {
  const own = index.memberships(iq.from).filter(({ affiliation }) => affiliation !== "none");
  const elements = own.map(({ node, affiliation }) => xml("affiliation", { node, affiliation }));
  return xml("pubsub", { xmlns: PUBSUB }, xml("affiliations", {}, ...elements));
}

/** §8.7: the nodes whose requests somebody may decide about. */
function offerPending(index: Index, iq: Stanza): Element {
  checkCommand(iq);
  const own = index.memberships(iq.from).filter(({ affiliation }) => affiliation === "owner");
  if (own.length === 0) throw stanzaError("forbidden", "You own no node.", undefined, { type: "cancel" });
  if (iq.payload.attrs.action === "cancel") return command(iq, "canceled");
  const field = xml(
    "field",
    { var: "pubsub#node", type: "list-single", label: "Node" },
    ...own.map(({ node }) => xml("option", {}, xml("value", {}, node))),
  );
  const formType = xml("value", {}, `${PUBSUB}#subscribe_authorization`);
  return command(
    iq,
    "executing",
    xml("actions", { execute: "complete" }, xml("complete")),
    xml("x", { xmlns: FORMS, type: "form" }, xml("field", { var: "FORM_TYPE", type: "hidden" }, formType), field),
  );
}

function checkCommand({ payload }: Stanza): void {
  if (payload.attrs.node !== GET_PENDING) throw stanzaError("item-not-found", "There is no such command.");
}

function command({ payload: { attrs } }: Stanza, status: string, ...children: Element[]): Element {
  return xml(
    "command",
    { xmlns: COMMANDS, node: GET_PENDING, sessionid: attrs.sessionid || randomName(), status },
    ...children,
  );
}

function showPending(nodes: PublicNodes, iq: Stanza): Element {
  checkCommand(iq);
  const name = readForm(iq.payload)?.values.get("pubsub#node")?.[0] ?? "";
  const found = nodes.nodes.get(name);
  if (!found) throw stanzaError("item-not-found", "There is no such node.");
  if (!isOwner(nodes, found, iq.from)) throw stanzaError("forbidden", undefined, undefined, { type: "cancel" });
  nodes.after(() => {
    for (const request of pendingRequests(nodes, found, iq.from)) nodes.send(request);
  });
  return command(iq, "completed");
}

/** disco of a node, which whoever has no access to it does not see. */
function describe(nodes: PublicNodes, iq: Stanza, list: "info" | "items"): Element {
  const found = nodes.nodes.get(iq.payload.attrs.node ?? "");
  if (!found || !listed(nodes, found, iq.from)) throw stanzaError("item-not-found", "There is no such node.");
  if (list === "info") return query(iq, ...nodeInfo(nodes, found));
  if (!mayRead(nodes, found, iq.from)) return query(iq);
  const { items, set } = paginate(nodeItems(nodes, found), ({ attrs }) => attrs.name ?? "", readPage(iq.payload, PAGE));
  const partial = iq.payload.getChild("set", RSM) !== undefined || items.length < found.items.size;
  return query(iq, ...items, partial && set);
}

export const pubsub: Feature = {
  name: "pubsub",
  implements: [
    { id: "XEP-0060", version: "1.30.0", note: "at a host of its own; no collections" },
    { id: "XEP-0050", version: "1.3.0", note: "for §8.7 of XEP-0060" },
  ],
  advertises: {
    pubsub: [DISCO_INFO, DISCO_ITEMS, COMMANDS, NS_PING, RSM, `${PUBSUB}#get-pending`, ...PUBLIC_FEATURES],
  },
  identities: { pubsub: [{ category: "pubsub", type: "service", name: "Nodes" }] },
  handles: [
    service.iq("get", DISCO_INFO, "query", serviceInfo),
    service.iq("get", DISCO_ITEMS, "query", serviceItems),
    service.iq("get", NS_PING, "ping", () => undefined),
    service.iq("set", COMMANDS, "command", offerPending),
    node.iq("get", DISCO_INFO, "query", (nodes, iq) => describe(nodes, iq, "info")),
    node.iq("get", DISCO_ITEMS, "query", (nodes, iq) => describe(nodes, iq, "items")),
    node.iq("set", COMMANDS, "command", showPending),
    ...[PUBSUB, PUBSUB_OWNER].flatMap((ns) => [
      service.iq("get", ns, "pubsub", withoutNode),
      service.iq("set", ns, "pubsub", withoutNode),
      node.iq("get", ns, "pubsub", (nodes, iq) => answer(nodes, iq)),
      node.iq("set", ns, "pubsub", (nodes, iq) => answer(nodes, iq)),
    ]),
  ],
};
