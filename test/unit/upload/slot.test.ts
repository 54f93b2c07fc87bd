import { expect, test } from "vitest";
import {
  fileOf,
  filePath,
  isFileId,
  newFileId,
  openSlot,
  readSlot,
  type Slot,
  slotPath,
} from "../../../src/upload/slot.ts";

const SECRET = "a secret";
const slot: Slot = { id: newFileId(SECRET), name: "très cool.jpg", size: 5, type: "image/jpeg", until: 1, expires: 2 };

const SITE = "https://chat.example";
const path = slotPath(SECRET, slot);
const given = new URL(path, SITE);

test("a slot is read back from its path", () => {
  expect(readSlot(SECRET, given)).toEqual(slot);
  expect(openSlot(given)).toEqual(slot);
  expect(path.startsWith(`${filePath(slot)}?`)).toBe(true);
});

test("nobody else's is", () => {
  const larger = Buffer.from(JSON.stringify({ ...slot, size: 6 })).toString("base64url");
  const changed = (from: string | RegExp, to: string) => readSlot(SECRET, new URL(path.replace(from, to), SITE));
  expect(readSlot("another", given)).toBeUndefined();
  expect(changed("tr%C3%A8s%20", "")).toBeUndefined();
  expect(changed(slot.id, newFileId(SECRET))).toBeUndefined();
  expect(changed(/(?<=slot=)[^.]+/, larger)).toBeUndefined();
  expect(changed(/slot=.*/, "")).toBeUndefined();
  expect(changed("tr%C3%A8s", "%")).toBeUndefined();
});

test("a URL may name a file, or nothing", () => {
  expect(fileOf(given)).toEqual({ id: slot.id, name: slot.name });
  expect(fileOf(new URL("/upload/a/%", SITE))).toBeUndefined();
});

test("an id is one that this server has made", () => {
  expect(isFileId(SECRET, slot.id)).toBe(true);
  expect(isFileId("another", slot.id)).toBe(false);
  expect(isFileId(SECRET, slot.id.slice(0, 26))).toBe(false);
  expect(isFileId(SECRET, "")).toBe(false);
});
