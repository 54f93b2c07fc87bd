import { expect, test } from "vitest";
import { Buckets } from "../../../src/edge/buckets.ts";
import { secondsToWait } from "../../../src/edge/upgrade-rate.ts";

test("a burst passes, a flood waits, and the wait is true", () => {
  const start = 1_000_000;
  for (let n = 0; n < 100; n++) expect(secondsToWait("a", start)).toBe(0);
  expect(secondsToWait("a", start)).toBe(1);
  expect(secondsToWait("b", start)).toBe(0);
  expect(secondsToWait("a", start + 1_000)).toBe(0);
});

test("what is left is told, and looking takes nothing", () => {
  const buckets = new Buckets(2, 0.1);
  expect(buckets.take("a", 0, 0)).toEqual({ wait: 0, remaining: 2, full: 0 });
  expect(buckets.take("a", 0)).toEqual({ wait: 0, remaining: 1, full: 10 });
  expect(buckets.take("a", 0)).toEqual({ wait: 0, remaining: 0, full: 20 });
  expect(buckets.take("a", 0)).toEqual({ wait: 10, remaining: 0, full: 20 });
  expect(buckets.take("a", 20_000)).toEqual({ wait: 0, remaining: 1, full: 10 });
});
