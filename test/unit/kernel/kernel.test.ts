/** How features compose, where entities are, and what is due. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import type { Feature } from "../../../src/kernel/feature.ts";
import { handlersAt } from "../../../src/kernel/feature.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { gateBeside, gateHome, guestName, placement, route } from "../../../src/kernel/placement.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { Jid } from "../../../src/protocol/jid.ts";
import { parseSettings } from "../../../src/settings.ts";

function database(): SqlStorage {
  const db = new DatabaseSync(":memory:");
  return {
    exec: (query, ...values) => {
      const rows = db.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
}

describe("a kernel", () => {
  const at = handlersAt<string[], { moment: string }>("account");
  const feature = (name: string, handles: Feature["handles"], more: Partial<Feature> = {}): Feature => ({
    name,
    implements: [],
    ...(handles && { handles }),
    ...more,
  });

  test("runs a hook's handlers in the list's order, until one has handled it", () => {
    const said = (word: string, stop = false) =>
      feature(word, [
        at.hook("moment", (cx, event) => {
          cx.push(word + event);
          return stop ? "handled" : undefined;
        }),
      ]);
    const kernel = new Kernel([said("a"), said("b", true), said("c")]);
    const heard: string[] = [];
    expect(kernel.fire("account", "moment", heard, "!")).toBe("handled");
    expect(heard).toEqual(["a!", "b!"]);
    expect(kernel.fire("host", "moment", heard, "!")).toBeUndefined();
  });

  test("takes no two answers to one request, no two alarms and no two tables of a name", () => {
    const iq = feature("one", [at.iq("get", "urn:x", "q", () => undefined)]);
    expect(() => new Kernel([iq, { ...iq, name: "two" }])).toThrow(/another feature/);
    const alarm = feature("one", [at.alarm("ring", () => {})]);
    expect(() => new Kernel([alarm, alarm])).toThrow(/another feature/);
    const table = feature("one", [], { tables: [{ name: "t", steps: [] }] });
    expect(() => new Kernel([table, table])).toThrow(/table "t"/);
  });
});

describe("placement", () => {
  const each = parseSettings({ XMPP_DOMAIN: "capulet.example" });
  const shared = parseSettings({ XMPP_DOMAIN: "capulet.example", PLACEMENT: "shared:4" });

  test("is one object for each, or the same of a few for the same address", () => {
    expect(placement(each, "juliet@capulet.example")).toBe("juliet@capulet.example");
    const names = Array.from({ length: 200 }, (_, i) => placement(shared, `user${i}@capulet.example`));
    expect(new Set(names)).toEqual(new Set(["shared-0", "shared-1", "shared-2", "shared-3"]));
    expect(placement(shared, "user7@capulet.example")).toBe(names[7]);
  });

  test("the first gate of one machine is where all accounts are, if one object has them", () => {
    const one = parseSettings({ XMPP_DOMAIN: "capulet.example", PLACEMENT: "shared:1" });
    expect(gateHome(one, "local:0")).toEqual({ kind: "USER", name: placement(one, "juliet@capulet.example") });
    expect(gateBeside(one)).toBe("local:0");
    for (const [settings, gate] of [
      [one, "local:1"],
      [one, "weur:0"],
      [shared, "local:0"],
      [each, "local:0"],
    ] as const)
      expect(gateHome(settings, gate)).toEqual({ kind: "GATE", name: gate });
    expect([each, shared].map(gateBeside)).toEqual([undefined, undefined]);
  });

  test("follows the domain, and a guest's name leads to its gate", () => {
    const kind = (jid: string) => route(each, Jid.parse(jid)).kind;
    expect(kind("juliet@capulet.example/x")).toBe("USER");
    expect(kind("garden@rooms.capulet.example/nick")).toBe("ROOM");
    expect(kind("romeo@montague.example")).toBe("PEER");
    const guest = `${guestName("weur:12", "k3v")}@guest.capulet.example`;
    expect(route(each, Jid.parse(guest))).toEqual({ kind: "GATE", name: "weur:12" });
  });
});

describe("alarms", () => {
  test("keep one of each name, entity and key, and set the platform's to the earliest", () => {
    const storage = database();
    migrate(storage, [DUE]);
    const set: number[] = [];
    const alarms = new Alarms(sqlOver(storage), (at) => set.push(at));
    alarms.wake("a", "x", 300);
    alarms.wake("b", "x", 200, { n: 1 });
    alarms.wake("b", "x", 250, { n: 2 });
    alarms.wake("c", "x", 400);
    alarms.cancel("c", "x");
    expect(set.at(-1)).toBeLessThanOrEqual(250);
    expect(alarms.take(249)).toEqual([]);
    expect(alarms.take(250)).toMatchObject([{ name: "b", data: { n: 2 } }]);
    expect(set.at(-1)).toBe(300);
    expect(alarms.pending("a", "x")).toBe(true);
    expect(alarms.take(1000).map(({ name }) => name)).toEqual(["a"]);
    expect(alarms.pending("a", "x")).toBe(false);
  });
});

test("migrations do each step once, and new steps later", () => {
  const storage = database();
  migrate(storage, [{ name: "t", steps: ["CREATE TABLE t (a)"] }]);
  const steps = ["CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b"];
  migrate(storage, [{ name: "t", steps }]);
  migrate(storage, [{ name: "t", steps }]);
  storage.exec("INSERT INTO t (a, b) VALUES (1, 2)");
  expect(storage.exec("SELECT a, b FROM t").toArray()).toEqual([{ a: 1, b: 2 }]);
});
