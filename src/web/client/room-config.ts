/** XEP-0045 §10.2: the settings of a room, as a form its owner fills in. */
import type { Client } from "./client.ts";
import { type Element, xml } from "./element.ts";
import { type Field, readForm, writeForm } from "./form.ts";
import type { Room } from "./muc.ts";
import { MUC } from "./occupants.ts";

export async function settings(client: Client, room: Room): Promise<Field[]> {
  const answer = await client.iq("get", room.jid, xml("query", { xmlns: `${MUC}#owner` }));
  const form = answer.child("query")?.child("x", "jabber:x:data");
  return form ? readForm(form) : [];
}

/** Sends every field back, for services differ in what a field that is missing means. */
export const configure = (client: Client, room: Room, fields: readonly Field[]): Promise<Element> =>
  client.iq(
    "set",
    room.jid,
    xml("query", { xmlns: `${MUC}#owner` }, writeForm(fields.filter(({ type }) => type !== "fixed"))),
  );
