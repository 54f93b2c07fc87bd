/** XEP-0202: Entity Time, v2.0 — https://xmpp.org/extensions/xep-0202.html */
import type { Feature } from "../kernel/feature.ts";
import { host } from "../kernel/host.ts";
import { formatDateTime } from "../protocol/datetime.ts";
import { xml } from "../xml/element.ts";

const NS = "urn:xmpp:time";

export const time: Feature = {
  name: "time",
  implements: [{ id: "XEP-0202", version: "2.0" }],
  advertises: { host: [NS] },
  handles: [
    // A server that is everywhere has no time zone.
    host.iq("get", NS, "time", () =>
      xml("time", { xmlns: NS }, xml("tzo", {}, "+00:00"), xml("utc", {}, formatDateTime(Date.now()))),
    ),
  ],
};
