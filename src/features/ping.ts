/** XEP-0199: XMPP Ping, v2.0.1 — https://xmpp.org/extensions/xep-0199.html */
import { contact } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { host, stream } from "../kernel/host.ts";

const NS_PING = "urn:xmpp:ping";

export const ping: Feature = {
  name: "ping",
  implements: [{ id: "XEP-0199", version: "2.0.1" }],
  advertises: { host: [NS_PING], account: [NS_PING] },
  handles: [
    host.iq("get", NS_PING, "ping", () => undefined),
    // §4.2: the ping of a client to its server wakes no object.
    stream.iq("get", NS_PING, "ping", () => undefined),
    contact.iq("get", NS_PING, "ping", (account, iq) => account.admit(iq.from)),
  ],
};
