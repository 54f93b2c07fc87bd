/** XEP-0153: vCard-Based Avatars, v1.1.1 — https://xmpp.org/extensions/xep-0153.html. What XEP-0398 §4 has servers do with it. */
import { xml } from "../xml/element.ts";
import type { Stanza } from "./stanza.ts";

const UPDATE = "vcard-temp:x:update";

/** The presence with the avatar's hash, unless its sender says that it shows none. */
export function withPhoto(presence: Stanza, hash: string): Stanza {
  const photo = presence.child("x", UPDATE)?.getChild("photo", UPDATE);
  if (photo && (photo.getText() === "" || photo.getText() === hash)) return presence;
  const rest = presence.without((child) => child.name === "x" && child.attrs.xmlns === UPDATE);
  return rest.plus(xml("x", { xmlns: UPDATE }, xml("photo", {}, hash)));
}
