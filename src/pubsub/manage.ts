/** XEP-0060 §8.8, §8.9: an owner manages subscriptions and affiliations — https://xmpp.org/extensions/xep-0060.html#owner-subscriptions */
import { randomName } from "../protocol/base32.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { CLIENT, PUBSUB, PUBSUB_OWNER } from "../protocol/ns.ts";
import { type Stanza, stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { serialise } from "../xml/writer.ts";
import { admitOwner, affiliationOf } from "./access.ts";
import { nodeOf } from "./names.ts";
import type { Affiliation, Node } from "./nodes.ts";
import type { Service } from "./service.ts";
import { cancel, decide, recheck } from "./subscribe.ts";

export function getSubscriptions(service: Service, iq: Stanza, request: Element): Element {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  // §8.8.1.2: those that are pending are asked for otherwise.
  const active = [...node.subscriptions.values()].filter(({ state }) => state === "subscribed");
  const elements = active.map(({ jid, subid, state }) => xml("subscription", { jid, subid, subscription: state }));
  return xml("pubsub", { xmlns: PUBSUB_OWNER }, xml("subscriptions", { node: node.name }, ...elements));
}

export function setSubscriptions(service: Service, iq: Stanza, request: Element): Stanza | undefined {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const failed: Element[] = [];
  for (const { attrs } of request.getChildren("subscription", PUBSUB_OWNER)) {
    const jid = Jid.tryParse(attrs.jid ?? "")?.toString();
    const state = attrs.subscription;
    if (state === undefined) continue; // §8.8.2.1
    const existing = jid === undefined ? undefined : node.subscriptions.get(jid);
    const fits = !attrs.subid || attrs.subid === existing?.subid;
    if (jid !== undefined && fits && state === "none") {
      if (existing) service.after(() => cancel(service, node, existing));
    } else if (jid !== undefined && fits && state === "subscribed" && (existing || !node.config.temporary)) {
      // Nobody is made to show by a subscription when it goes off line (§14.4).
      const subscription = existing ?? { jid, subid: randomName(), state: "pending" as const, options: {} };
      service.after(() => decide(service, node, subscription, true));
    } else {
      const { jid = attrs.jid, state = "none" } = existing ?? {};
      failed.push(xml("subscription", { jid, subscription: state }));
    }
  }
  return partly(iq, "subscriptions", node, failed);
}

/** §8.8.2.4, §8.9.2.4: what could not be changed comes back as it is; the rest has been done. */
function partly(iq: Stanza, list: string, node: Node, failed: readonly Element[]): Stanza | undefined {
  if (failed.length === 0) return undefined;
  const error = iq.error(stanzaError("not-acceptable")) as Stanza; // an IQ that asks has an error
  const payload = xml("pubsub", { xmlns: PUBSUB_OWNER }, xml(list, { node: node.name }, ...failed));
  return error.with({ inner: serialise(payload, CLIENT) + error.inner.slice(iq.inner.length) });
}

export function getAffiliations(service: Service, iq: Stanza, request: Element): Element {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const all = [...node.affiliations].map(([jid, affiliation]) => xml("affiliation", { jid, affiliation }));
  if (service.personal) all.unshift(xml("affiliation", { jid: service.jid.toString(), affiliation: "owner" }));
  return xml("pubsub", { xmlns: PUBSUB_OWNER }, xml("affiliations", { node: node.name }, ...all));
}

/** §4.1: what an affiliation may become; one that is not named here may become any. */
const STEPS: Readonly<Partial<Record<Affiliation, readonly Affiliation[]>>> = {
  owner: ["owner", "none"],
  publisher: ["publisher", "publish-only", "owner", "none", "outcast"],
};
const AFFILIATIONS: ReadonlySet<string> = new Set([
  "owner",
  "publisher",
  "publish-only",
  "member",
  "none",
  "outcast",
] satisfies Affiliation[]);

export function setAffiliations(service: Service, iq: Stanza, request: Element): Stanza | undefined {
  const node = nodeOf(service, iq.from, request);
  admitOwner(service, node, iq.from);
  const entries = request.getChildren("affiliation", PUBSUB_OWNER);
  if (new Set(entries.map(({ attrs }) => attrs.jid)).size < entries.length)
    throw stanzaError("bad-request", "One entity, one affiliation."); // §8.9.2.4
  const failed: Element[] = [];
  for (const { attrs } of entries) {
    if (attrs.affiliation === undefined) continue;
    const jid = Jid.tryParse(attrs.jid ?? "");
    const old = jid ? affiliationOf(service, node, jid) : "none";
    if (
      jid &&
      !jid.full &&
      AFFILIATIONS.has(attrs.affiliation) &&
      allowed(service, node, jid, old, attrs.affiliation)
    ) {
      if (old !== attrs.affiliation) affiliate(service, node, jid, attrs.affiliation as Affiliation);
    } else failed.push(xml("affiliation", { jid: attrs.jid, affiliation: old }));
  }
  return partly(iq, "affiliations", node, failed);
}

function allowed(service: Service, node: Node, jid: Jid, old: Affiliation, next: string): boolean {
  if (old === next) return true;
  if (service.inherent(jid) !== undefined) return false;
  if (STEPS[old] && !STEPS[old].includes(next as Affiliation)) return false;
  // §8.9.2.4: a node has an owner.
  return old !== "owner" || service.personal || [...node.affiliations.values()].filter((a) => a === "owner").length > 1;
}

function affiliate(service: Service, node: Node, jid: Jid, affiliation: Affiliation): void {
  node.affiliate(jid.toString(), affiliation);
  service.changed({ node, member: jid.toString() });
  service.after(() => {
    // §8.7: a request that waits is decided by what its sender has become.
    const own = [...node.subscriptions.values()].filter(({ jid: other }) => Jid.parse(other).bare.equals(jid));
    for (const subscription of own)
      if (affiliation === "outcast") cancel(service, node, subscription);
      else if (subscription.state === "pending" && affiliation !== "none") decide(service, node, subscription, true);
    tellAffiliation(service, node, jid, affiliation);
    // It may have been its roster that decided.
    recheck(service, node, (other) => jid.toString() === node.creator || other.bare.equals(jid));
  });
}

/** §8.9.4. */
function tellAffiliation(service: Service, { name }: Node, jid: Jid, affiliation: Affiliation): void {
  const list = xml("affiliations", { node: name }, xml("affiliation", { jid: jid.toString(), affiliation }));
  const header = { type: "headline", id: randomName(), from: service.jid };
  service.cast(stanza("message", header, xml("pubsub", { xmlns: PUBSUB }, list)), [jid.toString()]);
}
