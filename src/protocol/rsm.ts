/** XEP-0059: Result Set Management, v1.0 — https://xmpp.org/extensions/xep-0059.html */
import { type Element, xml } from "../xml/element.ts";
import { stanzaError } from "./errors.ts";
import { RSM } from "./ns.ts";

/** Which part of a result set is wanted. */
export interface Page {
  max: number;
  /** Id of the item the page ends before; "" asks for the last page (§2.5). */
  before?: string;
  /** Id of the item the page begins after. */
  after?: string;
  /** Position of the first item wanted (§2.6). */
  index?: number;
}

const MAX_ID = 1024;

/**
 * Reads the `<set/>` in `parent`; without one, or without `<max/>`, a page is `limit` items, and never more.
 * Throws bad-request where a number is none.
 */
export function readPage(parent: Element, limit: number): Page {
  const set = parent.getChild("set", RSM);
  const page: Page = { max: Math.min(number(set, "max") ?? limit, limit) };
  const before = set?.getChild("before", RSM)?.getText();
  const after = set?.getChild("after", RSM)?.getText();
  const index = number(set, "index");
  if ((before ?? "").length > MAX_ID || (after ?? "").length > MAX_ID) throw stanzaError("item-not-found");
  if (before !== undefined) page.before = before;
  // §2.2: no id is "before the first item", so an empty one says nothing.
  if (after) page.after = after;
  if (index !== undefined) page.index = index;
  return page;
}

function number(set: Element | undefined, name: string): number | undefined {
  const text = set?.getChild(name, RSM)?.getText().trim();
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw stanzaError("bad-request", `<${name}/> must be a whole number.`);
  return Number(text);
}

export interface PageResult {
  /** Ids of the first and last item of the page; both absent when it is empty. */
  first?: string | undefined;
  last?: string | undefined;
  /** Position of the first item in the whole set. */
  index?: number | undefined;
  /** Size of the whole set. */
  count?: number | undefined;
}

export function pageElement(result: PageResult): Element {
  const { first, last, index, count } = result;
  return xml(
    "set",
    { xmlns: RSM },
    first !== undefined && xml("first", { index }, first),
    last !== undefined && xml("last", {}, last),
    count !== undefined && xml("count", {}, String(count)),
  );
}

/** Cuts a page out of a list held in memory. Throws item-not-found for an id that is not in it (§2.4). */
export function paginate<T>(items: readonly T[], id: (item: T) => string, page: Page): { items: T[]; set: Element } {
  const position = (wanted: string) => {
    const found = items.findIndex((item) => id(item) === wanted);
    if (found < 0) throw stanzaError("item-not-found", "No such item in this result set.");
    return found;
  };
  let start = page.after === undefined ? (page.index ?? 0) : position(page.after) + 1;
  let end = items.length;
  if (page.before !== undefined) {
    if (page.before !== "") end = position(page.before);
    start = Math.max(start, end - page.max);
  }
  const cut = items.slice(start, Math.max(start, Math.min(end, start + page.max)));
  const [first] = cut;
  const last = cut.at(-1);
  const ends = first === undefined || last === undefined ? {} : { first: id(first), last: id(last), index: start };
  return { items: cut, set: pageElement({ ...ends, count: items.length }) };
}
