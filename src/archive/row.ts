/** One archived message: its row, its id, its text — the same for accounts and rooms (XEP-0313 §3). */
import type { Table } from "../kernel/feature.ts";
import { Jid } from "../protocol/jid.ts";
import { CLIENT, STANZA_ID } from "../protocol/ns.ts";
import { Stanza } from "../protocol/stanza.ts";
import { escapeAttribute } from "../xml/writer.ts";

/**
 * `id` is the time in ms × 1,000 plus a counter, unique and rising per owner: it sorts, it carries the date, and the UID that
 * clients see is made of it (see uid.ts), so a message costs one row and no index. `hidden` rows are in custody but not in the archive.
 * `peer` is the other side's bare JID; in a room, the author's real one, and `receiver` its real full one.
 */
export const ARCHIVE: Table = {
  name: "archive",
  steps: [
    `CREATE TABLE archive (
       owner INTEGER NOT NULL, id INTEGER NOT NULL, peer TEXT NOT NULL, outgoing INTEGER NOT NULL, hidden INTEGER NOT NULL,
       type TEXT NOT NULL, mid TEXT NOT NULL, sender TEXT NOT NULL, receiver TEXT NOT NULL, lang TEXT NOT NULL,
       inner TEXT NOT NULL, traits INTEGER NOT NULL, origin INTEGER NOT NULL,
       PRIMARY KEY (owner, id)) WITHOUT ROWID`,
  ],
};

/** Ids one millisecond has room for. */
export const PER_MS = 1000;
/** Above every id there is. */
export const MAX_ID = Number.MAX_SAFE_INTEGER;

/** Ids from before a moment are below `idAt(moment)`. */
export const idAt = (ms: number) => ms * PER_MS;
export const timeOf = (id: number) => Math.floor(id / PER_MS);

export interface Archived {
  id: number;
  peer: string;
  outgoing: number;
  hidden: number;
  type: string;
  mid: string;
  sender: string;
  receiver: string;
  lang: string;
  inner: string;
  traits: number;
}

export interface Entry {
  peer: Jid;
  outgoing: boolean;
  hidden: boolean;
  stanza: Stanza;
  /** The id that the same message has in its sender's archive, by which a repeat is known; 0 when it has none. */
  origin?: number;
}

/** The message as it was archived, addressed as it was. */
export function stanzaOf(row: Archived): Stanza {
  return new Stanza({
    kind: "message",
    type: row.type,
    id: row.mid,
    from: Jid.parse(row.sender),
    to: row.receiver ? Jid.parse(row.receiver) : undefined,
    lang: row.lang,
    inner: row.inner,
    traits: row.traits,
  });
}

/** Its text, without a look inside; `to` as it was, or left out (a room's, XEP-0313 §6.1.2). `more` goes behind its children. */
export function textOf({ type, mid, sender, receiver, lang, inner }: Archived, addressed: boolean, more = ""): string {
  const attribute = (name: string, value: string) => (value ? ` ${name}="${escapeAttribute(value)}"` : "");
  const header =
    `<message xmlns="${CLIENT}"` +
    attribute("type", type) +
    attribute("id", mid) +
    attribute("from", sender) +
    attribute("to", addressed ? receiver : "") +
    attribute("xml:lang", lang);
  return inner || more ? `${header}>${inner}${more}</message>` : `${header}/>`;
}

/** XEP-0359: the stanza with the UID that it has in the archive of `by`. */
export function withId(stanza: Stanza, by: Jid, uid: string): Stanza {
  const id = `<stanza-id xmlns="${STANZA_ID}" by="${escapeAttribute(by.toString())}" id="${uid}"/>`;
  return stanza.with({ inner: stanza.inner + id });
}
