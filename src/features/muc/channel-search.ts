/** XEP-0433: Extended Channel Search, v0.1 — https://xmpp.org/extensions/xep-0433.html */
import type { Feature } from "../../kernel/feature.ts";
import type { Listing } from "../../muc/listing.ts";
import { rooms, type ServiceContext } from "../../muc/service.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { booleanField, integerField, listField, listsField, textField } from "../../protocol/form-fields.ts";
import { defaults, formElement, readForm, readSubmission, type Values } from "../../protocol/forms.ts";
import { FORMS } from "../../protocol/ns.ts";
import { paginate, readPage } from "../../protocol/rsm.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

const BASE = "urn:xmpp:channel-search:0";
const SEARCH = `${BASE}:search`;
const PARAMS = `${BASE}:search-params`;
const ERROR = `${BASE}:error`;
const BY_USERS = `{${BASE}:order}nusers`;
const BY_ADDRESS = `{${BASE}:order}address`;
const PAGE = 50;

const FIELDS = {
  q: textField("q", "Search for", "", { max: 256 }),
  all: booleanField("all", "Return all entries", false),
  name: booleanField("sinname", "Search in name", true),
  description: booleanField("sindescription", "Search in description", true),
  address: booleanField("sinaddr", "Search in address", true),
  least: integerField("min_users", "Minimum number of users", 0, { min: 0, max: 1_000_000, absent: 0 }),
  types: listsField(
    "types",
    "Service types",
    ["xep-0045"],
    [
      { value: "xep-0045", label: "Multi-user chats" },
      { value: "xep-0369", label: "MIX channels" },
    ],
  ),
  key: listField("key", "Sort results by", BY_USERS, [
    { value: BY_USERS, label: "Number of online users" },
    { value: BY_ADDRESS, label: "Address" },
  ]),
};
type Wanted = Values<typeof FIELDS>;

const refuse = (condition: Parameters<typeof stanzaError>[0], text: string, name: string, ...children: Element[]) =>
  stanzaError(condition, text, xml(name, { xmlns: ERROR }, ...children), { type: "modify" });

function search(cx: ServiceContext, { payload }: Stanza): Element | undefined {
  const form = readForm(payload.getChild("x", FORMS));
  if (!form) return xml("search", { xmlns: SEARCH }, formElement(PARAMS, FIELDS, defaults(FIELDS)));
  const key = form.values.get("key")?.[0];
  if (key && key !== BY_USERS && key !== BY_ADDRESS)
    throw refuse("feature-not-implemented", "Results are not sorted by this.", "invalid-sort-key");
  const given = readSubmission(form, PARAMS, FIELDS);
  const wanted: Wanted = { ...defaults(FIELDS), ...given };
  if (wanted.all && wanted.q)
    throw refuse(
      "bad-request",
      "All, or those that match?",
      "conflicting-fields",
      xml("var", {}, "all"),
      xml("var", {}, "q"),
    );
  if (given.q === undefined && !wanted.all)
    throw refuse("bad-request", "Say what you look for.", "no-search-conditions");
  const words = wanted.q.toLowerCase().split(/\s+/u).filter(Boolean);
  if (!wanted.all && words.length === 0)
    throw refuse("bad-request", "A word is needed, of one letter at least.", "invalid-search-terms");
  const page = readPage(payload, PAGE);
  cx.later(
    cx.directory.rooms().then((listings) => {
      const found = wanted.types.includes("xep-0045")
        ? listings.filter((listing) => matches(listing, wanted, words))
        : [];
      if (wanted.key === BY_USERS) found.sort((a, b) => b.occupants - a.occupants || (a.jid < b.jid ? -1 : 1));
      const { items, set } = paginate(found, ({ jid }) => jid, page);
      return xml("result", { xmlns: SEARCH }, ...items.map(itemOf), set);
    }),
  );
  return undefined;
}

function matches(listing: Listing, { name, description, address, least }: Wanted, words: readonly string[]): boolean {
  if (listing.occupants < least) return false;
  const texts = [name && listing.name, description && listing.description, address && listing.jid];
  const text = texts.filter(Boolean).join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function itemOf({ jid, name, description, lang, occupants, open, semiAnonymous }: Listing): Element {
  return xml(
    "item",
    { address: jid },
    xml("name", {}, name || jid.split("@", 1)[0]),
    description !== "" && xml("description", {}, description),
    lang !== "" && xml("language", {}, lang),
    xml("nusers", {}, String(occupants)),
    xml("service-type", {}, "xep-0045"),
    xml("is-open", {}, open ? "true" : "false"),
    xml("anonymity-mode", {}, semiAnonymous ? "muc_semianonymous" : `{${BASE}:anonymity}none`),
  );
}

export const channelSearch: Feature = {
  name: "channel-search",
  implements: [{ id: "XEP-0433", version: "0.1.2" }],
  advertises: { rooms: [SEARCH] },
  handles: [rooms.iq("get", SEARCH, "search", search)],
};
