/** XEP-0280: Message Carbons, v1.0.1 — https://xmpp.org/extensions/xep-0280.html. What is copied (§6.1) is `Trait.CARBON`. */
import { type Account, account, type Passage } from "../account/account.ts";
import { isOwed, type Resource } from "../account/resources.ts";
import { withId } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import { forwarded } from "../protocol/forward.ts";
import { Trait } from "../protocol/message.ts";
import { CARBONS, MUC_USER } from "../protocol/ns.ts";
import { Stanza } from "../protocol/stanza.ts";

function turn(on: boolean) {
  return (account: Account, iq: Stanza): undefined => {
    const resource = account.resources.get(iq.from.resource);
    if (!resource) return;
    if (on) resource.state.carbons = true;
    else delete resource.state.carbons;
    account.resources.touch(resource);
  };
}

function copy(
  account: Account,
  direction: "sent" | "received",
  { stanza, mark }: Omit<Passage, "again">,
  to: readonly Resource[],
  again = false,
): void {
  if (to.length === 0) return;
  const { type, traits, lang } = stanza;
  const inner = `<${direction} xmlns="${CARBONS}">${forwarded(stanza.text())}</${direction}>`;
  const wrapper = new Stanza({ kind: "message", type, from: account.jid, lang, inner, traits: traits & Trait.STATE });
  // A copy that was acknowledged counts as read like the message itself.
  const options = direction === "received" && mark !== undefined ? { mark, again } : {};
  for (const resource of to) account.deliver(resource, wrapper, options);
}

function sent(account: Account, passage: Passage): void {
  const { stanza } = passage;
  // What an account sends to itself is copied where it arrives.
  if (!(stanza.traits & Trait.CARBON) || stanza.to?.bare.equals(account.jid)) return;
  const others = [...account.resources].filter(({ jid, state }) => state.carbons && !jid.equals(stanza.from));
  if (others.length === 0) return;
  // XEP-0313 §3.5: its other clients learn where it lies in their archive, its readers do not.
  const { mark, hidden } = passage;
  const stored = mark !== undefined && !hidden && (stanza.traits & Trait.STORE) !== 0;
  const known = stored ? withId(stanza, account.jid, account.archive.uid(mark)) : stanza;
  copy(account, "sent", { ...passage, stanza: known }, others);
}

function received(account: Account, passage: Omit<Passage, "again">, again = false): void {
  const { stanza, mark, delivered = [] } = passage;
  if (!eligible(stanza)) return;
  const others = [...account.resources].filter(
    (resource) =>
      resource.state.carbons &&
      !delivered.includes(resource) &&
      !resource.jid.equals(stanza.from) &&
      // One that is still catching up gets the message itself in its turn.
      (mark === undefined || (resource.state.behind === undefined && isOwed(resource, mark))) &&
      // Where it waits for a reader, those who are not available yet get it when they are.
      (delivered.length > 0 || resource.state.presence),
  );
  copy(account, "received", passage, others, again);
}

/** §6.1: rooms hand private messages to all clients of an occupant themselves, but an invitation to one only. */
function eligible(stanza: Stanza): boolean {
  const room = stanza.type === "groupchat" ? undefined : stanza.child("x", MUC_USER);
  if (room)
    return room.getChild("invite", MUC_USER) !== undefined && !stanza.inner.includes(`<private xmlns="${CARBONS}"`);
  return (stanza.traits & Trait.CARBON) !== 0;
}

/** §11: nobody but the account itself makes copies in its name; what pretends to be one loses that part. */
function unmask(account: Account, passage: Passage): void {
  const { stanza } = passage;
  if (!stanza.inner.includes(CARBONS) || stanza.from.equals(account.jid)) return;
  passage.stanza = stanza.without(
    ({ name, attrs }) => attrs.xmlns === CARBONS && (name === "sent" || name === "received"),
  );
}

/** Stands before the archive in the list of features. */
export const carbonGuard: Feature = {
  name: "carbons",
  implements: [],
  handles: [account.hook("message:inbound", unmask)],
};

/** Stands behind it: what is copied has its id. */
export const carbons: Feature = {
  name: "carbons",
  implements: [{ id: "XEP-0280", version: "1.0.1" }],
  advertises: { host: [CARBONS], account: [CARBONS] },
  handles: [
    account.iq("set", CARBONS, "enable", turn(true)),
    account.iq("set", CARBONS, "disable", turn(false)),
    account.hook("message:outbound", sent),
    account.hook("message:inbound", (account, passage) => received(account, passage)),
    account.hook("message:again", (account, passage) => received(account, passage, true)),
  ],
};
