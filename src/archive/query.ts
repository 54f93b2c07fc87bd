/** XEP-0313 §4: what a query asks for, v1.1.3; with XEP-0059, XEP-0413 v0.2, XEP-0431 v0.2 — https://xmpp.org/extensions/xep-0313.html */
import { isTrue } from "../protocol/boolean.ts";
import { parseDateTime } from "../protocol/datetime.ts";
import { stanzaError } from "../protocol/errors.ts";
import { readForm } from "../protocol/forms.ts";
import { Jid } from "../protocol/jid.ts";
import { FORMS, MAM } from "../protocol/ns.ts";
import { readPage } from "../protocol/rsm.ts";
import { type Element, xml } from "../xml/element.ts";
import type { Archive } from "./archive.ts";
import { idAt, MAX_ID, PER_MS } from "./row.ts";
import { words } from "./text.ts";

export const FULLTEXT = "urn:xmpp:fulltext:0";
export const ORDER = "urn:xmpp:order-by:1";
const TEXT_FIELD = `{${FULLTEXT}}fulltext`;
const VALIDATE = "http://jabber.org/protocol/xdata-validate";

/** Messages on one page at most (security.md D10). */
export const PAGE = 50;
/** UIDs in one query. */
const MAX_IDS = 256;

export interface Query {
  queryid: string | undefined;
  with: Jid | undefined;
  /** Ids between which the result lies, both included. */
  from: number;
  upTo: number;
  /** The only ids wanted, each of them there. */
  ids: readonly number[] | undefined;
  /** What the text must have all of. */
  words: readonly string[];
  max: number;
  /** The page is the last one of the range, not the first. */
  backwards: boolean;
  /** Newest first, in the set and on its pages (XEP-0413 §6). */
  descending: boolean;
  /** The page is sent from its end to its beginning (§4.3.4). */
  flipped: boolean;
  /** The page begins where the set begins or ends where it ends, so one that is complete is all of it. */
  edge: boolean;
  /** Nothing is filtered by but the position and the time: the way clients catch up. */
  catchUp: boolean;
}

/** Reads a `<query/>`. Throws item-not-found for a UID that is not in the archive, feature-not-implemented for a field unknown here (§4.1.5). */
export function readQuery(payload: Element, archive: Archive): Query {
  const page = readPage(payload, PAGE);
  if (page.index !== undefined) throw stanzaError("feature-not-implemented", "Pages are not found by index here.");
  const descending = readOrder(payload);
  const fields = readFields(payload);
  const one = (name: string) => fields.get(name)?.[0] || undefined;
  const id = (uid: string) => present(archive, uid);

  let from = 0;
  let upTo = MAX_ID;
  const start = one("start");
  const end = one("end");
  if (start !== undefined) from = time(start);
  if (end !== undefined) upTo = time(end) + PER_MS - 1;
  const afterId = one("after-id");
  const beforeId = one("before-id");
  if (afterId !== undefined) from = Math.max(from, id(afterId) + 1);
  if (beforeId !== undefined) upTo = Math.min(upTo, id(beforeId) - 1);
  const later = descending ? page.before : page.after;
  const earlier = descending ? page.after : page.before;
  if (later) from = Math.max(from, id(later) + 1);
  if (earlier) upTo = Math.min(upTo, id(earlier) - 1);

  const ids = fields.get("ids")?.filter((uid) => uid !== "");
  if (ids && ids.length > MAX_IDS) throw stanzaError("policy-violation", `At most ${MAX_IDS} ids in one query.`);
  const jid = one("with");
  const partner = jid === undefined ? undefined : Jid.tryParse(jid);
  if (jid !== undefined && !partner) throw stanzaError("jid-malformed", "<with/> is no address.");
  const text = one(TEXT_FIELD) ?? one("withtext");
  return {
    queryid: payload.attrs.queryid,
    with: partner,
    from,
    upTo,
    ids: ids && [...new Set(ids)].map(id),
    words: text === undefined ? [] : words(text),
    max: page.max,
    backwards: page.before !== undefined,
    descending,
    flipped: payload.getChild("flip-page", MAM) !== undefined,
    edge: !page.after && !page.before,
    catchUp: !jid && !ids && !text && end === undefined && beforeId === undefined,
  };
}

/** The other names this form's fields go by are nobody's; "withtext" is what clients knew before XEP-0431. */
const FIELDS = new Set([
  "with",
  "start",
  "end",
  "before-id",
  "after-id",
  "ids",
  "include-groupchat",
  TEXT_FIELD,
  "withtext",
]);

function readFields(payload: Element): Map<string, string[]> {
  if (!payload.getChild("x", FORMS)) return new Map();
  const form = readForm(payload, MAM);
  if (form?.type !== "submit") throw stanzaError("bad-request", `A query's form is submitted with FORM_TYPE ${MAM}.`);
  for (const name of form.values.keys())
    if (!FIELDS.has(name)) throw stanzaError("feature-not-implemented", `There is no field ${name.slice(0, 64)} here.`);
  return form.values;
}

/** XEP-0413 §5: messages are in the order of their creation, and nothing here modifies one. */
function readOrder(payload: Element): boolean {
  const order = payload.getChild("order", ORDER);
  if (!order) return false;
  if (order.attrs.by !== "creation") throw stanzaError("feature-not-implemented", "Messages are in order of creation.");
  return isTrue(order.attrs.desc);
}

function present(archive: Archive, uid: string): number {
  const row = archive.find(uid);
  if (!row) throw stanzaError("item-not-found", "There is no such message in this archive."); // §4.1.3, §4.3.2
  return row.id;
}

function time(text: string): number {
  const date = parseDateTime(text.trim());
  if (!date) throw stanzaError("bad-request", "A time is written as XEP-0082 says: 2026-11-22T17:12:39Z.");
  return Math.min(Math.max(idAt(date.getTime()), 0), MAX_ID - PER_MS);
}

/** The form with every field there is (§4.1.5). */
export function queryForm(): Element {
  const field = (type: string, name: string, ...children: Element[]) => xml("field", { type, var: name }, ...children);
  return xml(
    "query",
    { xmlns: MAM },
    xml(
      "x",
      { xmlns: FORMS, type: "form" },
      field("hidden", "FORM_TYPE", xml("value", {}, MAM)),
      field("jid-single", "with"),
      field("text-single", "start"),
      field("text-single", "end"),
      field("text-single", "before-id"),
      field("text-single", "after-id"),
      field("list-multi", "ids", xml("validate", { xmlns: VALIDATE, datatype: "xs:string" }, xml("open"))),
      field("boolean", "include-groupchat"),
      field("text-single", TEXT_FIELD),
    ),
  );
}
