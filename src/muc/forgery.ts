/** XEP-0045 §17.2–17.3, XEP-0359 §4, XEP-0421 §4: what only a room may say is taken out of what its occupants say. */
import type { Jid } from "../protocol/jid.ts";
import { MUC, MUC_USER, OCCUPANT_ID, STANZA_ID } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";

const HATS = "urn:xmpp:hats:0";

/** A client's presence as its room passes it on: the children, as text. */
export function ownPresence(stanza: Stanza): string {
  const { inner } = stanza;
  if (!inner.includes(MUC) && !inner.includes(OCCUPANT_ID) && !inner.includes(HATS)) return inner;
  return stanza.without(
    ({ name, attrs: { xmlns } }) =>
      xmlns === OCCUPANT_ID || xmlns === HATS || (name === "x" && xmlns?.startsWith(MUC) === true),
  ).inner;
}

/** A message without claims in the name of `room`. */
export function ownMessage(room: Jid, stanza: Stanza): Stanza {
  const { inner } = stanza;
  if (!inner.includes("<stanza-id") && !inner.includes(OCCUPANT_ID) && !inner.includes(MUC)) return stanza;
  const by = room.toString();
  return stanza.without(({ name, attrs: { xmlns, by: said } }) => {
    if (name === "stanza-id") return xmlns === STANZA_ID && said === by;
    return xmlns === OCCUPANT_ID || (xmlns === MUC_USER && name === "x");
  });
}
