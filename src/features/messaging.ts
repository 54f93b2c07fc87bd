/** RFC 6121 §5 and §8.5: exchanging messages; XEP-0359 v0.7.0 — https://xmpp.org/extensions/xep-0359.html */
import { type Account, type AccountHooks, account, type Passage } from "../account/account.ts";
import { type Plan, planMessage } from "../account/delivery.ts";
import { isOwed, type Resource } from "../account/resources.ts";
import { stanzaOf, withId } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Jid } from "../protocol/jid.ts";
import { Trait } from "../protocol/message.ts";
import type { Stanza } from "../protocol/stanza.ts";

const NS = "urn:xmpp:sid:0";

/** How far back a message that is sent again, or passed on again, is recognised. */
const REPEAT_MS = 7 * 86_400_000;
const RECENT = 200;
/** How far back one is looked for that a gate says again: it does so within seconds. */
const LOST_MS = 60_000;

/**
 * The newest messages by origin-id, so that what a client sends again after a lost stream is not a second message. Ids that
 * merely count exist: only the same text to the same address, on another stream, is the same message.
 */
class Recent {
  readonly #messages = new Map<string, { stanza: Stanza; sid: string | undefined }>();

  constructor(account: Account) {
    for (const row of account.archive.recent(Date.now() - REPEAT_MS, RECENT).reverse()) {
      const id = /<origin-id xmlns="urn:xmpp:sid:0" id="([^"]+)"/.exec(row.inner)?.[1];
      if (id) this.#messages.set(id, { stanza: stanzaOf(row), sid: undefined });
    }
  }

  /** Whether the message has come before; from now on it has. */
  repeats(id: string, stanza: Stanza): boolean {
    const sid = stanza.via?.[1];
    const known = this.#messages.get(id);
    if (known && known.sid !== sid && known.stanza.inner === stanza.inner && known.stanza.to?.equals(stanza.to as Jid))
      return true;
    this.#messages.delete(id);
    this.#messages.set(id, { stanza, sid });
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > RECENT && oldest !== undefined) this.#messages.delete(oldest);
    return false;
  }
}

function outbound(account: Account, passage: Passage): "handled" | undefined {
  const to = passage.stanza.to ?? account.jid; // RFC 6120 §10.3.1
  const stanza = passage.stanza.with({ to });
  passage.stanza = stanza;
  const own = to.equals(account.jid);
  if (stanza.traits & (Trait.STORE | Trait.OFFLINE) && account.settings.archive) {
    // Its gate does not know whether the account took it before it was lost.
    if (passage.again && (passage.mark = account.archive.sentAs(stanza, Date.now() - LOST_MS)) !== undefined) {
      if (!account.object.post.isLocal(stanza)) account.fire("message:pass", passage);
      return "handled";
    }
    const origin = stanza.child("origin-id", NS)?.attrs.id;
    if (origin && account.memo(Recent, () => new Recent(account)).repeats(origin, stanza)) return "handled";
    const hidden = isHidden(passage);
    // A note to oneself is stored once, where it arrives; what nobody may keep, not at all where it need not be passed on.
    if (!own && !(hidden && account.object.post.isLocal(stanza)))
      passage.mark = account.archive.add({ peer: to, outgoing: true, hidden, stanza });
  }
  account.fire("message:pass", passage);
  return undefined;
}

function inbound(account: Account, passage: Passage): "handled" | undefined {
  const { to, from, traits } = passage.stanza;
  if (!to) return "handled";
  const { archive, settings } = account;
  if (passage.again && passage.origin && archive.has(from, passage.origin, Date.now() - REPEAT_MS)) return "handled";
  const plan = planOf(account, passage.stanza, to);
  if (plan === "drop") return "handled";
  if (plan === "error" || (plan === "offline" && account.fire("message:offline", passage) === "handled"))
    throw stanzaError("service-unavailable", "Nobody is there to read this.");
  passage.stanza = withoutId(passage.stanza, account.jid);
  const hidden = isHidden(passage) || !settings.archive;
  if (traits & (Trait.STORE | Trait.OFFLINE) && (plan === "offline" || settings.archive)) {
    const entry = { peer: from, outgoing: false, hidden, stanza: passage.stanza };
    passage.mark = archive.add(passage.origin ? { ...entry, origin: passage.origin } : entry);
    if (!hidden) passage.stanza = withId(passage.stanza, account.jid, archive.uid(passage.mark));
    account.fire("message:stored", passage);
  }
  passage.delivered = plan === "offline" ? [] : plan.to.map(({ resource }) => resource);
  const options = passage.mark === undefined ? {} : { mark: passage.mark };
  for (const resource of passage.delivered) {
    // One that is still catching up gets it in its turn.
    if (passage.mark === undefined || resource.state.behind === undefined)
      account.deliver(resource, passage.stanza, options);
  }
  return undefined;
}

function planOf(account: Account, { type }: Stanza, to: Jid): Plan<{ resource: Resource }> {
  const candidates = [...account.resources].map((resource) => ({
    resource,
    available: resource.state.presence !== undefined,
    priority: resource.state.priority,
  }));
  const matching = to.full ? candidates.find(({ resource }) => resource.jid.resource === to.resource) : undefined;
  return planMessage(type, to.full, candidates, matching);
}

/** It goes once more where it went when it came; gates know what their streams have had. */
function again(account: Account, passage: AccountHooks["message:again"]): "handled" | undefined {
  const { stanza, mark = 0 } = passage;
  const plan = stanza.to ? planOf(account, stanza, stanza.to) : "drop";
  if (typeof plan === "string") return "handled";
  passage.delivered = plan.to.map(({ resource }) => resource);
  for (const resource of passage.delivered)
    if (isOwed(resource, mark) && resource.state.behind === undefined)
      account.deliver(resource, stanza, { mark, again: true });
  return undefined;
}

/** Whether a message is stored only until it has been passed on or read: its owner (XEP-0441) or its author (XEP-0334) wants it so. */
function isHidden({ hidden, stanza }: Passage): boolean {
  return hidden === true || !(stanza.traits & Trait.STORE);
}

/** XEP-0359 §4: only the account itself may say what id it gave; anybody else's claim in its name goes. */
function withoutId(stanza: Stanza, by: Jid): Stanza {
  if (!stanza.inner.includes("<stanza-id ")) return stanza;
  return stanza.without(
    (child) => child.name === "stanza-id" && child.attrs.xmlns === NS && child.attrs.by === by.toString(),
  );
}

export const messaging: Feature = {
  name: "messaging",
  implements: [
    { id: "RFC 6121", note: "§5 and the whole delivery table of §8.5" },
    { id: "XEP-0359", version: "0.7.0" },
  ],
  advertises: { host: [NS], account: [NS], contact: [NS] },
  handles: [
    account.hook("message:outbound", outbound),
    account.hook("message:inbound", inbound),
    account.hook("message:again", again),
  ],
};
