import { expect, test } from "vitest";
import { secondsToWait } from "../../../src/edge/upgrade-rate.ts";

test("a burst passes, a flood waits, and the wait is true", () => {
  const start = 1_000_000;
  for (let n = 0; n < 100; n++) expect(secondsToWait("a", start)).toBe(0);
  expect(secondsToWait("a", start)).toBe(1);
  expect(secondsToWait("b", start)).toBe(0);
  expect(secondsToWait("a", start + 1_000)).toBe(0);
});
