/** XEP-0045 §6.4–6.6, §7.12: what a room says of itself — https://xmpp.org/extensions/xep-0045.html; XEP-0030, XEP-0128 */
import type { Feature, Inquiry } from "../../kernel/feature.ts";
import { room } from "../../muc/hooks.ts";
import type { Listing } from "../../muc/listing.ts";
import type { Room } from "../../muc/room.ts";
import { infoElement } from "../../protocol/disco.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { resultForm } from "../../protocol/forms.ts";
import { DISCO_INFO, DISCO_ITEMS, MUC } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

const NS_PING = "urn:xmpp:ping";

const ROOM_INFO = "http://jabber.org/protocol/muc#roominfo";
const TRAFFIC = "http://jabber.org/protocol/muc#traffic";
const OWN_NICK = "x-roomuser-item";
/** How late the Directory may be told how many are here. */
const LATE_MS = 60_000;

/** A room that keeps no archive offers none (XEP-0313 §7). */
const MAM = /^urn:xmpp:mam:/;

function traits({ config }: Room): string[] {
  return [
    config.public ? "muc_public" : "muc_hidden",
    config.membersOnly ? "muc_membersonly" : "muc_open",
    config.moderated ? "muc_moderated" : "muc_unmoderated",
    config.whois === "anyone" ? "muc_nonanonymous" : "muc_semianonymous",
    config.passwordProtected ? "muc_passwordprotected" : "muc_unsecured",
    config.persistent ? "muc_persistent" : "muc_temporary",
  ];
}

function info(room: Room, iq: Stanza): Element {
  if (room.locked && room.affiliation(iq.from) !== "owner") throw stanzaError("item-not-found");
  const node = iq.payload.attrs.node ?? "";
  if (node) return infoOf(room, iq, node);
  const { features } = room.object.kernel.disco("room", room.settings);
  const there = features.filter((name) => room.logs || !MAM.test(name));
  const identity = { category: "conference", type: "text", name: room.config.name || room.jid.local };
  return infoElement({ identities: [identity], features: [...there, ...traits(room)] }, fields(room));
}

function fields(room: Room): Element {
  const { config, subject } = room;
  const owners = room.affiliations.list("owner").map(({ jid }) => jid.toString());
  const found: Record<string, string | readonly string[] | undefined> = {
    "muc#maxhistoryfetch": String(room.logs ? config.maxHistory : 0),
    "muc#roominfo_description": config.description,
    "muc#roominfo_lang": config.lang || undefined,
    "muc#roominfo_occupants": String(room.occupants.size),
    // §13.3.2: whoever may not enter learns neither the subject nor who runs the room.
    "muc#roominfo_subject": isOpen(room) ? (subject?.text ?? "") : undefined,
    "muc#roominfo_subjectmod": config.changeSubject ? "1" : "0",
    "muc#roomconfig_changesubject": config.changeSubject ? "1" : "0",
    "muc#roominfo_contactjid": config.whois === "anyone" && owners.length > 0 ? owners : undefined,
    "muc#roominfo_pubsub": config.pubsub || undefined,
    "muc#roominfo_slow_mode_duration": String(config.slowMode),
  };
  room.fire("disco:fields", found);
  return resultForm(ROOM_INFO, found);
}

function infoOf(room: Room, iq: Stanza, node: string): Element {
  if (node === OWN_NICK) {
    const name = room.affiliations.nick(iq.from);
    const identity = name && xml("identity", { category: "conference", type: "text", name });
    return xml("query", { xmlns: DISCO_INFO, node }, identity || undefined);
  }
  // §18.1.1: nothing is kept from passing, so there is nothing to list.
  if (node === TRAFFIC) throw stanzaError("service-unavailable", "Everything passes.");
  const asked: Inquiry = { asker: iq.from, node, found: [] };
  room.fire("disco:info", asked);
  if (asked.found.length === 0) throw stanzaError("item-not-found", "There is no such node here.");
  return xml("query", { xmlns: DISCO_INFO, node }, ...asked.found);
}

function items(room: Room, iq: Stanza): Element {
  const node = iq.payload.attrs.node ?? "";
  if (node) {
    const asked: Inquiry = { asker: iq.from, node, found: [] };
    room.fire("disco:items", asked);
    if (asked.found.length === 0) throw stanzaError("item-not-found", "There is no such node here.");
    return xml("query", { xmlns: DISCO_ITEMS, node }, ...asked.found);
  }
  // §6.5: who is here is told to those who are, and to others only if the room says so.
  const open = room.config.listOccupants || room.occupants.session(iq.from) !== undefined;
  const shown = open ? [...room.occupants].filter(({ role }) => room.shows(role)) : [];
  const found = shown.map(({ nick }) => xml("item", { jid: room.jid.with(nick).toString(), name: nick }));
  return xml("query", { xmlns: DISCO_ITEMS }, ...found);
}

const isOpen = ({ config }: Room) => !config.membersOnly && !config.passwordProtected;

function listing(room: Room): Listing {
  const { config, locked } = room;
  return {
    jid: room.jid.toString(),
    creator: room.creator,
    public: config.public && !locked,
    name: config.name,
    description: config.description,
    lang: config.lang,
    occupants: room.occupants.size,
    open: isOpen(room),
    semiAnonymous: config.whois !== "anyone",
  };
}

function list(room: Room): void {
  room.cancel("listing");
  room.ports.list(room.jid.toString(), listing(room));
}

/** A minute's comings and goings are one call. */
function count(room: Room): void {
  if (room.exists && room.config.public && !room.locked && !room.pending("listing"))
    room.wake("listing", room.now + LATE_MS);
}

export const discovery: Feature = {
  name: "discovery",
  implements: [
    { id: "XEP-0045", note: "§6.4 room information, §7.12 own nick" },
    { id: "XEP-0128", version: "1.0.1" },
  ],
  advertises: { room: [DISCO_INFO, DISCO_ITEMS, MUC, NS_PING, ROOM_INFO] },
  handles: [
    room.iq("get", DISCO_INFO, "query", info),
    room.iq("get", DISCO_ITEMS, "query", items),
    room.iq("get", NS_PING, "ping", () => undefined),
    room.hook("room:listing", list),
    room.hook("occupant:entered", count),
    room.hook("occupant:left", count),
    room.alarm("listing", list),
  ],
};
