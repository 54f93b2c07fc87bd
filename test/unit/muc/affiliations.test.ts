import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { expect, test } from "vitest";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { AFFILIATION, Affiliations } from "../../../src/muc/affiliations.ts";
import { nickKey } from "../../../src/muc/occupants.ts";
import { Jid } from "../../../src/protocol/jid.ts";

function storage() {
  const database = new DatabaseSync(":memory:");
  const port: SqlStorage = {
    exec: (query, ...values) => {
      const rows = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(port, [AFFILIATION]);
  return sqlOver(port);
}

const hag = Jid.parse("hag66@shakespeare.example/pda");

test("a domain can be banned, and one of its people be welcome all the same", () => {
  const list = new Affiliations(storage(), 1);
  list.set(Jid.parse("shakespeare.example"), { affiliation: "outcast" });
  expect(list.get(hag)).toBe("outcast");
  list.set(hag, { affiliation: "member" });
  expect(list.get(hag)).toBe("member");
});

test("a ban takes the reserved nick away, its end the banned address", () => {
  const list = new Affiliations(storage(), 1);
  list.set(hag, { affiliation: "member", nick: "Third Witch" });
  expect(list.reserved("third  witch", nickKey)?.jid.equals(hag.bare)).toBe(true);
  list.set(hag, { affiliation: "outcast", address: "hash" });
  expect(list.reserved("Third Witch", nickKey)).toBeUndefined();
  expect(list.banned("hash")).toBe(true);
  list.set(hag, { affiliation: "none" });
  expect(list.banned("hash")).toBe(false);
});

test("changes since a version, also after everything was forgotten", () => {
  const sql = storage();
  const list = new Affiliations(sql, 1);
  list.set(hag, { affiliation: "owner" });
  const { version } = list;
  list.set(Jid.parse("crone1@shakespeare.example"), { affiliation: "member" });
  list.set(hag, { affiliation: "none" });
  const again = new Affiliations(sql, 1);
  const changes = again.since(version)?.map(({ jid, affiliation }) => `${jid} ${affiliation}`);
  expect(changes).toEqual(["crone1@shakespeare.example member", "hag66@shakespeare.example none"]);
  expect(again.since(undefined)).toHaveLength(1);
  expect(again.since(again.version + 1)).toBeUndefined();
});

test("the past is kept for a while, and what is older is no longer told in parts", () => {
  const list = new Affiliations(storage(), 1);
  list.set(hag, { affiliation: "owner" });
  const { version } = list;
  for (let n = 0; n < 510; n++) list.set(Jid.parse(`w${n}@shakespeare.example`), { affiliation: "none" });
  expect(list.since(version)).toBeUndefined();
  expect(list.since(list.version - 1)).toHaveLength(1);
});
