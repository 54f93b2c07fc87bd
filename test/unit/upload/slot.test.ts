import { expect, test } from "vitest";
import { filePath, isFileId, newFileId, readSlot, type Slot, slotPath } from "../../../src/upload/slot.ts";

const SECRET = "a secret";
const slot: Slot = { id: newFileId(SECRET), name: "très cool.jpg", size: 5, type: "image/jpeg", until: 1, expires: 2 };

const parts = (path: string) => {
  const url = new URL(path, "https://chat.example");
  const [, , id = "", name = ""] = url.pathname.split("/").map(decodeURIComponent);
  return { id, name, slot: url.searchParams.get("slot") ?? "" };
};

test("a slot is read back from its path", () => {
  expect(readSlot(SECRET, parts(slotPath(SECRET, slot)))).toEqual(slot);
  expect(slotPath(SECRET, slot).startsWith(`${filePath(slot)}?`)).toBe(true);
});

test("nobody else's is", () => {
  const given = parts(slotPath(SECRET, slot));
  const larger = Buffer.from(JSON.stringify({ ...slot, size: 6 })).toString("base64url");
  expect(readSlot("another", given)).toBeUndefined();
  expect(readSlot(SECRET, { ...given, name: "cool.jpg" })).toBeUndefined();
  expect(readSlot(SECRET, { ...given, id: newFileId(SECRET) })).toBeUndefined();
  expect(readSlot(SECRET, { ...given, slot: given.slot.replace(/^[^.]+/, larger) })).toBeUndefined();
  expect(readSlot(SECRET, { ...given, slot: "" })).toBeUndefined();
});

test("an id is one that this server has made", () => {
  expect(isFileId(SECRET, slot.id)).toBe(true);
  expect(isFileId("another", slot.id)).toBe(false);
  expect(isFileId(SECRET, slot.id.slice(0, 26))).toBe(false);
  expect(isFileId(SECRET, "")).toBe(false);
});
