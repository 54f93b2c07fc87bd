/** RFC 3921 §3: Session Establishment, which RFC 6120 made needless — https://www.rfc-editor.org/rfc/rfc3921#section-3 */
import type { Feature } from "../kernel/feature.ts";
import { stream } from "../kernel/host.ts";
import * as NS from "../protocol/ns.ts";
import { xml } from "../xml/element.ts";

export const session: Feature = {
  name: "session",
  implements: [
    { id: "RFC 6120", note: "and the session request of RFC 3921, which does nothing, for clients that still make it" },
  ],
  offers: (phase) => (phase === "session" ? [xml("session", { xmlns: NS.SESSION }, xml("optional", {}))] : []),
  // Strophe.js gives up without an answer.
  handles: [stream.iq("set", NS.SESSION, "session", () => undefined)],
};
