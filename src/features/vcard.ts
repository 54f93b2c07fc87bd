/** XEP-0054: vcard-temp, v1.3.0 — https://xmpp.org/extensions/xep-0054.html */
import { type Account, account, contact } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import { CLIENT } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";

const NS = "vcard-temp";
/** With room for a photograph. */
const MAX_BYTES = 131_072;

function stored({ sql, id }: Account): string | undefined {
  return sql<{ card: string }>`SELECT card FROM vcard WHERE owner = ${id}`[0]?.card;
}

function set(account: Account, iq: Stanza): undefined {
  store(account, iq.payload);
  account.fire("vcard:changed", iq.payload);
}

function store({ sql, id }: Account, element: Element): void {
  const card = serialise(element, CLIENT);
  if (utf8Length(card) > MAX_BYTES) throw stanzaError("not-acceptable", `A vCard has at most ${MAX_BYTES} bytes.`);
  if (element.children.length === 0) sql`DELETE FROM vcard WHERE owner = ${id}`;
  else sql`INSERT OR REPLACE INTO vcard VALUES (${id}, ${card})`;
}

/** The account's avatar is kept elsewhere, too, and has changed there (XEP-0398 §3). One that is too big stays there. */
function picture(account: Account, photo: { type: string; base64: string } | undefined): void {
  if (photo && photo.base64.length > MAX_BYTES - 8192) return;
  const text = stored(account);
  const card = text === undefined ? xml("vCard", { xmlns: NS }) : read(text);
  const others = card.getChildElements().filter(({ name }) => name !== "PHOTO");
  const added = photo && xml("PHOTO", {}, xml("TYPE", {}, photo.type), xml("BINVAL", {}, photo.base64));
  store(account, xml("vCard", card.attrs, ...others, added));
}

/** XEP-0054: the name of somebody who has not said one. */
function named(account: Account, name: string): void {
  if (stored(account) === undefined)
    store(account, xml("vCard", { xmlns: NS }, xml("FN", {}, name), xml("NICKNAME", {}, name)));
}

export const vcard: Feature = {
  name: "vcard",
  implements: [{ id: "XEP-0054", version: "1.3.0" }],
  advertises: { account: [NS] },
  tables: [
    {
      name: "vcard",
      steps: ["CREATE TABLE vcard (owner INTEGER PRIMARY KEY, card TEXT NOT NULL)"],
    },
  ],
  handles: [
    account.iq("get", NS, "vCard", (account, iq) => {
      const card = stored(account);
      return card === undefined ? xml("vCard", { xmlns: NS }) : iq.result().with({ inner: card });
    }),
    account.iq("set", NS, "vCard", set),
    contact.iq("get", NS, "vCard", (account, iq) => {
      const card = stored(account);
      // §3.3: a vCard is public, but an account that has none is like no account.
      if (card === undefined) throw stanzaError("service-unavailable");
      return iq.result().with({ inner: card });
    }),
    contact.iq("set", NS, "vCard", (account, iq) => {
      account.admit(iq.from);
      throw stanzaError("forbidden"); // §3.2
    }),
    account.hook("vcard:photo", picture),
    account.hook("account:named", named),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM vcard WHERE owner = ${id}`;
    }),
  ],
};
