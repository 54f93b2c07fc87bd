/** doap.xml says what the features say. `npm run doap` rewrites it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DOAP, doap } from "../scripts/doap.ts";

test("doap.xml is current", () => {
  expect(readFileSync(DOAP, "utf8")).toBe(doap());
});
