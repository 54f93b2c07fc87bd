/** XEP-0045 §9.1–9.5, §10.3–10.8: what a new affiliation does to somebody who is here — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { type Promotion, room } from "../../muc/hooks.ts";
import type { Occupant, Role } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { versionText } from "../../muc/versions.ts";
import { itemText, userText } from "../../muc/wire.ts";
import { Stanza } from "../../protocol/stanza.ts";

function changed(room: Room, promotion: Promotion): void {
  const { jid, before, after, since, actor, reason } = promotion;
  const here =
    jid.local === "" ? [...room.occupants].filter((o) => o.jid.domain === jid.domain) : room.occupants.of(jid);
  const extra = versionText(room, since);
  for (const occupant of here) {
    // A ban of a whole domain does not reach who is welcome for themselves.
    const now = room.affiliation(occupant.jid);
    if (now === "outcast") room.remove(occupant, { codes: [301], actor, reason, affiliation: "outcast" });
    else if (now === "none" && room.config.membersOnly)
      room.remove(occupant, { codes: [321], actor, reason, affiliation: "none" }); // §9.4: this one presence says both
    else {
      const was = occupant.role;
      room.occupants.setRole(occupant, roleAfter(room, occupant, promotion));
      occupant.seen = undefined;
      room.after(() => room.announce(occupant, was, { actor, reason, extra }));
    }
  }
  if (here.length === 0 && before !== after) room.after(() => tell(room, promotion, extra));
}

/** §5.1.3: a rise brings its role; a fall from where one was always a moderator brings the role of where one is now. */
function roleAfter(room: Room, { role }: Occupant, { before, after }: Promotion): Role {
  if (rank(after) >= rank("admin")) return "moderator";
  const fallen = rank(before) >= rank("admin");
  if (after === "none" && room.config.moderated && (fallen || role === "participant")) return "visitor";
  if (fallen) return "participant";
  return after === "member" && role === "visitor" ? "participant" : role;
}

/** Who is not here is spoken of by its address, so only to those who may see addresses (§10.3, XEP-0463 §5.2.2). */
function tell(room: Room, { jid, after }: Promotion, extra: string): void {
  const { moderators, all } = room.occupants.audiences;
  const inner = userText(extra + itemText({ affiliation: after, role: "none", jid }));
  const message = new Stanza({ kind: "message", from: room.jid, inner });
  room.tellAudience(room.config.whois === "anyone" ? all : moderators, message);
}

export const standing: Feature = {
  name: "standing",
  implements: [{ id: "XEP-0045", note: "§9 changes of affiliation" }],
  handles: [room.hook("affiliation:changed", changed)],
};
