/** What waits for another server: sent in order, again after a failure, back to its sender when its time is up (security.md R13). */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Leaving, ToBridge } from "../../../src/peer/frames.ts";
import { bodyOf, MINUTE, Office, pass, REMOTE, SECOND, type Wire } from "./fake.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const stanzas = (wire: Wire): Leaving[] =>
  wire.seen.splice(0).filter((frame: ToBridge): frame is Leaving => "stanza" in frame);
const bodies = (wire: Wire): string[] => stanzas(wire).map(({ stanza }) => bodyOf(stanza));

/** A bridge that says hello when it is asked for. */
async function linked(office: Office, name = "a bridge"): Promise<Wire> {
  const wire = office.wire();
  await pass(1);
  wire.say({ hello: name, next: 1 });
  await pass(2);
  return wire;
}

test("what a bridge has proof of is forgotten, the rest goes out again in order after a failure", async () => {
  const office = new Office();
  const wire = await linked(office);
  for (const body of ["one", "two", "three"]) office.says(body);
  await pass(1);
  const sent = stanzas(wire);
  expect(sent.map(({ stanza }) => bodyOf(stanza))).toEqual(["one", "two", "three"]);
  expect(sent.map(({ after }) => after)).toEqual([0, sent[0]?.n, sent[1]?.n]);
  const numbers = sent.map(({ n }) => n);
  wire.say({ sent: numbers.slice(0, 1) });
  wire.say({ failed: numbers.slice(1), reason: "gone", final: false });
  await pass(1);
  office.says("four");
  await pass(100);
  expect(bodies(wire)).toEqual([]);
  await pass(2 * SECOND);
  const again = stanzas(wire);
  expect(again.map(({ stanza }) => bodyOf(stanza))).toEqual(["two", "three", "four"]);
  expect(again[0]?.after).toBeLessThan(numbers[1] ?? 0);
});

test("a failure of nothing changes nothing", async () => {
  const office = new Office();
  const wire = await linked(office);
  office.says("one");
  await pass(1);
  stanzas(wire);
  wire.say({ failed: [], reason: "?", final: false });
  await pass(5 * SECOND);
  office.says("two");
  await pass(1);
  expect(bodies(wire)).toEqual(["two"]);
});

test("a server that is down for two minutes gets all of it, in order", async () => {
  const office = new Office();
  const wire = await linked(office);
  let up = false;
  const arrived: string[] = [];
  const answer = setInterval(() => {
    const got = stanzas(wire);
    const numbers = got.map(({ n }) => n);
    if (got.length === 0) return;
    if (up) arrived.push(...got.map(({ stanza }) => bodyOf(stanza)));
    wire.say(up ? { sent: numbers } : { failed: numbers, reason: "connection refused", final: false });
  }, 10);
  const said: string[] = [];
  for (let second = 0; second < 120; second += 4) {
    office.says(`${second}`);
    said.push(`${second}`);
    await pass(4 * SECOND);
  }
  expect(arrived).toEqual([]);
  up = true;
  await pass(5 * MINUTE);
  clearInterval(answer);
  expect(arrived).toEqual(said);
  expect(office.errors).toEqual([]);
});

