/** What happens in a room beside messages, in words. */
import type { RoomEvent } from "../client/occupants.ts";
import type { XmppChat } from "../embed/chat.ts";
import { fill, type Strings } from "../embed/strings.ts";

/** Status codes and conditions of a stay that ended or was refused (XEP-0045 §15.6, §7.2). */
const ENDINGS: Record<string, keyof Strings> = {
  301: "banned",
  307: "kicked",
  "registration-required": "members",
  321: "members",
  322: "members",
  "service-unavailable": "full",
  "item-not-found": "closed",
  gone: "closed",
};

export function news(chat: XmppChat, event: RoomEvent): void {
  const { strings } = chat;
  if (event.kind === "out") {
    const text = strings[ENDINGS[event.status] ?? (/^\d*$/.test(event.status) ? "kicked" : "refused")];
    chat.end(event.reason && event.reason !== event.status ? `${text} (${event.reason})` : text, event);
  } else if (event.kind === "nick") chat.tell(fill(strings.renamed, event.from, event.occupant.nick));
  else if (event.kind === "kick") chat.tell(fill(strings.kickNow, event.occupant.nick));
  else if (event.kind === "ban") chat.tell(fill(strings.banNow, event.occupant.nick));
  else if (event.kind === "role") {
    const { role, nick } = event.occupant;
    if (role === "visitor") chat.tell(fill(strings.muteNow, nick));
    else if (role === "participant") chat.tell(fill(strings.unmuteNow, nick));
  }
}
