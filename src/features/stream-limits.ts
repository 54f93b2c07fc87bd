/** XEP-0478: Stream Limits Advertisement, v0.2.0 — https://xmpp.org/extensions/xep-0478.html. An idle stream has no limit. */
import type { Feature } from "../kernel/feature.ts";
import { xml } from "../xml/element.ts";
import { PRE_AUTH_LIMITS } from "../xml/reader.ts";

const NS = "urn:xmpp:stream-limits:0";

export const streamLimits: Feature = {
  name: "stream-limits",
  implements: [{ id: "XEP-0478", version: "0.2.0" }],
  offers: (phase, _guest, { maxStanzaBytes }) => [
    xml(
      "limits",
      { xmlns: NS },
      xml("max-bytes", {}, String(phase === "login" ? PRE_AUTH_LIMITS.bytes : maxStanzaBytes)),
    ),
  ],
};