test("of a server that is down for a quarter of an hour each sender gets one error for each stanza, and nothing goes out any more", async () => {
  // By chance two waits of the longest might be longer than what was sent later has time.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  const office = new Office();
  const wire = await linked(office);
  let up = false;
  const arrived: string[] = [];
  const answer = setInterval(() => {
    const got = stanzas(wire);
    if (got.length === 0) return;
    if (up) arrived.push(...got.map(({ stanza }) => bodyOf(stanza)));
    const numbers = got.map(({ n }) => n);
    wire.say(up ? { sent: numbers } : { failed: numbers, reason: "connection refused", final: false });
  }, 10);
  office.says("from romeo");
  office.says("from nurse", "nurse@capulet.example/b");
  office.sends(`<presence from="romeo@capulet.example/a" to="paul@${REMOTE}"/>`);
  office.sends(
    `<message type="error" id="e" from="romeo@capulet.example/a" to="paul@${REMOTE}"><error type="cancel"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
  );
  office.sends(
    `<iq type="get" id="q" from="romeo@capulet.example/a" to="${REMOTE}"><ping xmlns="urn:xmpp:ping"/></iq>`,
  );
  await pass(10 * MINUTE - SECOND);
  office.says("late");
  expect(office.errors).toEqual([]);
  await pass(2 * SECOND);
  expect(office.errors.map(({ id, to }) => `${id} ${to}`).sort()).toEqual([
    "from nurse nurse@capulet.example/b",
    "from romeo romeo@capulet.example/a",
    "q romeo@capulet.example/a",
  ]);
  for (const { inner } of office.errors) expect(inner).toMatch(/type="wait".*<remote-server-timeout/s);
  await pass(5 * MINUTE - SECOND);
  up = true;
  await pass(6 * MINUTE);
  clearInterval(answer);
  // What was sent later had waited for six minutes.
  expect(arrived).toEqual(["late"]);
  expect(office.errors).toHaveLength(3);
});

test("without a bridge it waits for one, and asks for it ever less often", async () => {
  const office = new Office();
  office.says("one");
  await pass(9 * MINUTE);
  const { reached } = office;
  expect(reached).toBeGreaterThan(4);
  expect(reached).toBeLessThan(12);
  const wire = await linked(office);
  expect(bodies(wire)).toEqual(["one"]);
});

/** The other server says something; `n`: how often it has. */
const speak = (wire: Wire, n: number) =>
  wire.say({ n, stanza: `<presence xmlns="jabber:client" from="paul@${REMOTE}/x" to="romeo@capulet.example"/>` });

/** It fails until the next try is more than a minute away. */
async function failed(wire: Wire): Promise<void> {
  for (let tries = 0; tries < 7; ) {
    const numbers = stanzas(wire).map(({ n }) => n);
    if (numbers.length > 0) {
      wire.say({ failed: numbers, reason: "connection refused", final: false });
      tries++;
    }
    await pass(100);
  }
}

test.each(["awake", "forgotten"])(
  "a server that speaks is up: what waits does not wait any longer (%s)",
  async (how) => {
    const office = new Office();
    const wire = await linked(office);
    office.says("one");
    await failed(wire);
    if (how === "forgotten") office.forget();
    await pass(20 * SECOND);
    expect(bodies(wire)).toEqual([]);
    speak(wire, 1);
    await pass(1.5 * SECOND);
    expect(bodies(wire)).toEqual(["one"]);
  },
);

test("one that speaks all the time and cannot be reached is tried about each second", async () => {
  const office = new Office();
  const wire = await linked(office);
  office.says("one");
  await failed(wire);
  let tries = 0;
  for (let n = 1; n <= 200; n++) {
    speak(wire, n);
    await pass(100);
    const numbers = stanzas(wire).map(({ n }) => n);
    if (numbers.length === 0) continue;
    tries++;
    wire.say({ failed: numbers, reason: "connection refused", final: false });
  }
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(28);
});

test("patience is a setting", async () => {
  const office = new Office({ S2S_PATIENCE: "30" });
  office.says("one");
  await pass(31 * SECOND);
  expect(office.errors).toHaveLength(1);
});

test("a second bridge gets nothing that the first has in hand", async () => {
  const office = new Office();
  const first = await linked(office, "first");
  office.says("one");
  await pass(1);
  const second = await linked(office, "second");
  office.says("two");
  await pass(1);
  expect(bodies(first)).toEqual(["one", "two"]);
  expect(bodies(second)).toEqual([]);
});

test("when its bridge is lost, another takes over; the same bridge is given a moment to come back", async () => {
  const office = new Office();
  const first = await linked(office, "first");
  office.says("one");
  const second = await linked(office, "second");
  expect(bodies(first)).toEqual(["one"]);
  first.terminate();
  await pass(100);
  expect(bodies(second)).toEqual([]);
  await pass(2 * SECOND);
  expect(bodies(second)).toEqual(["one"]);
});

test("after a failure another bridge has its turn", async () => {
  const office = new Office();
  const first = await linked(office, "first");
  office.says("one");
  const second = await linked(office, "second");
  const fail = (wire: Wire) => wire.say({ failed: stanzas(wire).map(({ n }) => n), reason: "refused", final: false });
  fail(first);
  await pass(2 * SECOND);
  expect(bodies(first)).toEqual([]);
  fail(second);
  await pass(5 * SECOND);
  expect(bodies(second)).toEqual([]);
  office.says("two");
  await pass(1);
  expect(bodies(first)).toEqual(["one", "two"]);
});

test("a bridge that is silent about what it was given is replaced by the newest", async () => {
  const office = new Office();
  const first = await linked(office, "first");
  office.says("one");
  await pass(MINUTE);
  const second = await linked(office, "second");
  expect(bodies(second)).toEqual([]);
  await pass(MINUTE);
  expect(bodies(second)).toEqual(["one"]);
  office.says("two");
  await pass(1);
  expect(bodies(second)).toEqual(["two"]);
  expect(bodies(first)).toEqual(["one"]);
});

test("a frame without which others do not count ends the link", async () => {
  const office = new Office();
  const wire = await linked(office);
  const stanza = (n: number) =>
    `<message xmlns="jabber:client" from="paul@${REMOTE}" to="romeo@capulet.example"><body>${n}</body></message>`;
  wire.say({ n: 1, stanza: stanza(1) });
  wire.say({ n: 1, stanza: stanza(1) });
  await pass(1);
  expect(office.bodies).toEqual(["1"]);
  wire.say({ n: 3, stanza: stanza(3) });
  await pass(2);
  expect(office.bodies).toEqual(["1"]);
  expect(wire.readyState).toBe(3);
});

test("what other objects have not taken is not acknowledged; it is handed on once more when it comes again", async () => {
  const office = new Office();
  const wire = await linked(office, "bridge");
  office.refuses = () => {
    throw new Error("not now");
  };
  const stanza = `<message xmlns="jabber:client" from="paul@${REMOTE}" to="romeo@capulet.example"><body>hallo</body></message>`;
  wire.seen.length = 0;
  wire.say({ n: 1, stanza });
  await pass(2);
  expect(wire.seen).toEqual([]);
  expect(wire.readyState).toBe(3);
  office.refuses = undefined;
  const next = office.wire();
  await pass(1);
  next.say({ hello: "bridge", next: 1 });
  next.say({ n: 1, stanza, again: true });
  await pass(3);
  expect(office.bodies).toEqual(["hallo"]);
  expect(next.seen).toEqual([{ taken: 0 }, { taken: 1 }]);
});

test("a link that has counted for long begins where it says, when the object has forgotten it", async () => {
  const office = new Office();
  const wire = office.wire();
  await pass(1);
  wire.say({ hello: "old", next: 501 });
  wire.say({
    n: 501,
    stanza: `<message xmlns="jabber:client" from="paul@${REMOTE}" to="romeo@capulet.example"><body>hallo</body></message>`,
  });
  await pass(3);
  expect(wire.seen).toEqual([{ taken: 500 }, { taken: 501 }]);
  expect(office.bodies).toEqual(["hallo"]);
});

test("the answer to a question of a bridge's is told to all of them, and to nobody else", async () => {
  const office = new Office();
  const first = await linked(office, "first");
  const second = await linked(office, "second");
  const answer = (id: string, to: string) =>
    `<iq xmlns="jabber:client" type="result" id="${id}" from="${REMOTE}" to="${to}"/>`;
  first.seen.length = 0;
  second.seen.length = 0;
  second.say({ n: 1, stanza: answer("proof-1", "rooms.capulet.example") });
  second.say({ n: 2, stanza: answer("proof-2", "romeo@capulet.example/a") });
  await pass(3);
  expect(first.seen).toEqual([{ answered: "proof-1" }]);
  expect(second.seen).toContainEqual({ answered: "proof-1" });
  // A client may choose its ids as it likes.
  expect(office.taken.map(({ id }) => id)).toEqual(["proof-2"]);
});
