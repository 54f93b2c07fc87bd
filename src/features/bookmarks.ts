/**
 * XEP-0402: PEP Native Bookmarks, v1.2.0 — https://xmpp.org/extensions/xep-0402.html; XEP-0048 v1.2, XEP-0411 v1.1.0.
 * Rooms are kept as items of their own; the older list of them, on its node and in private storage, is the same list.
 */
import { type Account, account } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { isTrue } from "../protocol/boolean.ts";
import { Jid } from "../protocol/jid.ts";
import { Personal } from "../pubsub/personal.ts";
import { removeItems } from "../pubsub/publish.ts";
import type { Change } from "../pubsub/service.ts";
import { type Element, text, xml } from "../xml/element.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";

const ITEMS = "urn:xmpp:bookmarks:1";
const LIST = "storage:bookmarks";
/** The list is the only item of its node (XEP-0048 §3.1). */
const CURRENT = "current";

/** What both formats say of a room. */
interface Bookmark {
  name: string;
  autojoin: boolean;
  nick: string;
  password: string;
}

function readBookmark(conference: Element): Bookmark {
  const { name = "", autojoin } = conference.attrs;
  const part = (element: string) => text(conference, element) ?? "";
  return { name, autojoin: isTrue(autojoin), nick: part("nick"), password: part("password") };
}

const same = (a: Bookmark, b: Bookmark) =>
  a.name === b.name && a.autojoin === b.autojoin && a.nick === b.nick && a.password === b.password;

function conference(
  { name, autojoin, nick, password }: Bookmark,
  attrs: Record<string, string>,
  more?: Element,
): Element {
  return xml(
    "conference",
    { ...attrs, name: name || undefined, autojoin: autojoin ? "true" : undefined },
    nick !== "" && xml("nick", {}, nick),
    password !== "" && xml("password", {}, password),
    more,
  );
}

/** Accounts whose bookmarks are being converted: what that changes is not converted back. */
const busy = new WeakSet<Account>();

function convert(account: Account, { node, published, retracted, purged, deleted }: Change): void {
  if ((node.name !== ITEMS && node.name !== LIST) || busy.has(account)) return;
  if (!published && !retracted && !purged && !deleted) return;
  busy.add(account);
  try {
    if (node.name === ITEMS) listItems(Personal.of(account), deleted === true);
    else if (published) itemise(Personal.of(account), published.at(-1)?.payload ?? "");
  } finally {
    busy.delete(account);
  }
}

/** §4: the list says what the items say. What else is in it, addresses of web pages, stays. */
function listItems(service: Personal, none: boolean): void {
  const items = none ? undefined : service.nodes.get(ITEMS)?.items;
  const old = service.nodes.get(LIST)?.items.get(CURRENT)?.payload;
  const rooms = (items?.entries ?? []).map(({ id }) =>
    conference(readBookmark(read(items?.get(id)?.payload ?? "<conference/>")), { jid: id }),
  );
  const others = old
    ? read(old)
        .getChildElements()
        .filter(({ name }) => name !== "conference")
    : [];
  const payload = serialise(xml("storage", { xmlns: LIST }, ...rooms, ...others));
  if (payload !== old) service.publish(LIST, [{ id: CURRENT, payload }]);
}

/** §4: each item that a new list changes is published, each that it lacks retracted, and nobody hears of the others. */
function itemise(service: Personal, list: string): void {
  const { nodes } = service;
  const rooms = new Map<string, Bookmark>();
  for (const room of list ? read(list).getChildren("conference", LIST) : []) {
    const jid = Jid.tryParse(room.attrs.jid ?? "");
    if (jid) rooms.set(jid.bare.toString(), readBookmark(room));
  }
  const items = nodes.get(ITEMS)?.items;
  for (const [id, bookmark] of rooms) {
    const old = items?.get(id);
    const before = old && read(old.payload);
    if (before && same(readBookmark(before), bookmark)) continue;
    const payload = serialise(conference(bookmark, { xmlns: ITEMS }, before?.getChild("extensions")));
    service.publish(ITEMS, [{ id, payload }]);
  }
  const node = nodes.get(ITEMS);
  const gone = node?.items.entries.flatMap(({ id }) => (rooms.has(id) ? [] : [id])) ?? [];
  if (node && gone.length > 0) removeItems(service, node, gone, true);
}

export const bookmarks: Feature = {
  name: "bookmarks",
  implements: [
    { id: "XEP-0402", version: "1.2.0", note: "with conversion" },
    { id: "XEP-0048", version: "1.2" },
    { id: "XEP-0411", version: "1.1.0" },
  ],
  advertises: { account: [`${ITEMS}#compat`, `${ITEMS}#compat-pep`, "urn:xmpp:bookmarks-conversion:0"] },
  handles: [
    account.hook("node:changed", convert),
    account.hook("private:get", (account, asked) => {
      if (asked.ns !== LIST || asked.name !== "storage") return;
      asked.found = Personal.of(account).nodes.get(LIST)?.items.get(CURRENT)?.payload;
    }),
    account.hook("private:set", (account, fragment) => {
      if (!fragment.is("storage", LIST)) return undefined;
      Personal.of(account).publish(LIST, [{ id: CURRENT, payload: serialise(fragment) }]);
      return "handled";
    }),
  ],
};
