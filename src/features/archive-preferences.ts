/** XEP-0441: Message Archive Management Preferences, v0.2.0 — https://xmpp.org/extensions/xep-0441.html */
import { type Account, account, contact, type Passage } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import { MAM } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";

/** Addresses on either list. */
const MAX_JIDS = 500;

type Standard = "always" | "never" | "roster";

interface Row {
  standard: Standard;
  always: string;
  never: string;
}

class Preferences {
  readonly standard: Standard;
  readonly always: ReadonlySet<string>;
  readonly never: ReadonlySet<string>;

  constructor({ sql, id }: Account) {
    const [row] = sql<Row>`SELECT standard, always, never FROM archive_preference WHERE owner = ${id}`;
    this.standard = row?.standard ?? "always";
    this.always = new Set(row ? JSON.parse(row.always) : []);
    this.never = new Set(row ? JSON.parse(row.never) : []);
  }

  /** §2.2: a listed bare JID stands for all its resources. On both lists, the one that keeps less holds. */
  keeps(account: Account, jid: Jid): boolean {
    const listed = (list: ReadonlySet<string>) =>
      list.size > 0 && (list.has(jid.toString()) || list.has(jid.bare.toString()));
    if (listed(this.never)) return false;
    if (this.standard === "always" || listed(this.always)) return true;
    return this.standard === "roster" && account.contacts.get(jid)?.listed === true;
  }

  get element(): Element {
    const list = (name: string, jids: ReadonlySet<string>) =>
      xml(name, {}, ...[...jids].map((jid) => xml("jid", {}, jid)));
    return xml("prefs", { xmlns: MAM, default: this.standard }, list("always", this.always), list("never", this.never));
  }
}

const preferences = (account: Account) => account.memo(Preferences, () => new Preferences(account));

/** What is not to be kept is in custody only, and gone when it has been passed on or read. */
function hide(account: Account, passage: Passage, other: Jid): void {
  if (!preferences(account).keeps(account, other)) passage.hidden = true;
}

function set(account: Account, { payload }: Stanza): Element {
  const standard = payload.attrs.default;
  if (standard !== "always" && standard !== "never" && standard !== "roster")
    throw stanzaError("bad-request", 'The default is "always", "never" or "roster".');
  const always = JSON.stringify(read(payload, "always"));
  const never = JSON.stringify(read(payload, "never"));
  account.sql`INSERT OR REPLACE INTO archive_preference VALUES (${account.id}, ${standard}, ${always}, ${never})`;
  account.forget(Preferences);
  return preferences(account).element;
}

function read(payload: Element, name: string): string[] {
  const jids = (payload.getChild(name, MAM)?.getChildren("jid", MAM) ?? []).map((child) => {
    const jid = Jid.tryParse(child.getText().trim());
    if (!jid) throw stanzaError("jid-malformed", `<${name}/> names something that is no address.`);
    return jid.toString();
  });
  if (jids.length > MAX_JIDS) throw stanzaError("resource-constraint", `A list has at most ${MAX_JIDS} addresses.`);
  return [...new Set(jids)];
}

function refuse(account: Account, iq: Stanza): never {
  account.admit(iq.from);
  throw stanzaError("forbidden");
}

/** Stands before the archive in the list of features. */
export const archivePreferences: Feature = {
  name: "archive-preferences",
  when: ({ archive }) => archive,
  implements: [{ id: "XEP-0441", version: "0.2.0" }],
  tables: [
    {
      name: "archive_preference",
      steps: [
        `CREATE TABLE archive_preference (
           owner INTEGER PRIMARY KEY, standard TEXT NOT NULL, always TEXT NOT NULL, never TEXT NOT NULL)`,
      ],
    },
  ],
  handles: [
    account.iq("get", MAM, "prefs", (account) => preferences(account).element),
    account.iq("set", MAM, "prefs", set),
    contact.iq("get", MAM, "prefs", refuse),
    contact.iq("set", MAM, "prefs", refuse),
    account.hook("message:outbound", (account, passage) => hide(account, passage, passage.stanza.to ?? account.jid)),
    account.hook("message:inbound", (account, passage) => hide(account, passage, passage.stanza.from)),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM archive_preference WHERE owner = ${id}`;
    }),
  ],
};
