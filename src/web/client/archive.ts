/** XEP-0313: Message Archive Management, v1.1.3, with 0059 and 0297 — https://xmpp.org/extensions/xep-0313.html */
import type { Client } from "./client.ts";
import { type Element, xml } from "./element.ts";
import { nonce } from "./negotiate.ts";

export const MAM = "urn:xmpp:mam:2";
const RSM = "http://jabber.org/protocol/rsm";

export interface Archived {
  id: string;
  time: number;
  message: Element;
}

export interface Page {
  /** Oldest first, whichever way was paged. */
  items: Archived[];
  /** Nothing lies beyond this page in the direction asked for. */
  complete: boolean;
}

/**
 * One page of an archive: a room's, or our own when `archive` is undefined. `filter` is a submitted form (§4.1); `before: ""` asks for the newest page; without
 * `before` and `after` it is the oldest. Results count only from the archive asked, with the id of this query (security §5.3).
 */
export async function page(
  client: Client,
  archive: string | undefined,
  { before, after, max, filter }: { before?: string; after?: string; max: number; filter?: Element },
): Promise<Page> {
  const queryid = nonce();
  const items: Archived[] = [];
  const off = client.on("stanza", (stanza) => {
    const result = stanza.child("result", MAM);
    if (!result || result.attrs.queryid !== queryid || (stanza.attrs.from ?? client.bare) !== (archive ?? client.bare))
      return;
    const forwarded = result.child("forwarded", "urn:xmpp:forward:0");
    const message = forwarded?.child("message", "jabber:client");
    const time = Date.parse(forwarded?.child("delay", "urn:xmpp:delay")?.attrs.stamp ?? "");
    if (message) items.push({ id: result.attrs.id ?? "", time, message });
  });
  try {
    const set = xml(
      "set",
      { xmlns: RSM },
      xml("max", null, `${max}`),
      before !== undefined && xml("before", null, before),
      after !== undefined && xml("after", null, after),
    );
    const answer = await client.iq("set", archive, xml("query", { xmlns: MAM, queryid }, filter, set));
    return { items, complete: /^(1|true)$/.test(answer.child("fin", MAM)?.attrs.complete ?? "") };
  } finally {
    off();
  }
}
