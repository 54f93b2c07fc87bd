/** XEP-0313 §4.3: the page of an archive that a query asks for — https://xmpp.org/extensions/xep-0313.html */
import type { Archive } from "./archive.ts";
import type { Query } from "./query.ts";
import type { Archived } from "./row.ts";
import { databaseWord, matches } from "./text.ts";

/**
 * Messages that one query looks at, at most. No index by peer: it would be a second row written per message, which costs
 * as much as reading 1,000, while a whole archive of the usual size (10,000) is looked through in 3.5 ms.
 */
const SCAN = 50_000;
/** The same for a search by text, which reads all of them; and messages looked into here, not by the database, at a time. */
const SEARCH = 10_000;
const INTO = 2_500;
const BATCH = 250;
/** A count is told up to here; to count further costs more than a page. */
const COUNTED = 10_000;
/** Characters of one page; well within what a stream holds for a client that has not acknowledged yet. */
const CHARACTERS = 262_144;

/** Whose messages: conditions on the row, all that are not empty. */
export interface Filter {
  /** The bare JID that the row is filed under. */
  peer?: string;
  /** A full JID that sent or received it. */
  party?: string;
  /** Who it is from. */
  sender?: string;
}

export interface ArchivePage {
  /** In the order of the set: oldest first unless the query is descending. */
  rows: readonly Archived[];
  /** There is nothing more in the direction of the page. */
  complete: boolean;
  /** Ids of the first and last message; where the look-up stopped short, of where to go on from. */
  first: number | undefined;
  last: number | undefined;
  /** Position of the page's first message, and the size of the whole set: only where they cost nothing. */
  index: number | undefined;
  count: number | undefined;
}

export function pageOf(archive: Archive, query: Query, filter: Filter): ArchivePage {
  const { max, edge, descending } = query;
  if (max === 0) return countOnly(archive, query, filter);
  // Filled from its near end: the oldest, or the newest if that is where the page is.
  const down = query.backwards !== descending;
  const found = query.ids ? chosen(archive, query, query.ids, filter, down) : scan(archive, query, filter, down);
  const rows = fitting(found.rows.slice(0, max));
  const complete = rows.length === found.rows.length && found.stopped === undefined;
  const stopped = rows.length === found.rows.length ? found.stopped : undefined;
  const near = rows[0]?.id ?? stopped;
  const far = stopped ?? rows.at(-1)?.id;
  if (query.backwards) rows.reverse();
  const whole = complete && edge;
  return {
    rows,
    complete,
    first: query.backwards ? far : near,
    last: query.backwards ? near : far,
    index: whole && rows.length > 0 ? 0 : undefined,
    count: whole ? rows.length : undefined,
  };
}

/** Cuts a page where it would be too long, but not before its first message. */
function fitting(rows: Archived[]): Archived[] {
  let characters = 0;
  const end = rows.findIndex((row, i) => (characters += row.inner.length) > CHARACTERS && i > 0);
  return end < 0 ? rows : rows.slice(0, end);
}

interface Found {
  /** One more than the page has room for, if there are so many. */
  rows: Archived[];
  /** The message at which the look-up gave up. */
  stopped?: number;
}

function scan(archive: Archive, query: Query, filter: Filter, down: boolean): Found {
  const { words } = query;
  const search = words.length > 0;
  const wanted = search ? { ...filter, word: databaseWord(words), reach: SEARCH } : filter;
  const rows: Archived[] = [];
  let { from, upTo } = query;
  const limit = search ? BATCH : query.max + 1;
  for (let read = 0; ; ) {
    const batch = select(archive, from, upTo, wanted, down, limit);
    for (const row of batch) {
      if (search && !matches(row.inner, words)) continue;
      rows.push(row);
      if (rows.length > query.max) return { rows };
    }
    const last = batch.at(-1)?.id;
    if (batch.length < limit || last === undefined) {
      const stopped = horizon(archive, from, upTo, wanted, down);
      return stopped === undefined ? { rows } : { rows, stopped };
    }
    read += batch.length;
    if (read >= INTO) return { rows, stopped: last };
    if (down) upTo = last - 1;
    else from = last + 1;
  }
}

/** What the database looks for. */
interface Wanted extends Filter {
  /** Lower-case ASCII that the text has. */
  word?: string;
  /** Messages to look at. */
  reach?: number;
}

const isPlain = ({ peer, party, sender, word }: Wanted) => !peer && !party && !sender && !word;

