/** XEP-0092: Software Version, v1.1 — https://xmpp.org/extensions/xep-0092.html. The operating system is nobody's business. */
import manifest from "../../package.json" with { type: "json" };
import type { Feature } from "../kernel/feature.ts";
import { host } from "../kernel/host.ts";
import { xml } from "../xml/element.ts";

const NS = "jabber:iq:version";

export const version: Feature = {
  name: "version",
  implements: [{ id: "XEP-0092", version: "1.1" }],
  advertises: { host: [NS] },
  handles: [
    host.iq("get", NS, "query", () =>
      xml("query", { xmlns: NS }, xml("name", {}, "Enjamb"), xml("version", {}, manifest.version)),
    ),
  ],
};
