/** XEP-0486: MUC Avatars, v0.1 — https://xmpp.org/extensions/xep-0486.html; XEP-0054 v1.3.0 */
import { createHash } from "node:crypto";
import type { Feature } from "../../kernel/feature.ts";
import { room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { CLIENT } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { xml } from "../../xml/element.ts";
import { utf8Length } from "../../xml/limits.ts";
import { serialise } from "../../xml/writer.ts";

const NS = "vcard-temp";
const MAX_BYTES = 131_072;

/** The vCard's row: its text, and the hashes of its pictures, separated by spaces. */
class Card {
  readonly card: string | undefined;
  readonly hashes: readonly string[];

  constructor({ sql, id }: Room) {
    const [row] = sql<{ card: string; hashes: string }>`SELECT card, hashes FROM room_vcard WHERE owner = ${id}`;
    this.card = row?.card;
    this.hashes = row?.hashes.split(" ").filter(Boolean) ?? [];
  }
}

const card = (room: Room): Card => room.memo(Card, () => new Card(room));

function set(room: Room, iq: Stanza): undefined {
  if (room.affiliation(iq.from) !== "owner") throw stanzaError("forbidden", "Only owners choose the room's picture.");
  const { payload } = iq;
  const text = serialise(payload, CLIENT);
  if (utf8Length(text) > MAX_BYTES) throw stanzaError("not-acceptable", `A vCard has at most ${MAX_BYTES} bytes.`);
  const hashes = payload.getChildren("PHOTO", NS).flatMap((photo) => {
    const data = Buffer.from(photo.getChildText("BINVAL", NS) ?? "", "base64");
    return data.length > 0 ? [createHash("sha1").update(data).digest("hex")] : [];
  });
  const { sql, id } = room;
  if (payload.children.length === 0) sql`DELETE FROM room_vcard WHERE owner = ${id}`;
  else sql`INSERT OR REPLACE INTO room_vcard VALUES (${id}, ${text}, ${hashes.join(" ")})`;
  room.forget(Card);
  room.after(() => room.notify(104));
}

export const avatar: Feature = {
  name: "avatar",
  implements: [
    { id: "XEP-0486", version: "0.1.0" },
    { id: "XEP-0054", note: "of rooms" },
  ],
  advertises: { room: [NS], rooms: [NS] },
  tables: [
    {
      name: "room_vcard",
      steps: ["CREATE TABLE room_vcard (owner INTEGER PRIMARY KEY, card TEXT NOT NULL, hashes TEXT NOT NULL)"],
    },
  ],
  handles: [
    room.iq("get", NS, "vCard", (room, iq) => {
      const { card: text } = card(room);
      return text === undefined ? xml("vCard", { xmlns: NS }) : iq.result().with({ inner: text });
    }),
    room.iq("set", NS, "vCard", set),
    room.hook("disco:fields", (room, fields) => {
      const { hashes } = card(room);
      if (hashes.length > 0) fields["muc#roominfo_avatarhash"] = hashes;
    }),
    room.hook("room:destroyed", ({ sql, id }) => {
      sql`DELETE FROM room_vcard WHERE owner = ${id}`;
    }),
  ],
};
