import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS, OBJECTS } from "../../../scripts/objects.ts";

const config = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");

test("wrangler.toml binds the same classes as every other runtime", () => {
  const bound = [...config.matchAll(/name = "([A-Z]+)", class_name = "(\w+)"/g)].map(([, name, className]) => [
    name,
    className,
  ]);
  expect(bound).toEqual(OBJECTS.map(({ binding, className }) => [binding, className]));
});

test("every class was made, once, by a migration with SQLite", () => {
  const made = [...config.matchAll(/^new_sqlite_classes = (\[.*\])$/gm)].flatMap(
    ([, list]) => JSON.parse(list ?? "[]") as string[],
  );
  expect(made.toSorted()).toEqual(OBJECTS.map(({ className }) => className).toSorted());
});

test("date and flags are the same everywhere", () => {
  expect(config).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`);
  expect(config).toContain(`compatibility_flags = ["${COMPATIBILITY_FLAGS.join('", "')}"]`);
});

test("what unlocks the runtime for tests is in no configuration", () => {
  expect(config).not.toContain("unsafe");
  expect(COMPATIBILITY_FLAGS.join()).not.toContain("unsafe");
});
