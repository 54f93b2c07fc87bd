/** XEP-0049: Private XML Storage, v1.2 — https://xmpp.org/extensions/xep-0049.html */
import { type Account, type AccountHooks, account, contact } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { stanzaError } from "../protocol/errors.ts";
import { CLIENT } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import { serialise } from "../xml/writer.ts";

const NS = "jabber:iq:private";
/** Fragments of one account, and characters of all of them. */
const MAX_FRAGMENTS = 100;
const MAX_LENGTH = 1_048_576;

/** The fragments of a request, each in a namespace of its own. */
function fragments(iq: Stanza): Element[] {
  const children = iq.payload.getChildElements();
  if (children.some(({ attrs }) => !attrs.xmlns || attrs.xmlns === NS))
    throw stanzaError("not-acceptable", "What is stored has a namespace of its own.");
  return children;
}

function get(account: Account, iq: Stanza): Stanza {
  const { sql, id } = account;
  const [wanted, second] = fragments(iq);
  if (!wanted || second) throw stanzaError("bad-request", "A request names exactly one fragment."); // §2.3
  const { name, attrs } = wanted;
  const asked: AccountHooks["private:get"] = { ns: attrs.xmlns ?? "", name, found: undefined };
  account.fire("private:get", asked);
  const [row] = sql<{ fragment: string }>`SELECT fragment FROM private
    WHERE owner = ${id} AND ns = ${asked.ns} AND name = ${name}`;
  const fragment = asked.found ?? row?.fragment ?? serialise(wanted, CLIENT);
  return iq.result().with({ inner: `<query xmlns="${NS}">${fragment}</query>` });
}

function set(account: Account, iq: Stanza): undefined {
  const { sql, id, settings } = account;
  const given = fragments(iq);
  if (given.length === 0) throw stanzaError("not-acceptable", "There is nothing to store in this."); // §2.3
  for (const child of given)
    if (account.fire("private:set", child) !== "handled")
      sql`INSERT OR REPLACE INTO private VALUES (${id}, ${child.attrs.xmlns ?? ""}, ${child.name}, ${serialise(child)})`;
  const [sum] = sql<{ n: number; size: number | null }>`SELECT count(*) AS n, sum(length(fragment)) AS size FROM private
    WHERE owner = ${id}`;
  if (settings.limits && sum && (sum.n > MAX_FRAGMENTS || (sum.size ?? 0) > MAX_LENGTH))
    throw stanzaError("resource-constraint", "The account's private storage is full.");
}

function refuse(account: Account, iq: Stanza): never {
  account.admit(iq.from);
  throw stanzaError("forbidden"); // §2.3
}

export const privateStorage: Feature = {
  name: "private-storage",
  implements: [{ id: "XEP-0049", version: "1.2" }],
  advertises: { host: [NS], account: [NS] },
  tables: [
    {
      name: "private",
      steps: [
        `CREATE TABLE private (
           owner INTEGER NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, fragment TEXT NOT NULL,
           PRIMARY KEY (owner, ns, name)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    account.iq("get", NS, "query", get),
    account.iq("set", NS, "query", (account, iq) => account.object.atomically(() => set(account, iq))),
    contact.iq("get", NS, "query", refuse),
    contact.iq("set", NS, "query", refuse),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM private WHERE owner = ${id}`;
    }),
  ],
};
