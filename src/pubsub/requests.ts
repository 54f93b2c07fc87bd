/** XEP-0060: Publish-Subscribe, v1.30.0 — https://xmpp.org/extensions/xep-0060.html. Which request is whose; no collections (XEP-0248). */
import { stanzaError } from "../protocol/errors.ts";
import { PUBSUB, PUBSUB_OWNER } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import { create, defaultConfig, getConfig, purge, remove, setConfig } from "./create.ts";
import { getAffiliations, getSubscriptions, setAffiliations, setSubscriptions } from "./manage.ts";
import { publish, retract } from "./publish.ts";
import { affiliations, items, subscriptions } from "./retrieve.ts";
import type { Service } from "./service.ts";
import { defaultOptions, getOptions, setOptions, subscribe, unsubscribe } from "./subscribe.ts";

type Request = (service: Service, iq: Stanza, request: Element) => Element | Stanza | undefined;

/** By the namespace of `<pubsub/>`, the type of the IQ and the name of the child that says what is wanted. */
const REQUESTS: Readonly<Record<string, Readonly<Record<string, Request>>>> = {
  [`${PUBSUB} get`]: { items, subscriptions, affiliations, options: getOptions, default: defaultOptions },
  [`${PUBSUB} set`]: { publish, retract, subscribe, unsubscribe, create, options: setOptions },
  [`${PUBSUB_OWNER} get`]: {
    configure: getConfig,
    default: defaultConfig,
    subscriptions: getSubscriptions,
    affiliations: getAffiliations,
  },
  [`${PUBSUB_OWNER} set`]: {
    configure: setConfig,
    delete: remove,
    purge,
    subscriptions: setSubscriptions,
    affiliations: setAffiliations,
  },
};

/** Answers an IQ whose payload is `<pubsub/>`. */
export function answer(service: Service, iq: Stanza): Element | Stanza | undefined {
  const known = REQUESTS[`${iq.payload.attrs.xmlns} ${iq.type}`] ?? {};
  for (const child of iq.payload.getChildElements()) {
    const run = Object.hasOwn(known, child.name) ? known[child.name] : undefined;
    // <options/> rides along with <subscribe/>, which comes first (§6.3.7).
    if (run && child.attrs.xmlns === iq.payload.attrs.xmlns) {
      if (child.name === "options" && iq.payload.getChild("subscribe", PUBSUB))
        throw stanzaError("bad-request", "<options/> comes after <subscribe/>.");
      return run(service, iq, child);
    }
  }
  throw stanzaError("bad-request", "This asks for nothing that there is.");
}
