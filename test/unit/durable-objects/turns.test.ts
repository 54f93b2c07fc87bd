import { expect, test } from "vitest";
import { Turns } from "../../../durable-objects/turns.ts";

test("all who wait have the same turn, in their order, and who comes then has the next", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const first = turns.next();
  const waits = async (name: string) => {
    await turns.next();
    seen.push(name);
  };
  const all = [waits("a"), waits("b")];
  // Nobody is let in before the turn comes.
  await Promise.resolve();
  expect(seen).toEqual([]);
  await first;
  const second = turns.next();
  expect(second).not.toBe(first);
  await Promise.all(all);
  expect(seen).toEqual(["a", "b"]);
  await second;
});
