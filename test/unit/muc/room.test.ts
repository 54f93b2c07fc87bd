import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Jid } from "../../../src/protocol/jid.ts";
import { stanza } from "../../../src/protocol/stanza.ts";
import { xml } from "../../../src/xml/element.ts";
import { House, instant, join, ROOM_JID } from "./fake.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());

const jid = (n: number) => `witch${n}@shakespeare.example/pda`;
const gate = (n: number) => `weur:${n % 3}`;

async function filled(occupants: number): Promise<House> {
  const house = new House();
  await house.receives(jid(0), join("w0"), [gate(0), "s0"]);
  await house.receives(jid(0), instant, [gate(0), "s0"]);
  for (let n = 1; n < occupants; n++) await house.receives(jid(n), join(`w${n}`), [gate(n), `s${n}`]);
  house.takes();
  return house;
}

const message = (body: string, id = body) =>
  `<message type="groupchat" id="${id}" to="${ROOM_JID}"><body>${body}</body></message>`;

test("a message is one delivery for each gate, with all its readers in it", async () => {
  const house = await filled(30);
  await house.receives(jid(4), message("Hail"), [gate(4), "s4"]);
  expect(house.calls.map(({ batch }) => batch.map(({ to }) => to.length))).toEqual([[10], [10], [10]]);
  expect(house.failures).toEqual([]);
});

test("who joins is shown everybody in one item of one call", async () => {
  const house = await filled(30);
  await house.receives(jid(99), join("late"), [gate(0), "s99"]);
  const own = house.calls.flatMap(({ batch }) => batch).filter(({ to }) => to.includes("s99"));
  expect(own[0]?.more).toHaveLength(29); // with the first, 30
});

test("moderators see real addresses, others do not", async () => {
  const house = await filled(4);
  await house.receives(jid(9), join("late"), ["weur:7", "s9"]);
  const about = house.takes().filter(({ text }) => text.includes(`${ROOM_JID}/late`));
  const open = about.filter(({ text, gate }) => text.includes(`jid="${jid(9)}"`) && gate !== "weur:7");
  expect(open.map(({ readers }) => readers)).toEqual([1]);
  expect(about.filter(({ text }) => !text.includes("jid=")).reduce((sum, { readers }) => sum + readers, 0)).toBe(3);
});

test("a room that was forgotten comes back with its occupants, roles, subject and lists", async () => {
  const house = await filled(3);
  await house.receives(jid(0), `<message type="groupchat" id="s" to="${ROOM_JID}"><subject>Fire</subject></message>`, [
    gate(0),
    "s0",
  ]);
  const role = `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="w1" role="visitor"/></query>`;
  await house.receives(jid(0), `<iq type="set" id="r" to="${ROOM_JID}">${role}</iq>`, [gate(0), "s0"]);
  house.forget();
  const room = house.rooms.room(ROOM_JID);
  expect([...room.occupants].map(({ nick, role }) => [nick, role]).sort()).toEqual([
    ["w0", "moderator"],
    ["w1", "visitor"],
    ["w2", "participant"],
  ]);
  expect(room.subject?.text).toBe("Fire");
  expect(room.affiliations.list("owner").map(String)).toHaveLength(1);
});

test("streams that are gone leave with status 333, streams that moved are followed", async () => {
  const house = await filled(6);
  house.moved.set("s1", "apac:0");
  await house.receives(jid(1), message("first"), [gate(1), "s1"]);
  const followed = house.takes().filter(({ gate, text }) => gate === "apac:0" && text.includes("first"));
  expect(followed).toHaveLength(1);
  house.gone.add("s2");
  await house.receives(jid(3), message("second"), [gate(3), "s3"]);
  await house.settled();
  const left = house.takes().filter(({ text }) => text.includes(`${ROOM_JID}/w2`) && text.includes('code="333"'));
  expect(left.length).toBeGreaterThan(0);
  expect(house.rooms.room(ROOM_JID).occupants.get("w2")).toBeUndefined();
});

test("occupants on other servers get one envelope each, and leave when their server cannot be reached", async () => {
  const house = await filled(2);
  await house.receives("hecate@elsewhere.example/pda", join("hecate"));
  house.sent.length = 0;
  await house.receives(jid(1), message("Hail"), [gate(1), "s1"]);
  expect(house.sent.map(({ to }) => String(to))).toEqual(["hecate@elsewhere.example/pda"]);
  const error = `<error type="wait"><remote-server-timeout xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
  await house.receives(
    "hecate@elsewhere.example/pda",
    `<message type="error" id="Hail" to="${ROOM_JID}/w1">${error}</message>`,
  );
  expect(house.rooms.room(ROOM_JID).occupants.get("hecate")).toBeUndefined();
});

test("a message that an account passes on twice is handled once, whatever was forgotten", async () => {
  const house = await filled(3);
  const whisper = stanza(
    "message",
    { type: "chat", id: "pm", from: Jid.parse(jid(1)), to: Jid.parse(`${ROOM_JID}/w2`) },
    xml("body", {}, "Psst"),
  );
  for (const again of [false, true]) {
    house.rooms.inbox.put(again ? { e: whisper.pack(), origin: 7, again: true } : { e: whisper.pack(), origin: 7 });
    await house.settled();
    vi.runAllTimers();
    house.forget();
  }
  expect(house.sent.filter(({ id }) => id === "pm")).toHaveLength(1);
});
