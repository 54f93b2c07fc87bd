/** XEP-0463: MUC Affiliations Versioning, v0.1 — https://xmpp.org/extensions/xep-0463.html: who comes back learns what has changed. */
import type { Feature } from "../../kernel/feature.ts";
import type { Standing } from "../../muc/affiliations.ts";
import { type Arrival, room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { MAV, readVersion, versionOf, versionText } from "../../muc/versions.ts";
import { itemText, userText } from "../../muc/wire.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { stanza as newStanza, Stanza } from "../../protocol/stanza.ts";

function tell(room: Room, arrival: Arrival): void {
  const { x, affiliation, role, stanza, session } = arrival;
  const mav = x.getChild("mav", MAV);
  if (!mav) return;
  const actor = { affiliation, role };
  if (!room.mayList(actor, "member")) {
    const refused = newStanza("message", { id: stanza.id, from: stanza.from, to: room.jid });
    const error = refused.error(
      stanzaError("forbidden", "You may not see this room's lists.", undefined, { by: room.jid.toString() }),
    );
    if (error) room.tell(session, error.with({ to: undefined }));
    return;
  }
  arrival.extra += versionText(room);
  const { since } = mav.attrs;
  if (since === versionOf(room)) return;
  const from = since === undefined ? undefined : readVersion(room, since);
  const changes = from === undefined ? undefined : room.affiliations.since(from);
  // §5.2.1: a version that is not known here is answered by everything.
  const all = changes ?? room.affiliations.since(undefined) ?? [];
  // The list of the banned is for administrators; to the others they are nobody.
  const outcasts = room.mayList(actor, "outcast");
  const items = all.flatMap((standing) => itemOf(standing, outcasts, changes !== undefined));
  const inner = userText(versionText(room, changes && from) + items.join(""));
  room.tell(session, new Stanza({ kind: "message", from: room.jid, inner }));
}

function itemOf({ jid, affiliation }: Standing, outcasts: boolean, partial: boolean): string[] {
  if (affiliation !== "outcast" || outcasts) return [itemText({ affiliation, jid })];
  return partial ? [itemText({ affiliation: "none", jid })] : [];
}

export const affiliationVersions: Feature = {
  name: "affiliation-versions",
  implements: [{ id: "XEP-0463", version: "0.1.0" }],
  advertises: { room: [MAV] },
  handles: [room.hook("join:before", tell)],
};
