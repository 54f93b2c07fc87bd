/** XEP-0060 §11 and its schema of conditions: what a request that fails is answered with — https://xmpp.org/extensions/xep-0060.html#errors */
import { type ErrorType, type StanzaCondition, type StanzaError, stanzaError } from "../protocol/errors.ts";
import { PUBSUB_ERRORS } from "../protocol/ns.ts";
import { xml } from "../xml/element.ts";

/** Conditions of our own beside the general one, each with the general condition that §6 to §8 pair it with. */
const GENERAL = {
  "closed-node": "not-allowed",
  "invalid-jid": "bad-request",
  "invalid-options": "bad-request",
  "invalid-payload": "bad-request",
  "invalid-subid": "not-acceptable",
  "item-forbidden": "bad-request",
  "item-required": "bad-request",
  "jid-required": "bad-request",
  "max-items-exceeded": "not-allowed",
  "max-nodes-exceeded": "conflict",
  "node-full": "conflict",
  "nodeid-required": "bad-request",
  "not-in-roster-group": "not-authorized",
  "not-subscribed": "unexpected-request",
  "payload-required": "bad-request",
  "payload-too-big": "not-acceptable",
  "pending-subscription": "not-authorized",
  "precondition-not-met": "conflict",
  "presence-subscription-required": "not-authorized",
  "too-many-subscriptions": "policy-violation",
  "unsupported-access-model": "not-acceptable",
} as const satisfies Record<string, StanzaCondition>;

export type PubsubCondition = keyof typeof GENERAL;

/** `throw pubsubError("closed-node")`. `general` and `type` where a section asks for others than its neighbours do. */
export function pubsubError(
  condition: PubsubCondition,
  text?: string,
  { general, type }: { general?: StanzaCondition; type?: ErrorType } = {},
): StanzaError {
  const app = xml(condition, { xmlns: PUBSUB_ERRORS });
  return stanzaError(general ?? GENERAL[condition], text, app, type && { type });
}

/** The service or the node does not do this. `feature`: the name that disco#info would have for it. */
export function unsupported(feature: string, text?: string): StanzaError {
  return stanzaError("feature-not-implemented", text, xml("unsupported", { xmlns: PUBSUB_ERRORS, feature }));
}
