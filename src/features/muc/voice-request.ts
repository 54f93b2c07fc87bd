/** XEP-0045 §7.13, §8.6: asking for voice, and giving it — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { booleanField, jidField, listField, textField } from "../../protocol/form-fields.ts";
import { formElement, readForm, readSubmission } from "../../protocol/forms.ts";
import { FORMS } from "../../protocol/ns.ts";
import { stanza as newStanza, type Stanza } from "../../protocol/stanza.ts";

const REQUEST = "http://jabber.org/protocol/muc#request";

const FIELDS = {
  role: listField("muc#role", "Requested role", "participant", [{ value: "participant" }]),
  jid: jidField("muc#jid", "Who asks"),
  nick: textField("muc#roomnick", "Nick", "", { max: 1023 }),
  allow: booleanField("muc#request_allow", "Give voice?", false),
};

function take(room: Room, stanza: Stanza): "handled" | undefined {
  const form = readForm(stanza.child("x", FORMS));
  if (form?.formType !== REQUEST) return undefined;
  const { occupant } = room.member(stanza);
  const { role, nick, allow } = readSubmission(form, REQUEST, FIELDS);
  if (occupant.role === "moderator") {
    const asker = allow ? room.occupants.get(nick ?? "") : undefined;
    if (asker?.role === "visitor") room.play(asker, "participant", occupant.nick);
  } else if (role === "participant" && occupant.role === "visitor") ask(room, stanza);
  return "handled";
}

function ask(room: Room, stanza: Stanza): void {
  const { moderators } = room.occupants.audiences;
  if (moderators.gates.size + moderators.remote.length === 0)
    throw stanzaError("recipient-unavailable", "No moderator is here.");
  const { occupant, session } = room.member(stanza);
  const values = { role: "participant" as const, jid: session.jid.toString(), nick: occupant.nick, allow: false };
  const form = formElement(REQUEST, FIELDS, values, {
    title: "Voice request",
    instructions: "Somebody wants to speak.",
  });
  room.tellAudience(moderators, newStanza("message", { from: room.jid, id: crypto.randomUUID() }, form));
}

export const voiceRequest: Feature = {
  name: "voice-request",
  implements: [{ id: "XEP-0045", note: "§7.13 voice requests" }],
  advertises: { room: [REQUEST] },
  handles: [room.hook("message", take)],
};
