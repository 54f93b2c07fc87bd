/** XEP-0060 §4.6, §12.8: the names of nodes and items — https://xmpp.org/extensions/xep-0060.html#addressing */
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { opaqueString } from "../protocol/precis.ts";
import type { Element } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";
import { pubsubError } from "./errors.ts";
import type { Node } from "./nodes.ts";
import type { Service } from "./service.ts";

const MAX_NAME = 1023;

/** §4.6.2: a node's name is one that a resource could have. */
export function isName(name: string): boolean {
  return name !== "" && utf8Length(name) <= MAX_NAME && opaqueString(name) === name;
}

/** The name of the node that a request is about. */
export function checkName(request: Element): string {
  const { node } = request.attrs;
  if (!node) throw pubsubError("nodeid-required");
  if (!isName(node)) throw stanzaError("not-acceptable", "This is no name of a node.");
  return node;
}

/** The node that a request is about; where there is none, its sender learns that, or where it has gone (§6.1.3.11). */
export function nodeOf(service: Service, asker: Jid, request: Element): Node {
  if (!request.attrs.node) throw pubsubError("nodeid-required");
  const node = service.nodes.get(request.attrs.node);
  if (node) return node;
  service.missing(asker);
  const uri = service.nodes.redirect(request.attrs.node);
  if (uri !== undefined) throw stanzaError("gone", "The node has moved.", undefined, { type: "modify", uri });
  throw stanzaError("item-not-found", "There is no such node.");
}
