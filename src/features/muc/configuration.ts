/** XEP-0045 §10.1–10.2, §10.9: an owner sets a room up, changes it and ends it; XEP-0500 v0.1 — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import type { Affiliation } from "../../muc/affiliations.ts";
import { type Config, FIELDS, PEOPLE, ROOM_CONFIG } from "../../muc/config.ts";
import { room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { destroyText } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { formElement, readForm, readSubmission } from "../../protocol/forms.ts";
import { Jid } from "../../protocol/jid.ts";
import { FORMS, MUC_OWNER } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

const VALIDATE = "http://jabber.org/protocol/xdata-validate";
const ALL = { ...FIELDS, ...PEOPLE };

function checkOwner(room: Room, { from }: Stanza): void {
  if (room.affiliation(from) !== "owner") throw stanzaError("forbidden", "Only an owner of the room may do this.");
}

const jids = (room: Room, affiliation: Affiliation) =>
  room.affiliations.list(affiliation).map(({ jid }) => jid.toString());

function form(room: Room, iq: Stanza): Element {
  checkOwner(room, iq);
  const values = { ...room.config, owners: jids(room, "owner"), admins: jids(room, "admin") };
  const x = formElement(ROOM_CONFIG, ALL, values, { title: `The room ${room.config.name || room.jid}` });
  // XEP-0500 §5.1
  const slow = x.getChildren("field").find(({ attrs }) => attrs.var === FIELDS.slowMode.var);
  const range = xml("range", { min: 0, max: 86_400 });
  slow?.cnode(xml("validate", { xmlns: VALIDATE, datatype: "xs:integer" }, range));
  return xml("query", { xmlns: MUC_OWNER }, x);
}

function set(room: Room, iq: Stanza): undefined {
  checkOwner(room, iq);
  const destroy = iq.payload.getChild("destroy", MUC_OWNER);
  if (destroy) return end(room, destroy);
  const x = iq.payload.getChild("x", FORMS);
  const submitted = readForm(x);
  if (!submitted) throw stanzaError("bad-request", "A form is needed, or <destroy/>.");
  if (submitted.type === "cancel") {
    // §10.1.3: a room that was never set up is none.
    if (room.locked) room.destroy(destroyText());
    return;
  }
  const { owners, admins, ...changes } = readSubmission(submitted, ROOM_CONFIG, ALL);
  const config: Config = { ...room.config, ...changes };
  // §10.1.3: settings that contradict each other.
  if (config.passwordProtected && config.password === "")
    throw stanzaError("not-acceptable", "A password is required, but there is none.");
  const people = owners || admins ? appoint(room, owners, admins) : [];
  room.configure(config);
  for (const [jid, affiliation] of people) room.affiliate(jid, affiliation);
}

/** The lists in the form are whole ones; what they change. */
function appoint(
  room: Room,
  owners: readonly string[] = jids(room, "owner"),
  admins: readonly string[] = jids(room, "admin"),
): [Jid, Affiliation][] {
  const bare = (list: readonly string[]) => new Set(list.map((text) => Jid.parse(text).bare.toString()));
  const [top, middle] = [bare(owners), bare(admins)];
  if (top.size === 0) throw stanzaError("conflict", "A room has at least one owner.");
  const changes: [Jid, Affiliation][] = [];
  for (const jid of top) if (room.affiliation(Jid.parse(jid)) !== "owner") changes.push([Jid.parse(jid), "owner"]);
  for (const jid of middle)
    if (!top.has(jid) && room.affiliation(Jid.parse(jid)) !== "admin") changes.push([Jid.parse(jid), "admin"]);
  for (const jid of [...jids(room, "owner"), ...jids(room, "admin")])
    if (!top.has(jid) && !middle.has(jid)) changes.push([Jid.parse(jid), "none"]);
  return changes;
}

function end(room: Room, destroy: Element): undefined {
  const jid = destroy.attrs.jid;
  if (jid !== undefined && !Jid.tryParse(jid)) throw stanzaError("jid-malformed");
  const reason = destroy.getChildText("reason", MUC_OWNER) ?? "";
  const password = destroy.getChildText("password", MUC_OWNER) ?? "";
  room.destroy(destroyText({ ...(jid && { jid }), reason, password }));
}

/** §10.2.1: everybody learns what has changed about their privacy; that something else has, too. */
function notify(room: Room, { before }: { before: Config }): void {
  const { config } = room;
  const codes: number[] = [];
  if (config.logging !== before.logging) codes.push(config.logging ? 170 : 171);
  if (config.whois !== before.whois) codes.push(config.whois === "anyone" ? 172 : 173);
  const plain = (Object.keys(config) as (keyof Config)[]).some(
    (key) => key !== "logging" && key !== "whois" && String(config[key]) !== String(before[key]),
  );
  if (plain) codes.push(104);
  room.after(() => {
    if (codes.length > 0) room.notify(...codes);
  });
  // §10.2: who is no member is out, once only members may be in.
  if (config.membersOnly && !before.membersOnly)
    for (const occupant of [...room.occupants])
      if (room.affiliation(occupant.jid) === "none") room.remove(occupant, { codes: [322] });
  reveal(room, before);
}

/** Roles whose presence is shown from now on, or no longer. */
function reveal(room: Room, before: Config): void {
  const had = new Set<string>(before.presenceBroadcast);
  const has = new Set<string>(room.config.presenceBroadcast);
  for (const occupant of room.occupants)
    if (had.has(occupant.role) && !has.has(occupant.role)) room.after(() => room.hide(occupant));
    else if (!had.has(occupant.role) && has.has(occupant.role)) room.after(() => room.announce(occupant));
}

export const configuration: Feature = {
  name: "configuration",
  implements: [
    { id: "XEP-0045", note: "§10 owners" },
    { id: "XEP-0500", version: "0.1.0", note: "its field" },
  ],
  advertises: { room: ["http://jabber.org/protocol/muc#roomconfig"] },
  handles: [
    room.iq("get", MUC_OWNER, "query", form),
    room.iq("set", MUC_OWNER, "query", set),
    room.hook("config:changed", notify),
    // security.md D8: a room that nobody sets up is not kept.
    room.alarm("unconfigured", (room) => {
      if (room.locked) room.destroy(destroyText({ reason: "The room was not set up." }));
    }),
    room.hook("occupant:left", (room) => {
      if (room.occupants.size > 0) return;
      // §10.1.3, §7.14
      if (room.locked || !room.config.persistent) room.after(() => room.exists && room.destroy(destroyText()));
    }),
  ],
};
