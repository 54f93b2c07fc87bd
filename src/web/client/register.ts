/** XEP-0077: In-Band Registration, v2.4 — https://xmpp.org/extensions/xep-0077.html */

import { discover } from "./discover.ts";
import { xml } from "./element.ts";
import { StanzaError, stanzaError } from "./stanza-error.ts";
import { Wire } from "./wire.ts";

/** Makes an account; rejects with StanzaError: conflict (the name is taken), not-allowed, not-acceptable, resource-constraint, … */
export async function register(address: string, domain: string, username: string, password: string): Promise<void> {
  const wire = new Wire(await discover(address), domain);
  try {
    await wire.next();
    const fields = [xml("username", null, username), xml("password", null, password)];
    const query = xml("query", { xmlns: "jabber:iq:register" }, ...fields);
    wire.send(xml("iq", { xmlns: "jabber:client", type: "set", id: "register", to: domain }, query));
    const answer = await wire.next();
    if (answer.attrs.type === "error") throw stanzaError(answer);
    if (answer.attrs.type !== "result") throw new StanzaError("undefined-condition");
  } finally {
    wire.end();
  }
}
