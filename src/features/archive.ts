/** XEP-0313: Message Archive Management, v1.1.3 — https://xmpp.org/extensions/xep-0313.html. The archive itself is src/archive. */
import { type Account, account, contact } from "../account/account.ts";
import { answerQuery, metadataElement, metadataOf } from "../archive/answer.ts";
import type { Filter } from "../archive/page.ts";
import { FULLTEXT, ORDER, type Query, queryForm, readQuery } from "../archive/query.ts";
import { ALARM, keep, noteAdded } from "../archive/retention.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import { MAM } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";

const NAMES = [MAM, `${MAM}#extended`, `${MAM}#groupchat-field`, FULLTEXT, ORDER, `${ORDER}@${MAM}`];

/** §4.1.1: a message matches by the side that is not the account; what it sent itself is filed under its own address. */
function filterOf({ with: partner }: Query): Filter {
  if (!partner) return {};
  const peer = partner.bare.toString();
  return partner.full ? { peer, party: partner.toString() } : { peer };
}

function query(account: Account, iq: Stanza): Element {
  checkOn(account);
  const { archive, resources } = account;
  const query = readQuery(iq.payload, archive);
  const resource = resources.get(iq.from.resource);
  if (!resource) throw stanzaError("forbidden");
  // §6.1.1: who catches up by itself before it is available is not handed the same as offline mail.
  const { state } = resource;
  if (query.catchUp && !state.presence && (state.read ?? 0) < archive.last) {
    state.read = archive.last;
    resources.touch(resource);
  }
  return answerQuery(archive, query, {
    from: iq.to ?? account.jid,
    filter: filterOf(query),
    deliver: (result) => account.deliver(resource, result),
  });
}

function checkOn({ settings }: Account): void {
  if (!settings.archive) throw stanzaError("feature-not-implemented", "There are no archives here.");
}

/** §8.1: an archive is its owner's alone. */
function refuse(account: Account, iq: Stanza): never {
  account.admit(iq.from);
  throw stanzaError("forbidden", "This archive is somebody else's.");
}

export const archive: Feature = {
  name: "archive",
  when: ({ archive }) => archive,
  implements: [
    { id: "XEP-0313", version: "1.1.3" },
    { id: "XEP-0059", version: "1.0", note: "no pages by index" },
    { id: "XEP-0413", version: "0.2.1", note: "messages by creation" },
    { id: "XEP-0431", version: "0.2.0", note: "looks through 10,000 messages a page" },
  ],
  // Clients look on the bare JID or on the server, and each kind is found (§7).
  advertises: { host: NAMES, account: NAMES },
  handles: [
    account.iq("set", MAM, "query", query),
    account.iq("get", MAM, "query", (account) => {
      checkOn(account);
      return queryForm();
    }),
    account.iq("get", MAM, "metadata", (account) => {
      checkOn(account);
      return metadataElement(metadataOf(account.archive));
    }),
    contact.iq("set", MAM, "query", refuse),
    contact.iq("get", MAM, "query", refuse),
    contact.iq("get", MAM, "metadata", refuse),
    account.hook("message:stored", noteAdded),
    account.hook("message:outbound", (account, { mark }) => {
      if (mark !== undefined) noteAdded(account);
    }),
    account.alarm<null>(ALARM, keep),
  ],
};
