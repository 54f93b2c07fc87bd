/** RFC 6121 §5 and §8.5: exchanging messages; XEP-0359 v0.7.0 — https://xmpp.org/extensions/xep-0359.html */
import { type Account, account, type Passage } from "../account/account.ts";
import { uidOf } from "../account/archive.ts";
import { planMessage } from "../account/delivery.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { Trait } from "../protocol/message.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { xml } from "../xml/element.ts";

const NS = "urn:xmpp:sid:0";

/** How far back a message that is sent again, or passed on again, is recognised. */
const REPEAT_MS = 7 * 86_400_000;
const RECENT = 200;

/** origin-ids of the newest messages, so that what a client sends again after a lost stream is not a second message. */
class Recent {
  readonly #ids = new Set<string>();

  constructor(account: Account) {
    const sent = account.archive.recent(Date.now() - REPEAT_MS, RECENT).reverse();
    for (const { inner } of sent) {
      const id = /<origin-id xmlns="urn:xmpp:sid:0" id="([^"]+)"/.exec(inner)?.[1];
      if (id) this.#ids.add(id);
    }
  }

  /** Whether the id is new; it no longer is. */
  first(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > RECENT) for (const oldest of this.#ids) return this.#ids.delete(oldest);
    return true;
  }
}

function outbound(account: Account, passage: Passage): "handled" | undefined {
  const to = passage.stanza.to ?? account.jid; // RFC 6120 §10.3.1
  const stanza = passage.stanza.with({ to });
  passage.stanza = stanza;
  const own = to.equals(account.jid);
  if (stanza.traits & Trait.STORE && account.settings.archive) {
    const origin = stanza.child("origin-id", NS)?.attrs.id;
    if (origin && !account.memo(Recent, () => new Recent(account)).first(origin)) return "handled";
    // A note to oneself is stored once, where it arrives.
    if (!own) passage.mark = account.archive.add({ peer: to, outgoing: true, hidden: passage.hidden === true, stanza });
  }
  account.fire("message:pass", passage);
  return undefined;
}

function inbound(account: Account, passage: Passage): "handled" | undefined {
  const { to, from, type, traits } = passage.stanza;
  if (!to) return "handled";
  const { archive, settings } = account;
  if (passage.again && passage.origin && archive.has(from, passage.origin, Date.now() - REPEAT_MS)) return "handled";
  const candidates = [...account.resources].map((resource) => ({
    resource,
    available: resource.state.presence !== undefined,
    priority: resource.state.priority,
  }));
  const matching = to.full ? candidates.find(({ resource }) => resource.jid.resource === to.resource) : undefined;
  const plan = planMessage(type, to.full, candidates, matching);
  if (plan === "drop") return "handled";
  if (plan === "error" || (plan === "offline" && account.fire("message:offline", passage) === "handled"))
    throw stanzaError("service-unavailable", "Nobody is there to read this.");
  passage.stanza = withoutId(passage.stanza, account.jid);
  const hidden = passage.hidden === true || !settings.archive;
  if (traits & Trait.STORE && (plan === "offline" || settings.archive)) {
    const entry = { peer: from, outgoing: false, hidden, stanza: passage.stanza };
    passage.mark = archive.add(passage.origin ? { ...entry, origin: passage.origin } : entry);
    if (!hidden) passage.stanza = withId(passage.stanza, account.jid, passage.mark);
    account.fire("message:stored", passage);
  }
  passage.delivered = plan === "offline" ? [] : plan.to.map(({ resource }) => resource);
  const options = passage.mark === undefined ? {} : { mark: passage.mark };
  for (const resource of passage.delivered) account.deliver(resource, passage.stanza, options);
  return undefined;
}

/** XEP-0359 §4: only the account itself may say what id it gave; anybody else's claim in its name goes. */
function withoutId(stanza: Stanza, by: Jid): Stanza {
  if (!stanza.inner.includes(NS)) return stanza;
  return stanza.without(
    (child) => child.name === "stanza-id" && child.attrs.xmlns === NS && child.attrs.by === by.toString(),
  );
}

/** The stanza with the id that it has in the archive of `by`. */
export function withId(stanza: Stanza, by: Jid, id: number): Stanza {
  return stanza.plus(xml("stanza-id", { xmlns: NS, by: by.toString(), id: uidOf(id) }));
}

export const messaging: Feature = {
  name: "messaging",
  implements: [
    { id: "RFC 6121", note: "§5 and the whole delivery table of §8.5" },
    { id: "XEP-0359", version: "0.7.0" },
  ],
  advertises: { account: [NS], contact: [NS] },
  handles: [account.hook("message:outbound", outbound), account.hook("message:inbound", inbound)],
};
