/** XEP-0124 §7: sessions that many clients ask for at the same moment. */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { Session } from "./session.ts";

const MOST = 2;
let world: World;
beforeAll(async () => {
  world = await World.start({ settings: { GATE_SOCKETS: String(MOST) } });
});
afterAll(() => world?.dispose());

spec("XEP-0124", "7.2", "are at several gates, none of which has more than it may", async () => {
  const sessions = await Promise.all(Array.from({ length: 5 }, () => Session.create(world)));
  const gates = Map.groupBy(sessions, ({ sid }) => sid.slice(0, sid.indexOf(".")));
  expect(Math.max(...[...gates.values()].map((at) => at.length))).toBe(MOST);
});
