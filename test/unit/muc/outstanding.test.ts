/** What a room has taken is said, whatever becomes of its object's memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { House, instant, join, ROOM_JID } from "./fake.ts";

const CRONE = "crone@shakespeare.example/desktop";
const HAG = "hag@shakespeare.example/pda";
const HECATE = "hecate@elsewhere.example/broom";

let house: House;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  house = new House();
  await house.receives(CRONE, join("firstwitch"), ["weur:0", "s1"]);
  await house.receives(CRONE, instant, ["weur:0", "s1"]);
  await house.receives(HAG, join("secondwitch"), ["weur:1", "s2"]);
  await house.receives(HECATE, join("hecate"));
  house.takes();
  house.items.length = 0;
});
afterEach(() => {
  expect(house.failures.filter((failure) => !/alone/.test(String(failure)))).toEqual([]);
  vi.useRealTimers();
});

const says = (body: string) =>
  house.receives(CRONE, `<message type="groupchat" id="${body}" to="${ROOM_JID}"><body>${body}</body></message>`, [
    "weur:0",
    "s1",
  ]);
const whispers = (body: string) =>
  house.receives(
    CRONE,
    `<message type="chat" id="${body}" to="${ROOM_JID}/secondwitch"><body>${body}</body></message>`,
  );

async function dies(meanwhile: () => Promise<unknown>): Promise<void> {
  house.dying = true;
  await meanwhile();
  house.dying = false;
  vi.clearAllTimers();
  house.forget();
  await house.settled();
}

async function rests(): Promise<void> {
  vi.runAllTimers();
  await house.settled();
}

async function alarm(): Promise<void> {
  vi.setSystemTime(Date.now() + 3_000);
  house.rooms.alarm();
  await house.settled();
}

/** What gates have heard: where, the id, whether it may have come before. */
const heard = () =>
  house.calls
    .splice(0)
    .flatMap(({ gate, batch }) => batch.map(({ e, again }) => `${gate} ${e?.id}${again ? " again" : ""}`));
const passed = () => house.items.splice(0).map(({ e, again }) => `${e.to} ${e.id}${again ? " again" : ""}`);

test("what nobody has heard is said when the object starts, as what may have come before", async () => {
  await says("one");
  await rests();
  heard();
  passed();
  await dies(() => says("two"));
  expect(heard()).toEqual(["weur:0 two again", "weur:1 two again"]);
  expect(passed()).toEqual([`${HECATE} two again`]);
});

test("it is said in the same words and passed on by the same number, whether it was heard or not", async () => {
  await says("one");
  const first = [house.takes(), house.items.splice(0)] as const;
  await dies(async () => {});
  const second = [house.takes(), house.items.splice(0)] as const;
  expect(second[0]).toEqual(first[0]);
  expect(second[1].map(({ origin }) => origin)).toEqual(first[1].map(({ origin }) => origin));
});

test("a burst that everybody has heard is over, and is not said again", async () => {
  await says("one");
  await rests();
  heard();
  house.items.length = 0;
  house.forget();
  await says("two");
  expect(heard()).toEqual(["weur:0 two", "weur:1 two"]);
  expect(passed()).toEqual([`${HECATE} two`]);
});

test("in a burst that goes on, what was heard before the alarm is not said again", async () => {
  await says("one");
  await alarm();
  heard();
  await dies(() => says("two"));
  expect(heard()).toEqual(["weur:0 two again", "weur:1 two again"]);
});

test("a burst writes one row, however long it is", async () => {
  await says("one");
  const due = () => house.rows("SELECT * FROM due WHERE name = 'outstanding'");
  const before = due();
  for (const body of ["two", "three"]) await says(body);
  expect(due()).toEqual(before);
  expect(before).toHaveLength(1);
  await rests();
  expect(due()).toEqual([]);
});

test("a private message is passed on again until another object has it, by the same number", async () => {
  await dies(() => whispers("pm"));
  await dies(async () => {});
  const [first, second] = house.items.splice(0);
  expect(first).toMatchObject({ e: { id: "pm", to: HAG }, again: true });
  expect(second).toEqual(first);
  await rests();
  house.forget();
  await rests();
  expect(passed()).toEqual([]);
});

test("what could not be passed on is passed on when the alarm goes off", async () => {
  house.alone = true;
  await whispers("pm");
  await says("one");
  await rests();
  expect(passed()).toEqual([]);
  heard();
  house.alone = false;
  await alarm();
  expect(passed().sort()).toEqual([`${HAG} pm again`, `${HECATE} one again`].sort());
  await rests();
  house.forget();
  await rests();
  expect(passed()).toEqual([]);
});
