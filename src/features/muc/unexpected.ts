/** XEP-0045 §17.2: a message to a room that is for nobody — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { room } from "../../muc/hooks.ts";
import { stanzaError } from "../../protocol/errors.ts";

/** Stands behind everything that takes messages to the room itself. */
export const unexpected: Feature = {
  name: "unexpected",
  implements: [{ id: "XEP-0045", note: "§17.2 messages of the wrong type" }],
  handles: [
    room.hook("message", (room, stanza) => {
      room.member(stanza);
      if (stanza.type !== "headline")
        throw stanzaError("bad-request", "What everybody shall hear is of type groupchat.");
    }),
  ],
};
