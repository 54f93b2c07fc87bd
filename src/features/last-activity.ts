/**
 * XEP-0012: Last Activity, v2.0 — https://xmpp.org/extensions/xep-0012.html
 * Of accounts only: a server that runs on demand in many places has no uptime (§5).
 */
import { type Account, account, contact } from "../account/account.ts";
import { lastSeen } from "../account/last-seen.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";

const NS = "jabber:iq:last";

/** §3 wants `forbidden` for strangers, which would tell them that the account exists. */
function last(account: Account, iq: Stanza): Element {
  account.admit(iq.from);
  if (account.resources.available.length > 0) return xml("query", { xmlns: NS, seconds: 0 });
  const { at, status } = lastSeen(account);
  if (at === 0) throw stanzaError("item-not-found", "This account was never available.");
  return xml("query", { xmlns: NS, seconds: Math.max(0, Math.floor((account.now - at) / 1000)) }, status);
}

export const lastActivity: Feature = {
  name: "last-activity",
  implements: [{ id: "XEP-0012", version: "2.0", note: "of accounts" }],
  advertises: { account: [NS] },
  handles: [account.iq("get", NS, "query", last), contact.iq("get", NS, "query", last)],
};
