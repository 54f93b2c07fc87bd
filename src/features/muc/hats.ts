/** XEP-0317: Hats, v0.3 — https://xmpp.org/extensions/xep-0317.html; XEP-0050 v1.3.0: their commands */
import { createHash } from "node:crypto";
import type { Feature } from "../../kernel/feature.ts";
import { rank } from "../../muc/affiliations.ts";
import { room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { type Field, jidField, listField, textField } from "../../protocol/form-fields.ts";
import { defaults, formElement, readForm, readSubmission } from "../../protocol/forms.ts";
import { Jid } from "../../protocol/jid.ts";
import { CLIENT, COMMANDS, FORMS } from "../../protocol/ns.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";
import { serialise } from "../../xml/writer.ts";

const NS = "urn:xmpp:hats:0";
const FORM = "urn:xmpp:hats:commands";
/** Hats of one room, and of all heads in it. */
const HATS = 100;
const WORN = 2000;

interface Hat {
  uri: string;
  title: string;
  hue: string;
}

/** All hats of a room and who wears them: a cache over the rows. */
class Rack {
  readonly hats = new Map<string, Hat>();
  readonly worn: { jid: string; uri: string }[];

  constructor({ sql, id }: Room) {
    for (const hat of sql<Hat>`SELECT uri, title, hue FROM hat WHERE owner = ${id} ORDER BY uri`)
      this.hats.set(hat.uri, hat);
    this.worn = sql<{ jid: string; uri: string }>`SELECT jid, uri FROM hat_worn WHERE owner = ${id} ORDER BY jid, uri`;
  }

  of(jid: Jid): Hat[] {
    const bare = jid.bare.toString();
    return this.worn.flatMap(({ jid, uri }) => (jid === bare ? (this.hats.get(uri) ?? []) : []));
  }
}

const rack = (room: Room): Rack => room.memo(Rack, () => new Rack(room));

const NAMES = {
  create: "Create or change a hat",
  destroy: "Destroy a hat",
  list: "List the hats",
  assign: "Give somebody a hat",
  unassign: "Take somebody's hat",
  "list-assigned": "List who wears which hat",
} as const;
type Name = keyof typeof NAMES;

const uri = textField("hats#uri", "URI of the hat", "", { max: 1024, required: true });
const jid = jidField("hats#jid", "Address", "", { required: true });
const CREATE = {
  title: textField("hats#title", "Title", "", { max: 256, required: true }),
  uri,
  hue: textField("hats#hue", "Hue in degrees", "", { max: 32 }),
};

/** The field that chooses one of the hats there are. */
function choice(room: Room): Field<string> {
  const hats = [...rack(room).hats.values()].map(({ uri, title }) => ({ value: uri, label: title }));
  const field = listField<string>("hats#uri", "Hat", hats[0]?.value ?? "", hats);
  return { ...field, required: true };
}

function command(room: Room, iq: Stanza): Element {
  const { node = "", action = "execute" } = iq.payload.attrs;
  const name = node.startsWith(`${FORM}:`) ? node.slice(FORM.length + 1) : "";
  if (!(name in NAMES)) throw stanzaError("item-not-found", "There is no such command.");
  const admin = rank(room.affiliation(iq.from)) >= rank("admin");
  if (!admin && !(name === "list" && room.occupants.session(iq.from)))
    throw stanzaError("forbidden", "Only administrators hand out hats.");
  const sessionid = iq.payload.attrs.sessionid || crypto.randomUUID();
  const answer = (status: string, form?: Element) => xml("command", { xmlns: COMMANDS, node, sessionid, status }, form);
  if (action === "cancel") return answer("canceled");
  if (name === "list" || name === "list-assigned") return answer("completed", table(room, name));
  const fields = name === "create" ? CREATE : name === "destroy" ? { uri: choice(room) } : { jid, uri: choice(room) };
  const form = readForm(iq.payload.getChild("x", FORMS));
  if (!form) return answer("executing", formElement(FORM, fields, defaults(fields), { title: NAMES[name as Name] }));
  const values = readSubmission(form, FORM, fields) as Partial<Hat & { jid: string }>;
  const missing = Object.entries(fields).find(([key, field]) => field.required && !values[key as keyof typeof values]);
  if (missing) throw stanzaError("bad-request", `${missing[1].var} is missing.`);
  change(room, name as Name, values);
  return answer("completed");
}

function change(
  room: Room,
  name: Name,
  { uri = "", title = "", hue = "", jid: text = "" }: Partial<Hat & { jid: string }>,
) {
  const { sql, id } = room;
  const { hats, worn } = rack(room);
  const heads = new Set<string>(worn.filter((hat) => hat.uri === uri).map(({ jid }) => jid));
  if (name === "create") {
    if (!hats.has(uri) && hats.size >= HATS)
      throw stanzaError("resource-constraint", `A room has at most ${HATS} hats.`);
    sql`INSERT OR REPLACE INTO hat VALUES (${id}, ${uri}, ${title}, ${hue})`;
  } else if (name === "destroy") {
    sql`DELETE FROM hat WHERE owner = ${id} AND uri = ${uri}`;
    sql`DELETE FROM hat_worn WHERE owner = ${id} AND uri = ${uri}`;
  } else {
    const head = Jid.parse(text).bare.toString();
    heads.clear();
    heads.add(head);
    if (name === "unassign") sql`DELETE FROM hat_worn WHERE owner = ${id} AND jid = ${head} AND uri = ${uri}`;
    else {
      if (worn.length >= WORN) throw stanzaError("resource-constraint", `At most ${WORN} hats are worn in a room.`);
      sql`INSERT OR REPLACE INTO hat_worn VALUES (${id}, ${head}, ${uri})`;
    }
  }
  room.forget(Rack);
  const listed = name === "create" || name === "destroy";
  room.after(() => {
    if (listed) room.notify(104);
    for (const head of heads)
      for (const occupant of room.occupants.of(Jid.parse(head))) {
        occupant.seen = undefined;
        room.announce(occupant);
      }
  });
}

function table(room: Room, name: "list" | "list-assigned"): Element {
  const { hats, worn } = rack(room);
  const columns = name === "list" ? ["title", "uri", "hue"] : ["jid", "uri", "title", "hue"];
  const rows: Record<string, string>[] =
    name === "list"
      ? [...hats.values()].map((hat) => ({ ...hat }))
      : worn.map(({ jid, uri }) => ({ jid, uri, ...hats.get(uri) }));
  const field = (key: string, value?: string) =>
    xml("field", { var: `hats#${key}` }, value !== undefined && xml("value", {}, value));
  return xml(
    "x",
    { xmlns: FORMS, type: "result" },
    xml("title", {}, NAMES[name]),
    xml("reported", {}, ...columns.map((key) => field(key))),
    ...rows.map((row) => xml("item", {}, ...columns.map((key) => field(key, row[key] ?? "")))),
  );
}

function wear(room: Room, { occupant, texts }: { occupant: { jid: Jid }; texts: string[] }): void {
  const hats = rack(room).of(occupant.jid);
  if (hats.length === 0) return;
  const children = hats.map(({ uri, title, hue }) => xml("hat", { uri, title, hue: hue || undefined }));
  texts.push(serialise(xml("hats", { xmlns: NS }, ...children), CLIENT));
}

export const hats: Feature = {
  name: "hats",
  implements: [{ id: "XEP-0317", version: "0.3.1" }],
  advertises: { room: [NS, COMMANDS] },
  tables: [
    {
      name: "hat",
      steps: [
        `CREATE TABLE hat (owner INTEGER NOT NULL, uri TEXT NOT NULL, title TEXT NOT NULL, hue TEXT NOT NULL,
           PRIMARY KEY (owner, uri)) WITHOUT ROWID`,
      ],
    },
    {
      name: "hat_worn",
      steps: [
        `CREATE TABLE hat_worn (owner INTEGER NOT NULL, jid TEXT NOT NULL, uri TEXT NOT NULL,
           PRIMARY KEY (owner, jid, uri)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    room.iq("set", COMMANDS, "command", command),
    room.hook("presence:extend", wear),
    room.hook("disco:fields", (room, fields) => {
      const { hats } = rack(room);
      if (hats.size === 0) return;
      fields["hats#hash"] = createHash("sha1")
        .update(JSON.stringify([...hats.values()]))
        .digest("hex");
    }),
    room.hook("disco:items", (room, { asker, node, found }) => {
      if (node !== COMMANDS || rank(room.affiliation(asker)) < rank("admin")) return;
      const jid = room.jid.toString();
      for (const [name, label] of Object.entries(NAMES))
        found.push(xml("item", { jid, node: `${FORM}:${name}`, name: label }));
    }),
    room.hook("disco:info", (_, { node, found }) => {
      const label = NAMES[node.slice(FORM.length + 1) as Name];
      if (!node.startsWith(`${FORM}:`) || !label) return;
      found.push(xml("identity", { category: "automation", type: "command-node", name: label }));
      found.push(xml("feature", { var: COMMANDS }), xml("feature", { var: FORMS }));
    }),
    room.hook("room:destroyed", ({ sql, id }) => {
      sql`DELETE FROM hat WHERE owner = ${id}`;
      sql`DELETE FROM hat_worn WHERE owner = ${id}`;
    }),
  ],
};
