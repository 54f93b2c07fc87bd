/** XEP-0313 §4.2, §5: what an archive answers, with XEP-0297 and XEP-0203 — https://xmpp.org/extensions/xep-0313.html */
import { formatDateTime } from "../protocol/datetime.ts";
import { forwarded } from "../protocol/forward.ts";
import type { Jid } from "../protocol/jid.ts";
import { MAM } from "../protocol/ns.ts";
import { pageElement } from "../protocol/rsm.ts";
import { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { escapeAttribute } from "../xml/writer.ts";
import type { Archive } from "./archive.ts";
import { type Filter, pageOf } from "./page.ts";
import type { Query } from "./query.ts";
import { type Archived, textOf, timeOf } from "./row.ts";

/** How one place shows its archive to one asker. */
export interface Showing {
  /** The address that was asked. */
  from: Jid;
  /** Whom a query means by "with". */
  filter: Filter;
  /** The archived message as this asker may see it; as it was, if absent. */
  text?: (row: Archived) => string;
  /** Takes the results in the order they are sent in; each stanza has no `to` yet. */
  deliver: (result: Stanza, row: Archived) => void;
}

/** Delivers a page. @returns the `<fin/>` that goes behind it, by the same way, so that it comes last (§4) */
export function answerQuery(archive: Archive, query: Query, { from, filter, text, deliver }: Showing): Element {
  const { rows, complete, first, last, index, count } = pageOf(archive, query, filter);
  const queryid = query.queryid === undefined ? "" : ` queryid="${escapeAttribute(query.queryid)}"`;
  const uids = archive.uids(rows.map((row) => row.id));
  const results = rows.map((row, i) => ({ row, uid: uids[i] }));
  for (const { row, uid } of query.flipped ? results.reverse() : results) {
    const message = forwarded(text ? text(row) : textOf(row, true), new Date(timeOf(row.id)));
    const inner = `<result xmlns="${MAM}"${queryid} id="${uid}">${message}</result>`;
    deliver(new Stanza({ kind: "message", from, inner }), row);
  }
  const uid = (id: number | undefined) => (id === undefined ? undefined : archive.uid(id));
  return xml(
    "fin",
    { xmlns: MAM, complete: complete ? "true" : undefined },
    pageElement({ first: uid(first), last: uid(last), index, count }),
  );
}

/** Where an archive begins and ends, at this moment (§5). */
export interface Metadata {
  start: { id: string; timestamp: string };
  end: { id: string; timestamp: string };
}

export function metadataOf(archive: Archive): Metadata | undefined {
  const ends = archive.ends();
  const end = (id: number) => ({ id: archive.uid(id), timestamp: formatDateTime(timeOf(id)) });
  return ends && { start: end(ends.first), end: end(ends.last) };
}

/** Empty when the archive is. */
export function metadataElement(metadata: Metadata | undefined): Element {
  return xml(
    "metadata",
    { xmlns: MAM },
    metadata && xml("start", { ...metadata.start }),
    metadata && xml("end", { ...metadata.end }),
  );
}
