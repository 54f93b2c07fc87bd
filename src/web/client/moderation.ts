/** XEP-0425: Moderated Message Retraction, v0.3 — https://xmpp.org/extensions/xep-0425.html — and XEP-0045 §8–9: what moderators do. */
import type { Client } from "./client.ts";
import { type Attrs, type Element, xml } from "./element.ts";
import type { Room } from "./muc.ts";
import { MUC, type Occupant } from "./occupants.ts";
import { MODERATE, RETRACT } from "./timeline.ts";

const ADMIN = `${MUC}#admin`;

/** Removes a message for everybody. */
export const moderate = (client: Client, room: Room, ref: string, reason?: string): Promise<Element> =>
  client.iq(
    "set",
    room.jid,
    xml(
      "moderate",
      { xmlns: MODERATE, id: ref },
      xml("retract", { xmlns: RETRACT }),
      reason && xml("reason", null, reason),
    ),
  );

/** Role "none" = kick, "visitor" = mute, "participant" = let speak, "moderator" (§8). */
export const setRole = (client: Client, room: Room, nick: string, role: string, reason?: string): Promise<Element> =>
  change(client, room, { nick, role }, reason);

/** Affiliation "outcast" = ban, "none", "member", "admin", "owner" (§9, §10), of a bare JID. */
export const setAffiliation = (
  client: Client,
  room: Room,
  { jid }: Pick<Occupant, "jid">,
  affiliation: string,
  reason?: string,
): Promise<Element> => change(client, room, { jid: jid?.split("/")[0], affiliation }, reason);

const change = (client: Client, room: Room, attrs: Attrs, reason?: string) =>
  client.iq("set", room.jid, xml("query", { xmlns: ADMIN }, xml("item", attrs, reason && xml("reason", null, reason))));

/** Everybody with this affiliation: the list of the banned is that of the outcasts. */
export async function affiliated(
  client: Client,
  room: Room,
  affiliation: string,
): Promise<{ jid: string; reason: string | undefined }[]> {
  const answer = await client.iq("get", room.jid, xml("query", { xmlns: ADMIN }, xml("item", { affiliation })));
  return (answer.child("query")?.all("item") ?? []).map((item) => ({
    jid: item.attrs.jid ?? "",
    reason: item.text("reason"),
  }));
}
