/** Guests (SASL ANONYMOUS) in rooms, and what is remembered of roles: nobody gets theirs back by coming in again (XEP-0045 §5.1). */
import type { Feature } from "../../kernel/feature.ts";
import { type Entry, type Promotion, room } from "../../muc/hooks.ts";
import type { Occupant, Role } from "../../muc/occupants.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";

/** How long a guest who was sent out stays out. */
const OUT_MS = 10 * 60_000;
/** How long a role is remembered of somebody who is not here. */
const ROLE_MS = 30 * 86_400_000;
/** Remembered in one room. */
const MOST = 1000;

/** An account by its address; a guest, who is somebody else each time, by where they come from. */
const keyOf = (room: Room, occupant: Occupant): string =>
  room.isGuest(occupant.jid) ? (occupant.sessions[0]?.address ?? "") : occupant.jid.toString();

function admit(room: Room, entry: Entry): void {
  const { guest, affiliation, jid, address } = entry;
  if (guest && room.config.guests === "none" && affiliation === "none")
    throw stanzaError("forbidden", "Guests may not enter this room.");
  if (guest && room.config.guests === "read") entry.role = "visitor";
  if (affiliation !== "none" && affiliation !== "member") return;
  const who = guest ? address : jid.bare.toString();
  const [row] = room.sql<{ role: Role; until: number }>`SELECT role, until FROM remembered
    WHERE owner = ${room.id} AND who = ${who}`;
  if (!row || row.until < room.now) return;
  if (row.role === "none") throw stanzaError("forbidden", "You were sent out; come back later.");
  entry.role = row.role;
}

function remember(room: Room, { occupant, role }: { occupant: Occupant; role: Role }): void {
  const who = keyOf(room, occupant);
  const guest = room.isGuest(occupant.jid);
  if (!who || role === "moderator" || (role === "none" && !guest)) return;
  const until = room.now + (role === "none" ? OUT_MS : ROLE_MS);
  const { sql, id } = room;
  sql`INSERT OR REPLACE INTO remembered VALUES (${id}, ${who}, ${role}, ${until})`;
  sql`DELETE FROM remembered WHERE owner = ${id} AND (until < ${room.now} OR who IN (
    SELECT who FROM remembered WHERE owner = ${id} ORDER BY until DESC LIMIT -1 OFFSET ${MOST}))`;
}

export const guests: Feature = {
  name: "guests",
  implements: [{ id: "XEP-0175", version: "1.2", note: "guests in rooms" }],
  tables: [
    {
      name: "remembered",
      steps: [
        `CREATE TABLE remembered (owner INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, until INTEGER NOT NULL,
           PRIMARY KEY (owner, who)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    room.hook("join:admit", admit),
    room.hook("role:set", remember),
    // Whoever is given another standing starts afresh.
    room.hook("affiliation:changed", (room, { jid }: Promotion) => {
      room.sql`DELETE FROM remembered WHERE owner = ${room.id} AND who = ${jid.bare.toString()}`;
    }),
    room.hook("room:destroyed", (room) => {
      room.sql`DELETE FROM remembered WHERE owner = ${room.id}`;
    }),
  ],
};
