/** XEP-0045 §6.1–6.3: the room service and the rooms it lists — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import type { ServiceContext } from "../../muc/service.ts";
import { rooms } from "../../muc/service.ts";
import { contactForm, infoElement } from "../../protocol/disco.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { DISCO_INFO, DISCO_ITEMS, MUC, RSM } from "../../protocol/ns.ts";
import { paginate, readPage } from "../../protocol/rsm.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";

const NS_PING = "urn:xmpp:ping";

/** Rooms in one answer. */
const PAGE = 100;

function info({ kernel, settings }: ServiceContext, { payload }: Stanza): Element {
  if (payload.attrs.node) throw stanzaError("item-not-found", "There is no such node here.");
  return infoElement(kernel.disco("rooms", settings), contactForm(settings));
}

function items({ directory, later }: ServiceContext, { payload }: Stanza): undefined {
  if (payload.attrs.node) throw stanzaError("item-not-found", "There is no such node here.");
  const page = readPage(payload, PAGE);
  const asked = payload.getChild("set", RSM) !== undefined;
  later(
    directory.rooms().then((listings) => {
      const { items, set } = paginate(listings, ({ jid }) => jid, page);
      const found = items.map(({ jid, name }) => xml("item", { jid, name: name || jid.split("@", 1)[0] }));
      const partial = asked || items.length < listings.length;
      return xml("query", { xmlns: DISCO_ITEMS }, ...found, partial && set);
    }),
  );
}

export const roomService: Feature = {
  name: "service",
  implements: [
    { id: "XEP-0045", note: "§6 discovery" },
    { id: "XEP-0059", version: "1.0" },
  ],
  advertises: { rooms: [DISCO_INFO, DISCO_ITEMS, MUC, NS_PING, RSM] },
  identities: { rooms: [{ category: "conference", type: "text", name: "Rooms" }] },
  handles: [
    rooms.iq("get", DISCO_INFO, "query", info),
    rooms.iq("get", DISCO_ITEMS, "query", items),
    rooms.iq("get", NS_PING, "ping", () => undefined),
  ],
};
