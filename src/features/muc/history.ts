/** XEP-0045 §7.2.13–7.2.15: what was said before somebody came — https://xmpp.org/extensions/xep-0045.html; XEP-0203 v2.0 */
import { type Archived, stanzaOf, timeOf } from "../../archive/row.ts";
import type { Feature } from "../../kernel/feature.ts";
import { type Arrival, room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaIdText } from "../../muc/wire.ts";
import { parseDateTime } from "../../protocol/datetime.ts";
import { delayElement } from "../../protocol/delay.ts";
import { Trait } from "../../protocol/message.ts";
import { CLIENT, MUC } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import type { Element } from "../../xml/element.ts";
import { serialise } from "../../xml/writer.ts";

interface Wanted {
  stanzas: number;
  characters: number;
  /** ms */
  since: number;
}

/** §7.2.14: the least that any of the limits allows. A number that is none says nothing. */
function wanted(request: Element | undefined, most: number, now: number): Wanted {
  const number = (name: string) => {
    const text = request?.attrs[name];
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  };
  const seconds = number("seconds");
  const since = parseDateTime(request?.attrs.since ?? "")?.getTime() ?? 0;
  return {
    stanzas: Math.min(number("maxstanzas") ?? most, most),
    characters: number("maxchars") ?? Number.POSITIVE_INFINITY,
    since: Math.max(since, seconds === undefined ? 0 : now - seconds * 1000),
  };
}

function send(room: Room, { x, session }: Arrival): void {
  const { stanzas, characters, since } = wanted(x.getChild("history", MUC), room.config.maxHistory, room.now);
  if (stanzas === 0 || characters === 0) return;
  const found: Stanza[] = [];
  let left = characters;
  for (const row of room.archive.newest(stanzas, since).reverse()) {
    if (!(row.traits & Trait.BODY)) continue;
    const stanza = delayed(room, row);
    if (left !== Number.POSITIVE_INFINITY) left -= stanza.text(session.jid.toString()).length;
    if (left < 0) break;
    found.unshift(stanza);
  }
  room.tell(session, ...found);
}

function delayed(room: Room, row: Archived): Stanza {
  const delay = delayElement({ stamp: new Date(timeOf(row.id)), from: room.jid.toString() });
  const inner = row.inner + stanzaIdText(room.jid, room.archive.uid(row.id)) + serialise(delay, CLIENT);
  return stanzaOf(row).with({ inner, to: undefined });
}

export const history: Feature = {
  name: "history",
  implements: [{ id: "XEP-0045", note: "§7.2.13 history" }],
  handles: [room.hook("join:after", send)],
};
