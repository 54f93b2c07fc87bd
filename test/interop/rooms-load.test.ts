/** Rooms full of people: nothing lost, nothing twice, one order for everybody, and the same after the server was killed. */
import { describe, expect, test } from "vitest";
import { stage } from "./fixture.ts";
import { runs } from "./ledger.ts";
import { parallel } from "./parallel.ts";
import { enter, Occupant, type Said, until } from "./rooms-crowd.ts";

const on = stage();
const OCCUPANTS = Number(process.env.OCCUPANTS ?? 300);
const KILLS = Number(process.env.KILLS ?? 4);

/** Nobody asks a guest for a password: so many are here soon. */
const GUESTS = { "{urn:x-enjamb:room}guests": "speak" };
let rooms = 0;

const bodies = (said: readonly Said[]): string[] => said.map(({ body }) => body);

/** What one of them said, as runs of its numbers. */
const of = (occupant: Occupant, all: readonly Said[]): string =>
  runs(
    all.filter(({ nick }) => nick === occupant.nick).map(({ body }) => Number(body.slice(occupant.nick.length + 1))),
  );

/** A new room with its founder and so many guests less one. */
async function fill(size: number): Promise<Occupant[]> {
  const { websocket: url, hosts, domain } = on.server;
  const room = `crowd${++rooms}@${hosts.rooms}`;
  const { name: username, password } = await on.account("founder");
  const founder = new Occupant({ url, domain, username, password }, room, "founder");
  await founder.found(GUESTS);
  const guest = { url, domain: hosts.guest, mechanism: "ANONYMOUS" } as const;
  const guests = Array.from({ length: size - 1 }, (_, at) => new Occupant(guest, room, `guest${at}`));
  await enter(guests);
  const all = [founder, ...guests];
  on.later(() => parallel(all, 50, (one) => one.close()));
  return all;
}

/** So many of each room say so many things, all at once; everybody hears all of it once, in one order. */
async function converse(filled: readonly Occupant[][], speakers: number, times: number): Promise<number> {
  const everybody = filled.flat();
  const due = filled.reduce((sum, { length }) => sum + length * Math.min(length, speakers) * times, 0);
  let heard = 0;
  const came = until(
    everybody,
    () => ++heard > due,
    () => `${due} deliveries; ${heard - 1} came`,
  );
  for (let time = 0; time < times; time++)
    for (const occupants of filled) for (const occupant of occupants.slice(0, speakers)) occupant.say();
  await came;
  await parallel(everybody, 50, (occupant) => occupant.ping());
  for (const [first, ...others] of filled as [Occupant, ...Occupant[]][]) {
    const order = bodies(first.heard);
    for (const speaker of [first, ...others].slice(0, speakers)) {
      expect(of(speaker, first.heard)).toBe(times === 1 ? "1" : `1-${times}`);
    }
    for (const { heard, nick } of others) expect(bodies(heard), nick).toEqual(order);
    for (const { repeats, nick } of [first, ...others]) expect(repeats, `what ${nick} heard twice`).toEqual([]);
  }
  return due;
}

describe("everybody hears everything once, in one order", () => {
  const timeout = 60_000 + OCCUPANTS * 300;

  test(`1 room of ${OCCUPANTS}`, { timeout }, async ({ annotate }) => {
    const start = performance.now();
    const all = await fill(OCCUPANTS);
    const entered = performance.now();
    const due = await converse([all], 30, 5);
    const end = performance.now();
    await annotate(
      `${OCCUPANTS ** 2} presences in ${seconds(entered - start)}, ${due} deliveries in ${seconds(end - entered)}`,
    );
  });

  test("20 rooms of 20", { timeout }, async ({ annotate }) => {
    const filled = await parallel(Array.from({ length: 20 }), 4, () => fill(20));
    const start = performance.now();
    const due = await converse(filled, 20, 5);
    await annotate(`${due} deliveries in ${seconds(performance.now() - start)}`);
  });
});

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

test(`a room of 50, whose server is killed ${KILLS} times while they talk, forgets and doubles nothing`, {
  timeout: 120_000,
}, async ({ annotate }) => {
  const { websocket: url, hosts, domain } = on.server;
  const room = `stage@${hosts.rooms}`;
  const accounts = await parallel(Array.from({ length: 50 }), 8, () => on.account("player"));
  const all = accounts.map(
    ({ name: username, password }) => new Occupant({ url, domain, username, password }, room, username),
  );
  const [owner] = all as [Occupant];
  await owner.found();
  await owner.close();
  await enter(all, { managed: true });
  on.later(() => Promise.all(all.map((one) => one.close())));

  // Ten of them talk; each says the next thing when the server has taken the last into custody.
  const talkers = all.slice(0, 10);
  const acked = () => talkers.reduce((sum, talker) => sum + talker.acked.length, 0);
  const quiet = () => talkers.every((talker) => talker.acked.length === talker.sent.length);
  const speak = () => {
    for (const talker of talkers) if (talker.acked.length === talker.sent.length) talker.say();
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const enough = acked() + 30;
    const done = () => {
      if (acked() >= enough) return true;
      speak();
      return false;
    };
    await until(all, done, () => `${enough} acknowledgements; ${acked()} came`);
    speak();
    // Every other time it has begun to tell them what was said last.
    const latest = new Set(talkers.map(({ sent }) => sent.at(-1)));
    const told = () => all.some(({ heard }) => latest.has(heard.at(-1)?.body));
    if (kill % 2 === 1) await until(all, told, () => "the first to hear the latest");
    await on.server.kill9();
    await Promise.all(all.map((one) => one.lost()));
    await on.server.restart();
    await parallel(all, 8, (one) => one.comeBack());
  }
  await until(all, quiet, () => "the last acknowledgements");

  const kept = await owner.archive();
  const order = bodies(kept);
  const behind = () => all.filter(({ heard }) => heard.length < order.length);
  await until(
    all,
    () => behind().length === 0,
    () =>
      behind()
        .map(({ nick, heard, resumed }) => `${nick} (${heard.length} of ${order.length}, ${resumed} resumed)`)
        .join(),
  );
  await Promise.all(all.map((one) => one.ping()));
  for (const talker of talkers) {
    expect(of(talker, kept), `${talker.nick} in the archive`).toBe(`1-${talker.sent.length}`);
    expect(talker.acked).toEqual(talker.sent);
    const own = talker.heard.filter(({ nick }) => nick === talker.nick);
    expect(own.map(({ id }) => id)).toEqual(talker.sent.map((body) => body.replace(" ", "-")));
  }
  for (const { heard, repeats, nick } of all) {
    expect(bodies(heard), `heard by ${nick}`).toEqual(order);
    // One's own may come again: for whoever sends it again it is the answer, under the same stanza-id.
    expect(
      repeats.filter((said) => said.nick !== nick),
      `heard twice by ${nick}`,
    ).toEqual([]);
  }
  const count = (of: (one: Occupant) => number) => all.reduce((sum, one) => sum + of(one), 0);
  await annotate(
    [
      `${order.length} messages`,
      `${count(({ resumed }) => resumed)} sessions resumed`,
      `${count(({ refused }) => refused)} refused`,
      `${count(({ repeats }) => repeats.length)} reflected again to whoever sent them again`,
    ].join(", "),
  );
});
