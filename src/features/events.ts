/** XEP-0060 §9, §12.4: events on their way to an account's clients — https://xmpp.org/extensions/xep-0060.html#presence */
import { type Account, account, type Passage } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { Personal, wants } from "../pubsub/personal.ts";
import { judge } from "../pubsub/subscribe.ts";

/** A message that came for many readers at once: nothing of it is stored, so that one text does for all of them. */
function hand(account: Account, { stanza, shared, wanted }: Passage): "handled" | undefined {
  if (!shared || (wanted === undefined && stanza.type !== "headline")) return undefined;
  const { resources } = account;
  const to = stanza.to?.resource;
  if (to) {
    const resource = resources.get(to);
    if (resource && (wanted === undefined || wants(resource, wanted))) account.deliver(resource, shared);
  } else if (wanted === undefined) {
    for (const resource of resources.receptive) account.deliver(resource, shared, { bare: true });
  } else for (const resource of resources) if (wants(resource, wanted)) account.deliver(resource, shared);
  return "handled";
}

/** An owner's answer to a request for a subscription (XEP-0060 §8.6). */
function approve(account: Account, { stanza }: Passage): "handled" | undefined {
  if (stanza.to && !stanza.to.equals(account.jid)) return undefined;
  return judge(Personal.of(account), stanza) ? "handled" : undefined;
}

export const events: Feature = {
  name: "events",
  implements: [{ id: "XEP-0060", version: "1.30.0", note: "§9.2 for the reader, §8.6 on accounts" }],
  handles: [account.hook("message:inbound", hand), account.hook("message:outbound", approve)],
};
