/** XEP-0060 §9, §12.4: events on their way to an account's clients — https://xmpp.org/extensions/xep-0060.html#presence */
import { type Account, account, type Passage } from "../account/account.ts";
import type { Resource } from "../account/resources.ts";
import type { Feature } from "../kernel/feature.ts";
import { CLIENT } from "../protocol/ns.ts";
import { Personal, wants } from "../pubsub/personal.ts";
import { judge } from "../pubsub/subscribe.ts";

/** A message that came for many readers at once: nothing of it is stored, so that one text does for all of them. */
function hand(account: Account, { stanza, shared, wanted, shows }: Passage): "handled" | undefined {
  // A client elsewhere that cannot be reached asks for nothing any more (XEP-0060 §12.4).
  if (stanza.type === "error" && stanza.from.full) {
    const { sql, id } = account;
    sql`DELETE FROM pubsub_interest WHERE owner = ${id} AND jid = ${stanza.from.toString()}`;
  }
  if (!shared || (wanted === undefined && !shows && stanza.type !== "headline")) return undefined;
  const { resources } = account;
  const fits = (resource: Resource) =>
    (wanted === undefined || wants(resource, wanted)) && (!shows || shows.includes(showOf(account, resource)));
  const to = stanza.to?.resource;
  if (to) {
    const resource = resources.get(to);
    if (resource && fits(resource)) account.deliver(resource, shared);
  } else {
    // What a client has asked for by its capabilities is addressed to it (XEP-0163 §4.3.2).
    const bare = wanted === undefined;
    for (const resource of bare ? resources.receptive : resources)
      if (fits(resource)) account.deliver(resource, shared, { bare });
  }
  return "handled";
}

/** What a client shows of itself, "" when it is not available. */
function showOf({ resources }: Account, resource: Resource): string {
  const presence = resources.presence(resource);
  return presence ? presence.child("show", CLIENT)?.getText().trim() || "online" : "";
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
