/** XEP-0045 §7.10: becoming a member by oneself, with a nick of one's own — https://xmpp.org/extensions/xep-0045.html; XEP-0077 v2.4 */
import type { Feature } from "../../kernel/feature.ts";
import { room } from "../../muc/hooks.ts";
import { nickKey } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { textField } from "../../protocol/form-fields.ts";
import { defaults, formElement, readForm, readSubmission } from "../../protocol/forms.ts";
import { Jid } from "../../protocol/jid.ts";
import { FORMS } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

const REGISTER = "jabber:iq:register";
const FORM = "http://jabber.org/protocol/muc#register";
const FIELDS = { nick: textField("muc#register_roomnick", "Nick", "", { max: 256, required: true }) };

function checkAllowed(room: Room, { from }: Stanza): void {
  const affiliation = room.affiliation(from);
  if (room.locked) throw stanzaError("item-not-found", "This room is not open yet.");
  if (affiliation === "outcast") throw stanzaError("forbidden", "You are banned from this room.");
  if (room.isGuest(from)) throw stanzaError("not-allowed", "Guests have no account to register.");
  // Nobody lets themselves into a room for members.
  if (affiliation === "none" && (room.config.membersOnly || !room.config.register))
    throw stanzaError("not-allowed", "Nobody registers with this room by themselves.");
}

function get(room: Room, iq: Stanza): Element {
  checkAllowed(room, iq);
  const nick = room.affiliations.nick(iq.from);
  if (nick) return xml("query", { xmlns: REGISTER }, xml("registered"), xml("username", {}, nick));
  const text = { title: "Registration", instructions: "The nick that shall be yours in this room." };
  return xml("query", { xmlns: REGISTER }, formElement(FORM, FIELDS, defaults(FIELDS), text));
}

function set(room: Room, iq: Stanza): undefined {
  checkAllowed(room, iq);
  const { payload, from } = iq;
  const affiliation = room.affiliation(from);
  if (payload.getChild("remove", REGISTER)) {
    // Rank is not given away by accident.
    room.affiliate(from.bare, affiliation === "member" ? "none" : affiliation, { nick: "" });
    return;
  }
  const form = readForm(payload.getChild("x", FORMS));
  if (!form) throw stanzaError("bad-request", "Fill in the form.");
  const { nick = "" } = readSubmission(form, FORM, FIELDS);
  if (nickKey(nick) === "") throw stanzaError("bad-request", "Choose a nick.");
  const wanted = Jid.tryParse(`${room.jid}/${nick}`)?.resource;
  if (!wanted) throw stanzaError("not-acceptable", "No nick may be this.");
  const keeper = room.affiliations.reserved(wanted, nickKey);
  const bearer = room.occupants.like(wanted);
  if ((keeper && !keeper.jid.equals(from.bare)) || (bearer && !bearer.jid.equals(from.bare)))
    throw stanzaError("conflict", "Somebody has this nick.");
  room.affiliate(from.bare, affiliation === "none" ? "member" : affiliation, { nick: wanted });
}

export const roomRegistration: Feature = {
  name: "room-registration",
  implements: [
    { id: "XEP-0045", note: "§7.10 registration" },
    { id: "XEP-0077", note: "with rooms" },
  ],
  advertises: { room: [REGISTER, FORM] },
  handles: [room.iq("get", REGISTER, "query", get), room.iq("set", REGISTER, "query", set)],
};
