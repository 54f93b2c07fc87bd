/** XEP-0424: Message Retraction, v0.4.2 — https://xmpp.org/extensions/xep-0424.html. The author's, in the archives of both sides. */
import { type Account, account, type Passage } from "../account/account.ts";
import { RETRACT, retractedId, tombstoneElement } from "../archive/retraction.ts";
import type { Feature } from "../kernel/feature.ts";
import type { Jid } from "../protocol/jid.ts";

/**
 * §6: a message is retracted by the bare JID it came from and nobody else; the look-up finds no other's. The retraction
 * itself must be in the archive, or nobody who reads the tombstone would know what it is (§5).
 */
function bury(account: Account, { stanza, mark, hidden }: Passage, peer: Jid, outgoing: boolean): void {
  if (mark === undefined || hidden || !stanza.inner.includes(RETRACT)) return;
  const wanted = retractedId(stanza);
  if (wanted === undefined) return;
  const { archive } = account;
  const author = { peer, outgoing };
  const row = archive.findByMessageId(wanted, author) ?? archive.findByOriginId(wanted, author);
  // A retraction stays what it is, or its own tombstones would lead nowhere.
  if (!row || row.id >= mark || row.inner.includes(RETRACT)) return;
  archive.tombstone(row.id, tombstoneElement(stanza.id || archive.uid(mark), account.now));
}

/** Stands behind the archive in the list of features. */
export const retraction: Feature = {
  name: "retraction",
  implements: [{ id: "XEP-0424", version: "0.4.2", note: "among the last 10,000 messages" }],
  advertises: { host: [RETRACT, `${RETRACT}#tombstone`], account: [RETRACT, `${RETRACT}#tombstone`] },
  handles: [
    account.hook("message:outbound", (account, passage) => {
      if (passage.stanza.to) bury(account, passage, passage.stanza.to, true);
    }),
    account.hook("message:inbound", (account, passage) => bury(account, passage, passage.stanza.from, false)),
  ],
};
