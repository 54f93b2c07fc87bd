import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase32, encodeBase32, randomName } from "../../../src/protocol/base32.ts";

test.each([
  ["", ""],
  ["f", "my"],
  ["fo", "mzxq"],
  ["foo", "mzxw6"],
  ["foob", "mzxw6yq"],
  ["fooba", "mzxw6ytb"],
  ["foobar", "mzxw6ytboi"],
])("RFC 4648 §10: %j", (plain, encoded) => {
  expect(encodeBase32(Buffer.from(plain))).toBe(encoded);
  expect(Buffer.from(decodeBase32(encoded) ?? "?").toString()).toBe(plain);
});

test("any bytes come back", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(decodeBase32(encodeBase32(bytes))).toEqual(bytes)));
});

test.each(["m", "mz1q", "MY", "mz", "my======", "mzx"])("%j is refused", (text) =>
  expect(decodeBase32(text)).toBeUndefined(),
);

test("random names", () => {
  expect(randomName()).toMatch(/^[a-z2-7]{26}$/);
  expect(randomName()).not.toBe(randomName());
  expect(randomName(256)).toHaveLength(52);
});
