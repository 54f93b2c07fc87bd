/** XEP-0060 §8.1 to §8.5: making, configuring, emptying and deleting a node — https://xmpp.org/extensions/xep-0060.html#owner-create */
import { randomName } from "../protocol/base32.ts";
import { stanzaError } from "../protocol/errors.ts";
import { PUBSUB, PUBSUB_EVENT, PUBSUB_OWNER } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { admitOwner } from "./access.ts";
import { type Config, configForm, configResult, readConfig } from "./config.ts";
import { unsupported } from "./errors.ts";
import { tellNode } from "./events.ts";
import { isName, nodeOf } from "./names.ts";
import type { Node } from "./nodes.ts";
import { settle } from "./publish.ts";
import type { Service } from "./service.ts";
import { recheck } from "./subscribe.ts";
import { endLasting } from "./temporary.ts";

/** A URI to send people to. */
const MAX_URI = 2048;

export function create(service: Service, iq: Stanza, request: Element): Element {
  const { from } = iq;
  if (service.personal && service.inherent(from) !== "owner") throw stanzaError("forbidden");
  const given = iq.payload.getChild("configure", PUBSUB);
  const children = iq.payload.getChildElements();
  // §8.1.3
  if (given && (given.attrs.node !== undefined || children.indexOf(given) < children.indexOf(request)))
    throw stanzaError("bad-request", "<configure/> comes after <create/> and names no node.");
  const name = request.attrs.node || randomName();
  if (!isName(name)) throw stanzaError("not-acceptable", "This is no name of a node.");
  if (service.nodes.get(name)) throw stanzaError("conflict", "There is such a node already.");
  service.checkRoom(from);
  const changes = readConfig(service.nodes.schema, given);
  const config = settle(service, name, changes === "cancelled" ? {} : changes);
  const creator = from.bare.toString();
  const node = service.nodes.create(name, config, creator, service.now);
  if (!service.personal) node.affiliate(creator, "owner");
  service.changed({ node, member: creator });
  return xml("pubsub", { xmlns: PUBSUB }, xml("create", { node: name }));
}

/** §8.2.1. */
export function getConfig(service: Service, iq: Stanza, request: Element): Element {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const form = configForm(service.nodes.schema, node.config, `Configuration of ${node.name}`);
  return xml("pubsub", { xmlns: PUBSUB_OWNER }, xml("configure", { node: node.name }, form));
}

/** §8.3. */
export function defaultConfig({ nodes: { schema } }: Service): Element {
  const form = configForm(schema, schema.defaults, "Configuration of a new node");
  return xml("pubsub", { xmlns: PUBSUB_OWNER }, xml("default", {}, form));
}

/** §8.2.4. */
export function setConfig(service: Service, iq: Stanza, request: Element): undefined {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const changes = readConfig(service.nodes.schema, request);
  if (changes === "cancelled") return;
  configure(service, node, changes);
}

export function configure(service: Service, node: Node, changes: Partial<Config>): void {
  const { schema } = service.nodes;
  const config = settle(service, node.name, changes, node.config);
  service.checkAccess(node, config.access);
  node.configure(config);
  if (!config.persist) node.items.clear();
  else node.items.trim(config.maxItems === "max" ? schema.mostItems : Math.max(1, config.maxItems));
  service.changed({ node });
  service.after(() => recheck(service, node));
  service.after(() => {
    endLasting(service, node);
    if (!config.notifyConfig) return;
    // §8.2.5.3
    const form = config.payloads ? configResult(schema, config) : undefined;
    tellNode(service, node, xml("configuration", { xmlns: PUBSUB_EVENT, node: node.name }, form));
  });
}

/** §8.4. */
export function remove(service: Service, iq: Stanza, request: Element): undefined {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const uri = request.getChild("redirect", PUBSUB_OWNER)?.attrs.uri;
  if (uri !== undefined && (uri.length > MAX_URI || !URL.canParse(uri)))
    throw stanzaError("bad-request", "The redirection has no URI.");
  if (node.config.notifyDelete) {
    const redirect = uri !== undefined && xml("redirect", { uri });
    // Whoever is subscribed now is told; afterwards nobody is.
    tellNode(service, node, xml("delete", { xmlns: PUBSUB_EVENT, node: node.name }, redirect), true);
  }
  service.nodes.delete(node, uri);
  service.changed({ node, deleted: true });
}

/** §8.5. */
export function purge(service: Service, iq: Stanza, request: Element): undefined {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  if (!node.config.persist) throw unsupported("persistent-items");
  purgeItems(service, node);
}

export function purgeItems(service: Service, node: Node): void {
  node.items.clear();
  service.after(() => {
    if (node.config.notifyRetract) tellNode(service, node, xml("purge", { xmlns: PUBSUB_EVENT, node: node.name }));
  });
  service.changed({ node, purged: true });
}
