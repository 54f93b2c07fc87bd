/** An archive in memory, and clients' queries of it. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { answerQuery } from "../../../src/archive/answer.ts";
import { Archive } from "../../../src/archive/archive.ts";
import type { Filter } from "../../../src/archive/page.ts";
import { readQuery } from "../../../src/archive/query.ts";
import { ARCHIVE, idAt, timeOf } from "../../../src/archive/row.ts";
import { Uids } from "../../../src/archive/uid.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import type { Stanza } from "../../../src/protocol/stanza.ts";
import type { Element } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";

export const MAM = "urn:xmpp:mam:2";
const RSM = "http://jabber.org/protocol/rsm";
export const ROMEO = Jid.parse("romeo@capulet.example");

export function shelf(): { archive: Archive; storage: SqlStorage } {
  const database = new DatabaseSync(":memory:");
  const storage: SqlStorage = {
    exec: (query, ...values) => {
      const rows = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(storage, [ARCHIVE]);
  return { archive: new Archive(sqlOver(storage), 1, new Uids("secret", ROMEO.toString())), storage };
}

/** Puts messages into the past: one a minute, the last of them a minute ago. @returns their UIDs, oldest first */
export function fill(archive: Archive, bodies: readonly (readonly [peer: string, body: string])[]): string[] {
  const start = Date.now() - bodies.length * 60_000;
  return bodies.map(([peer, body], i) => {
    const id = idAt(start + i * 60_000);
    archive.sql`INSERT INTO archive VALUES (1, ${id}, ${Jid.parse(peer).bare.toString()}, ${i % 2}, 0, 'chat', ${`m${i}`},
      ${i % 2 ? `${ROMEO}/orchard` : peer}, ${i % 2 ? peer : ROMEO.toString()}, '', ${`<body>${body}</body>`}, 7, 0)`;
    return archive.uid(id);
  });
}

/** When a message was archived, in ms. */
export const timeOfUid = (archive: Archive, uid = ""): number => timeOf(archive.position(uid) ?? 0);

export interface Answer {
  uids: string[];
  complete: boolean;
  first: string | undefined;
  last: string | undefined;
  index: string | undefined;
  count: string | undefined;
  results: Element[];
}

export const field = (name: string, ...values: string[]) =>
  `<field var="${name}">${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
export const form = (...fields: string[]) =>
  `<x xmlns="jabber:x:data" type="submit">${field("FORM_TYPE", MAM)}${fields.join("")}</x>`;
export const set = (inner: string) => `<set xmlns="${RSM}">${inner}</set>`;

/** What a query with these children is answered. */
export function ask(archive: Archive, children: string, queryid = ""): Answer {
  const payload = read(`<query xmlns="${MAM}"${queryid && ` queryid="${queryid}"`}>${children}</query>`);
  const query = readQuery(payload, archive);
  const filter: Filter = query.with ? { peer: query.with.bare.toString() } : {};
  if (query.with?.full) filter.party = query.with.toString();
  const results: Element[] = [];
  const deliver = (result: Stanza) => results.push(read(result.text()));
  const fin = answerQuery(archive, query, { from: ROMEO, filter, deliver });
  const page = fin.getChild("set", RSM);
  return {
    uids: results.map((result) => result.getChild("result", MAM)?.attrs.id ?? ""),
    complete: fin.attrs.complete === "true",
    first: page?.getChild("first")?.getText(),
    last: page?.getChild("last")?.getText(),
    index: page?.getChild("first")?.attrs.index,
    count: page?.getChildText("count") ?? undefined,
    results,
  };
}