/** The messages of a range that match, at most `limit` of them out of the nearest `reach`. */
function select(
  { sql, owner }: Archive,
  from: number,
  upTo: number,
  wanted: Wanted,
  down: boolean,
  limit: number,
): Archived[] {
  if (isPlain(wanted))
    return down
      ? sql`SELECT * FROM archive WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0
          ORDER BY id DESC LIMIT ${limit}`
      : sql`SELECT * FROM archive WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0
          ORDER BY id LIMIT ${limit}`;
  const { peer = "", party = "", sender = "", word = "", reach = SCAN } = wanted;
  // The inner query reads only what lies at the beginning of a row, and stops when the outer one has enough.
  return down
    ? sql`SELECT archive.* FROM (SELECT id, peer, sender, receiver FROM archive
          WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0 ORDER BY id DESC LIMIT ${reach}) AS near
        CROSS JOIN archive ON archive.owner = ${owner} AND archive.id = near.id
        WHERE (${peer} = '' OR near.peer = ${peer}) AND (${sender} = '' OR near.sender = ${sender})
          AND (${party} = '' OR near.sender = ${party} OR near.receiver = ${party})
          AND (${word} = '' OR instr(lower(archive.inner), ${word})) LIMIT ${limit}`
    : sql`SELECT archive.* FROM (SELECT id, peer, sender, receiver FROM archive
          WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0 ORDER BY id LIMIT ${reach}) AS near
        CROSS JOIN archive ON archive.owner = ${owner} AND archive.id = near.id
        WHERE (${peer} = '' OR near.peer = ${peer}) AND (${sender} = '' OR near.sender = ${sender})
          AND (${party} = '' OR near.sender = ${party} OR near.receiver = ${party})
          AND (${word} = '' OR instr(lower(archive.inner), ${word})) LIMIT ${limit}`;
}

/** The last message that `select` looks at, if it does not see the whole range. */
function horizon(
  { sql, owner }: Archive,
  from: number,
  upTo: number,
  wanted: Wanted,
  down: boolean,
): number | undefined {
  if (isPlain(wanted)) return undefined;
  const skip = (wanted.reach ?? SCAN) - 1;
  const [row] = down
    ? sql<{
        id: number;
      }>`SELECT id FROM archive WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0
        ORDER BY id DESC LIMIT 1 OFFSET ${skip}`
    : sql<{
        id: number;
      }>`SELECT id FROM archive WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0
        ORDER BY id LIMIT 1 OFFSET ${skip}`;
  return row?.id;
}

/** Messages that were asked for by their ids; the other conditions hold for them, too. */
function chosen(archive: Archive, query: Query, ids: readonly number[], filter: Filter, down: boolean): Found {
  const { from, upTo, words, max } = query;
  const { peer, party, sender } = filter;
  const rows = [...ids]
    .filter((id) => id >= from && id <= upTo)
    .sort((a, b) => (down ? b - a : a - b))
    .flatMap((id) => archive.get(id) ?? [])
    .filter(
      (row) =>
        (!peer || row.peer === peer) &&
        (!sender || row.sender === sender) &&
        (!party || row.sender === party || row.receiver === party) &&
        (words.length === 0 || matches(row.inner, words)),
    );
  return { rows: rows.slice(0, max + 1) };
}

/** XEP-0059 §2.7: an empty page asks for nothing but the count. */
function countOnly(archive: Archive, query: Query, filter: Filter): ArchivePage {
  const count = counted(archive, query, filter);
  return { rows: [], complete: count === 0, first: undefined, last: undefined, index: undefined, count };
}

/** Undefined where counting costs too much; by text it would cost as much as the search. */
function counted(archive: Archive, query: Query, filter: Filter): number | undefined {
  const { from, upTo, ids, words } = query;
  if (ids) return chosen(archive, { ...query, max: ids.length }, ids, filter, false).rows.length;
  if (words.length > 0) return undefined;
  const { sql, owner } = archive;
  const { peer = "", party = "", sender = "" } = filter;
  const [row] = sql<{ n: number }>`SELECT count(*) AS n FROM (SELECT 1 FROM (SELECT peer, sender, receiver FROM archive
      WHERE owner = ${owner} AND id >= ${from} AND id <= ${upTo} AND hidden = 0 LIMIT ${SCAN}) AS near
    WHERE (${peer} = '' OR near.peer = ${peer}) AND (${sender} = '' OR near.sender = ${sender})
      AND (${party} = '' OR near.sender = ${party} OR near.receiver = ${party}) LIMIT ${COUNTED + 1})`;
  if (!row || row.n > COUNTED || horizon(archive, from, upTo, filter, false) !== undefined) return undefined;
  return row.n;
}
