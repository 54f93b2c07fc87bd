/** XEP-0199: XMPP Ping, v2.0.1 — https://xmpp.org/extensions/xep-0199.html */
import { account, contact } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { host } from "../kernel/host.ts";

export const NS_PING = "urn:xmpp:ping";

export const ping: Feature = {
  name: "ping",
  implements: [{ id: "XEP-0199", version: "2.0.1" }],
  advertises: { host: [NS_PING], account: [NS_PING] },
  handles: [
    host.iq("get", NS_PING, "ping", () => undefined),
    account.iq("get", NS_PING, "ping", () => undefined),
    contact.iq("get", NS_PING, "ping", (account, iq) => account.admit(iq.from)),
  ],
};
