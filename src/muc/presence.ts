/** XEP-0045 §7.2.2, §7.14, §17.3: the presences that a room sends of its occupants — https://xmpp.org/extensions/xep-0045.html */
import type { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Removal } from "./hooks.ts";
import type { Occupant, Session, Shown } from "./occupants.ts";
import type { Room } from "./room.ts";
import { itemText, occupantIdText, statusText, userText } from "./wire.ts";

/** Why a presence is sent; `extra`: more for its `<x/>`, as text. */
export type Cause = Pick<Removal, "codes" | "actor" | "reason"> & { extra?: string };

/** What stands behind `<x/>`: the occupant's id, and what features add. */
function tail(room: Room, occupant: Occupant): string {
  const texts = [occupantIdText(occupant.id)];
  room.fire("presence:extend", { occupant, texts });
  return texts.join("");
}

/** An occupant as others see it, with the presence that its clients showed last. */
export function shownPresence(room: Room, occupant: Occupant, cause: Cause = {}): Shown {
  const { codes = [], actor, reason, extra = "" } = cause;
  const { role, sessions } = occupant;
  const affiliation = room.affiliation(occupant.jid);
  const from = room.jid.with(occupant.nick);
  const head = sessions[0]?.presence ?? "";
  const behind = tail(room, occupant);
  const more = statusText(codes) + extra;
  const write = (jid: Jid | undefined) => {
    const x = userText(itemText({ affiliation, role, jid, actor, reason }) + more);
    return new Stanza({ kind: "presence", from, inner: head + x + behind });
  };
  return { open: write(sessions[0]?.jid), closed: write(undefined) };
}

/** An occupant as one of its own clients sees it: always with the real address, and status 110. */
export function selfPresence(room: Room, occupant: Occupant, session: Session, cause: Cause & { id?: string }): Stanza {
  const { codes = [], actor, reason, extra = "", id = "" } = cause;
  const affiliation = room.affiliation(occupant.jid);
  const item = itemText({ affiliation, role: occupant.role, jid: session.jid, actor, reason });
  const x = userText(item + statusText([110, ...codes]) + extra);
  const from = room.jid.with(occupant.nick);
  return new Stanza({ kind: "presence", id, from, inner: session.presence + x + tail(room, occupant) });
}

/** The unavailable presence of somebody who goes, for others. */
export function departure(room: Room, occupant: Occupant, removal: Removal = {}): Shown {
  const write = (jid: Jid | undefined) => unavailable(room, occupant, jid, removal, removal.codes ?? []);
  return { open: write(occupant.sessions[0]?.jid), closed: write(undefined) };
}

/** The same for the client that goes. */
export function ownDeparture(room: Room, occupant: Occupant, session: Session, removal: Removal): Stanza {
  return unavailable(room, occupant, session.jid, removal, [110, ...(removal.codes ?? [])]);
}

function unavailable(
  room: Room,
  { nick, jid: bare, id }: Occupant,
  jid: Jid | undefined,
  { actor, reason, presence = "", affiliation = room.affiliation(bare) }: Removal,
  codes: readonly number[],
): Stanza {
  const item = itemText({ affiliation, role: "none", jid, actor, reason });
  const inner = presence + userText(item + statusText(codes)) + occupantIdText(id);
  return new Stanza({ kind: "presence", type: "unavailable", from: room.jid.with(nick), inner });
}
