/** XEP-0163: Personal Eventing Protocol, v1.2.2 — https://xmpp.org/extensions/xep-0163.html. No XEP-0033 reply address: it would tell resources. */
import { type Account, account, contact } from "../account/account.ts";
import type { Answer, Feature, Inquiry } from "../kernel/feature.ts";
import type { Jid } from "../protocol/jid.ts";
import { PUBSUB, PUBSUB_OWNER } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { mayRead } from "../pubsub/access.ts";
import { purgeItems } from "../pubsub/create.ts";
import { listed, listNodes, nodeInfo, nodeItems, PERSONAL_FEATURES } from "../pubsub/discovery.ts";
import { PUBSUB_TABLES } from "../pubsub/nodes.ts";
import { Personal } from "../pubsub/personal.ts";
import { answer } from "../pubsub/requests.ts";
import { recheck } from "../pubsub/subscribe.ts";

function request(account: Account, iq: Stanza): Answer {
  const service = Personal.of(account);
  try {
    return iq.type === "get" ? answer(service, iq) : account.object.atomically(() => answer(service, iq));
  } catch (error) {
    // What is in memory of the nodes may be ahead of rows that were undone.
    account.forget(Personal);
    throw error;
  }
}

/** XEP-0163 §5: who has lost sight of the owner's presence, or of its group, loses its subscriptions. */
function reconsider(account: Account, jid: Jid): void {
  const service = Personal.of(account);
  for (const node of service.nodes) recheck(service, node, (other) => other.bare.equals(jid.bare));
}

function items(account: Account, inquiry: Inquiry): void {
  const service = Personal.of(account);
  const { node: name, asker, found } = inquiry;
  if (!name) {
    found.push(...listNodes(service, asker));
    return;
  }
  const node = service.nodes.get(name);
  if (!node || !listed(service, node, asker)) return;
  inquiry.exists = true;
  if (mayRead(service, node, asker)) found.push(...nodeItems(service, node));
}

function info(account: Account, { node: name, asker, found }: Inquiry): void {
  const service = Personal.of(account);
  const node = service.nodes.get(name);
  if (node && listed(service, node, asker)) found.push(...nodeInfo(service, node));
}

export const pep: Feature = {
  name: "pep",
  implements: [
    { id: "XEP-0060", version: "1.30.0", note: "on accounts" },
    { id: "XEP-0163", version: "1.2.2" },
    { id: "XEP-0222", version: "1.0" },
    { id: "XEP-0223", version: "1.1.1" },
  ],
  advertises: { account: PERSONAL_FEATURES },
  identities: { account: [{ category: "pubsub", type: "pep" }] },
  tables: PUBSUB_TABLES,
  handles: [
    ...[PUBSUB, PUBSUB_OWNER].flatMap((ns) => [
      account.iq("get", ns, "pubsub", request),
      account.iq("set", ns, "pubsub", request),
      contact.iq("get", ns, "pubsub", request),
      contact.iq("set", ns, "pubsub", request),
    ]),
    account.hook("disco:items", items),
    account.hook("disco:info", info),
    account.hook("events:wanted", (account, { by, nodes }) => Personal.of(account).greet(by, nodes)),
    account.hook("presence:show", (account, to) => {
      if (to.domain === account.jid.domain) Personal.of(account).greet(to);
    }),
    account.hook("presence:hide", (account, jid) => account.after(() => reconsider(account, jid))),
    account.hook("roster:changed", (account, { jid }) => account.after(() => reconsider(account, jid))),
    account.hook("resource:unavailable", (account, { resource }) => {
      const others = account.resources.available.some((other) => other !== resource);
      if (others) return;
      const service = Personal.of(account);
      for (const node of service.nodes) if (node.config.purgeOffline && node.items.size > 0) purgeItems(service, node);
    }),
    account.hook("account:removed", (account) => Personal.of(account).nodes.clear()),
  ],
};
