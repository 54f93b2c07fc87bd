/** XEP-0060 §9, §12.4: events on their way to an account's clients — https://xmpp.org/extensions/xep-0060.html#presence */
import { type Account, account, type Notice, type Passage } from "../account/account.ts";
import { isReceptive, type Resource } from "../account/resources.ts";
import type { Feature } from "../kernel/feature.ts";
import { CLIENT } from "../protocol/ns.ts";
import { Personal, wants } from "../pubsub/personal.ts";
import { judge } from "../pubsub/subscribe.ts";

/** A client elsewhere that cannot be reached asks for nothing any more (XEP-0060 §12.4). */
function forget({ sql, id }: Account, { stanza: { type, from } }: Passage): void {
  if (type === "error" && from.full) sql`DELETE FROM pubsub_interest WHERE owner = ${id} AND jid = ${from.toString()}`;
}

/** An event goes to the clients that it is for. */
function hand(account: Account, { stanza, to, wanted, shows }: Notice): void {
  const { resources } = account;
  const fits = (resource: Resource) =>
    (wanted === undefined || wants(resource, wanted)) && (!shows || shows.includes(showOf(account, resource)));
  if (to.full) {
    const resource = resources.get(to.resource);
    if (resource && fits(resource)) account.deliver(resource, stanza);
    return;
  }
  // What a client has asked for by its capabilities is addressed to it (XEP-0163 §4.3.2).
  const options = wanted === undefined ? { bare: true } : {};
  for (const resource of resources)
    if ((wanted !== undefined || isReceptive(resource)) && fits(resource)) account.deliver(resource, stanza, options);
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
  implements: [{ id: "XEP-0060", version: "1.30.0" }],
  handles: [
    account.hook("event:inbound", hand),
    account.hook("message:inbound", forget),
    account.hook("message:outbound", approve),
  ],
};
