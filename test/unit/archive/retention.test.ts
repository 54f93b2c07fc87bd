/** XEP-0313 §3.2: what goes, goes from the old end */
import { describe, expect, it } from "vitest";
import { limitsOf, prune } from "../../../src/archive/retention.ts";
import { parseSettings } from "../../../src/settings.ts";
import { Site } from "../features/fake.ts";
import { ask, fill, shelf, timeOfUid } from "./shelf.ts";

const NONE = Number.POSITIVE_INFINITY;
const minutes = (n: number) => n * 60_000;
const lines = (n: number, text = "x") => Array.from({ length: n }, () => ["juliet@capulet.example", text] as const);

describe("pruning", () => {
  it("by age, and comes back when the next is due", () => {
    const { archive } = shelf();
    const uids = fill(archive, lines(10));
    const now = timeOfUid(archive, uids[9]) + minutes(1);
    const next = prune(archive, { age: minutes(4.5), items: NONE, bytes: NONE }, now);
    expect(ask(archive, "").uids).toEqual(uids.slice(6));
    expect(next).toBe(timeOfUid(archive, uids[6]) + minutes(4.5) + 1);
    expect(prune(archive, { age: minutes(4.5), items: NONE, bytes: NONE }, next as number)).toBeGreaterThan(
      next as number,
    );
    expect(ask(archive, "").uids).toEqual(uids.slice(7));
  });

  it("by number and by size", () => {
    const { archive } = shelf();
    const uids = fill(archive, lines(10, "y".repeat(1000)));
    prune(archive, { age: NONE, items: 8, bytes: NONE }, Date.now());
    expect(ask(archive, "").uids).toEqual(uids.slice(2));
    prune(archive, { age: NONE, items: NONE, bytes: 4000 }, Date.now());
    expect(ask(archive, "").uids).toEqual(uids.slice(7));
  });

  it("in chunks, so that one alarm does not take long", () => {
    const { archive } = shelf();
    fill(archive, lines(6000));
    const now = Date.now();
    expect(prune(archive, { age: NONE, items: 10, bytes: NONE }, now)).toBe(now);
    expect(ask(archive, "<set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set>").count).toBe("1000");
    expect(prune(archive, { age: NONE, items: 10, bytes: NONE }, now)).toBeUndefined();
    expect(ask(archive, "").uids).toHaveLength(10);
  });

  it("leaves another archive alone, and never gives an id twice", () => {
    const { archive } = shelf();
    const [uid] = fill(archive, lines(1));
    archive.sql`INSERT INTO archive SELECT 2, id, peer, outgoing, hidden, type, mid, sender, receiver, lang, inner, traits, origin
      FROM archive`;
    prune(archive, { age: 1, items: NONE, bytes: NONE }, Date.now());
    expect(archive.sql<{ owner: number }>`SELECT owner FROM archive`).toEqual([{ owner: 2 }]);
    expect(timeOfUid(archive, uid)).toBeLessThan(Date.now());
  });
});

describe("limits", () => {
  it("are the settings'", () => {
    const of = (env: Record<string, string>) => limitsOf(parseSettings({ XMPP_DOMAIN: "capulet.example", ...env }));
    expect(of({ HISTORY_DAYS: "1" })).toEqual({ age: 86_400_000, items: 10_000, bytes: 100_000_000 });
    expect(of({ HISTORY_DAYS: "0", LIMITS: "off" })).toEqual({ age: NONE, items: NONE, bytes: NONE });
  });

  it.each([
    [{}, ["", "expiry"]],
    [{ LIMITS: "off" }, ["expiry"]],
    [{ LIMITS: "off", HISTORY_DAYS: "0" }, []],
  ])("%s set alarms %s when a message is stored", async (env, keys) => {
    const site = new Site(env as Record<string, string>);
    const orchard = await site.client(site.user("romeo"), "orchard", true);
    site.user("juliet");
    for (let i = 0; i < 3; i++) {
      await orchard.sends(`<message to="juliet@capulet.example" type="chat"><body>${i}</body></message>`);
      site.evict();
    }
    const rows = site.object.sql<{ key: string }>`SELECT key FROM due WHERE name = 'account archive'
      AND entity = 'romeo@capulet.example' ORDER BY key`;
    expect(rows.map(({ key }) => key)).toEqual(keys);
  });

  it("are looked at at once when much is written", async () => {
    const site = new Site();
    const orchard = await site.client(site.user("romeo"), "orchard", true);
    for (let i = 0; i < 100; i++)
      await orchard.sends(`<message to="romeo@capulet.example" type="chat"><body>${i}</body></message>`);
    const [row] = site.object.sql<{ at: number }>`SELECT at FROM due WHERE name = 'account archive' AND key = ''`;
    expect(row?.at).toBeLessThanOrEqual(Date.now());
    site.accounts.alarm();
    expect(site.object.sql`SELECT at FROM due WHERE name = 'account archive' AND key = ''`).toEqual([]);
  });
});
