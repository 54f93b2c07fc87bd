/** XEP-0313 §3: UIDs are opaque, and none can be made up */
import { expect, test } from "vitest";
import { idAt } from "../../../src/archive/row.ts";
import { Uids } from "../../../src/archive/uid.ts";

const ROMEO = "romeo@capulet.example";
const id = idAt(Date.parse("2026-11-22T17:12:39Z"));

test("a UID stands for its number, in its archive and under its secret only", () => {
  const uids = new Uids("secret", ROMEO);
  const [uid = ""] = uids.seal([id]);
  expect(uid).toMatch(/^[\w-]{22}$/);
  expect(uids.open(uid)).toBe(id);
  expect(new Uids("secret", ROMEO).open(uid)).toBe(id);
  expect(new Uids("secret", "juliet@capulet.example").open(uid)).toBeUndefined();
  expect(new Uids("another", ROMEO).open(uid)).toBeUndefined();
});

test("neighbours have nothing in common, one at a time or many", () => {
  const uids = new Uids("secret", ROMEO);
  const some = Array.from({ length: 50 }, (_, i) => id + i);
  const sealed = uids.seal(some);
  expect(sealed).toEqual(some.map((each) => uids.seal([each])[0]));
  expect(sealed.map((uid) => uids.open(uid))).toEqual(some);
  expect(new Set(sealed.map((uid) => uid.slice(0, 6))).size).toBe(50);
});

test("what was made up, or written in another way, is none", () => {
  const uids = new Uids("secret", ROMEO);
  const [uid = ""] = uids.seal([id]);
  const others = [
    "",
    "A".repeat(22),
    uid.slice(0, -1),
    `${uid}A`,
    `${uid.slice(0, -1)}B`,
    `${uid}=`,
    "Zzz",
    "<",
    "a".repeat(12),
  ];
  for (const other of others) expect(uids.open(other), other).toBeUndefined();
  // A bit of it is all of it.
  const flipped = (uid.startsWith("A") ? "B" : "A") + uid.slice(1);
  expect(uids.open(flipped)).toBeUndefined();
});

test("the ids of version 0.1 still stand for their messages", () => {
  expect(new Uids("secret", ROMEO).open(id.toString(36))).toBe(id);
});
