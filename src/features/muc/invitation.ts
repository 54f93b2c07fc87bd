/** XEP-0045 §7.8.2: invitations through the room, and what becomes of them — https://xmpp.org/extensions/xep-0045.html; XEP-0249 needs no room */
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { type Promotion, room } from "../../muc/hooks.ts";
import type { Occupant } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { userElement } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Jid } from "../../protocol/jid.ts";
import { MUC_USER } from "../../protocol/ns.ts";
import { stanza as newStanza, type Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

/** People one message invites. */
const MOST = 20;

function take(room: Room, stanza: Stanza): "handled" | undefined {
  const x = stanza.child("x", MUC_USER);
  const invites = x?.getChildren("invite", MUC_USER) ?? [];
  const decline = x?.getChild("decline", MUC_USER);
  if (invites.length > 0) invite(room, stanza, invites);
  else if (decline) pass(room, stanza, decline);
  else return undefined;
  return "handled";
}

function invite(room: Room, stanza: Stanza, invites: readonly Element[]): void {
  const { occupant } = room.member(stanza);
  if (invites.length > MOST) throw stanzaError("not-acceptable", `One message invites at most ${MOST}.`);
  const people = invites.map((invite) => ({ invite, to: Jid.tryParse(invite.attrs.to ?? "") }));
  if (people.some(({ to }) => !to?.local)) throw stanzaError("jid-malformed", "Say whom you invite.");
  checkAllowed(room, occupant);
  for (const { invite, to } of people) if (to) send(room, to, occupant.jid, invite);
}

/** §7.8.2, §9.5: into a room of members the door is opened by administrators, or by members if they may. */
function checkAllowed(room: Room, { jid, role }: Occupant): void {
  const standing = rank(room.affiliation(jid));
  if (room.isGuest(jid) || role === "visitor") throw stanzaError("forbidden", "You may not invite others.");
  if (!room.config.membersOnly || standing >= rank("admin")) return;
  if (!room.config.allowInvites || standing < rank("member"))
    throw stanzaError("forbidden", "Only administrators invite others to this room.");
}

function send(room: Room, to: Jid, from: Jid, invite?: Element): void {
  const { config } = room;
  if (invite && config.membersOnly && room.affiliation(to) === "none") room.affiliate(to, "member");
  const reason = invite?.getChildText("reason", MUC_USER);
  const more = invite?.getChild("continue", MUC_USER);
  const children = [reason && xml("reason", {}, reason), more && xml("continue", { thread: more.attrs.thread })];
  const x = userElement(
    xml("invite", { from: from.toString() }, ...children),
    config.passwordProtected && xml("password", {}, config.password),
  );
  room.send(newStanza("message", { from: room.jid, to, id: crypto.randomUUID() }, x));
}

/** §7.8.2: to who invited, by address or nick. Others do not get the room to write to whom they like. */
function pass(room: Room, stanza: Stanza, decline: Element): void {
  const to = Jid.tryParse(decline.attrs.to ?? "");
  if (!to) throw stanzaError("jid-malformed", "Say whose invitation you decline.");
  const inviter = to.bare.equals(room.jid) ? room.occupants.get(to.resource) : room.occupants.of(to)[0];
  const target = inviter?.jid ?? (room.affiliations.standing(to) && to.bare);
  if (!target) throw stanzaError("item-not-found", "They have not invited you.");
  const reason = decline.getChildText("reason", MUC_USER);
  const x = userElement(
    xml("decline", { from: stanza.from.bare.toString() }, reason ? xml("reason", {}, reason) : undefined),
  );
  const message = newStanza("message", { from: room.jid, id: stanza.id || crypto.randomUUID() }, x);
  if (inviter) room.tellOccupant(inviter, message);
  else room.send(message.with({ to: target }));
}

/** §9.5: a new member of a room for members is told that there is one. */
function welcome(room: Room, { jid, before, after, actor }: Promotion): void {
  if (!room.config.membersOnly || before !== "none" || after !== "member" || !actor) return;
  if (!jid.local || room.occupants.of(jid).length > 0) return;
  const by = room.occupants.get(actor)?.jid;
  if (by) room.after(() => send(room, jid, by));
}

export const invitation: Feature = {
  name: "invitation",
  implements: [{ id: "XEP-0045", note: "§7.8 invitations" }],
  handles: [room.hook("message", take), room.hook("affiliation:changed", welcome)],
};
