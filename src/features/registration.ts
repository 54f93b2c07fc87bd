/** XEP-0077: In-Band Registration, v2.4, of those who have an account — https://xmpp.org/extensions/xep-0077.html. Before: gate/registration.ts. */
import { type Account, account } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { StanzaError, stanzaError } from "../protocol/errors.ts";
import { deriveKeys } from "../protocol/scram.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";

const NS = "jabber:iq:register";
const NS_FEATURE = "http://jabber.org/features/iq-register";
const PASSWORD = { least: 6, most: 1023 };

function get(account: Account): Element {
  return xml(
    "query",
    { xmlns: NS },
    xml("registered"),
    xml("instructions", {}, "Choose a new password."),
    xml("username", {}, account.jid.local),
    xml("password"),
  );
}

function set(account: Account, iq: Stanza): undefined {
  const children = iq.payload.getChildElements();
  if (children.some(({ name }) => name === "remove")) {
    if (children.length > 1) throw stanzaError("bad-request", "Nothing else goes with <remove/>."); // §3.2
    account.after(() => account.remove());
    return;
  }
  const username = iq.payload.getChildText("username", NS);
  const password = iq.payload.getChildText("password", NS) ?? "";
  if (!username || !password) throw stanzaError("bad-request", "A new password comes with its username."); // §3.3
  if (username.toLowerCase().normalize("NFC") !== account.jid.local)
    throw stanzaError("not-allowed", "You can change the password of your own account only.");
  if (password.length < PASSWORD.least || password.length > PASSWORD.most)
    throw stanzaError("not-acceptable", `A password has at least ${PASSWORD.least} characters.`);
  const keys = deriveKeys(password, { iterations: account.settings.scramIterations });
  if (!keys) throw stanzaError("not-acceptable", "This password has characters that no password may have.");
  const keep = account.resources.get(iq.from.resource);
  account.after(() => account.changePassword(JSON.stringify(keys), keep));
}

/** §3.3: an error does not repeat the password. */
function withoutEcho(run: (account: Account, iq: Stanza) => Element | undefined) {
  return (account: Account, iq: Stanza): Element | Stanza | undefined => {
    try {
      return run(account, iq);
    } catch (error) {
      if (error instanceof StanzaError) return iq.with({ inner: "" }).error(error);
      throw error;
    }
  };
}

const change = withoutEcho(set);

export const registration: Feature = {
  name: "registration",
  implements: [{ id: "XEP-0077", version: "2.4" }],
  advertises: { host: [NS] },
  offers: (phase, guest, { registration }) =>
    phase === "login" && !guest && registration !== "closed" ? [xml("register", { xmlns: NS_FEATURE })] : [],
  handles: [
    account.iq("get", NS, "query", get),
    account.iq("set", NS, "query", change),
    // Most clients ask the server, not the account (§3.3).
    account.hook("iq:outbound", (account, iq) => {
      if (!iq.asks || iq.about !== `${NS} query` || iq.to?.toString() !== account.jid.domain) return undefined;
      account.answer(iq, iq.type === "get" ? get(account) : change(account, iq));
      return "handled";
    }),
  ],
};
