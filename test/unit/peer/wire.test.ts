/** A bridge's link and a Peer object over a wire that loses, doubles and shuffles frames and is cut (security.md R14). */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Delivery } from "../../../src/bridge/delivery.ts";
import { Link, type Outgoing } from "../../../src/bridge/link.ts";
import { xml } from "../../../src/xml/element.ts";
import { bodyOf, type Faults, MINUTE, Office, pass, REMOTE } from "./fake.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ROUNDS = 400;
const SEEDS = Array.from({ length: 12 }, (_, n) => n + 1);

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A bad wire until `healed`. */
function weather(chance: () => number): Faults & { healed: boolean } {
  const faults = {
    healed: false,
    latency: 5,
    dropped: () => !faults.healed && chance() < 0.05,
    doubled: () => !faults.healed && chance() < 0.05,
    passed: () => !faults.healed && chance() < 0.05,
    cut: () => !faults.healed && chance() < 0.01,
  };
  return faults;
}

/** A bridge of one link; `outgoing` is what it does with a stanza. */
function bridge(office: Office, faults: Faults, outgoing: (link: Link, stanza: Outgoing) => void): Link {
  const link: Link = new Link({
    connect: () => office.wire(faults) as unknown as ReturnType<ConstructorParameters<typeof Link>[0]["connect"]>,
    outgoing: (stanza) => outgoing(link, stanza),
    answered: () => {},
  });
  office.onReach = () => link.reach();
  setInterval(() => link.idle(Date.now()), 30_000);
  return link;
}

const incoming = (body: string) =>
  `<message xmlns="jabber:client" from="paul@${REMOTE}/x" to="romeo@capulet.example"><body>${body}</body></message>`;
const ORIGIN = { drained: () => {}, taken: () => {} };

describe.each(SEEDS)("wire %i", (seed) => {
  test("all arrives once and in order, both ways, though the object is forgotten now and then", async () => {
    const chance = random(seed);
    const office = new Office();
    const faults = weather(chance);
    const written: string[] = [];
    const link = bridge(office, faults, (link, { n, stanza }) => {
      written.push(bodyOf(stanza));
      setTimeout(() => link.sent([n]), chance() * 50);
    });
    const taken: number[] = [];
    const said: string[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      said.push(`${n}`);
      office.says(`${n}`);
      link.enter(incoming(`${n}`), { drained: () => {}, taken: () => taken.push(n) });
      if (chance() < 0.02) office.forget();
      await pass(chance() * 40);
    }
    faults.healed = true;
    await pass(5 * MINUTE);
    // The last frame of all may have been lost, which nothing shows but the next one.
    link.enter(incoming("end"), ORIGIN);
    link.idle(Date.now());
    await pass(MINUTE);
    expect(written).toEqual(said);
    expect(office.bodies).toEqual([...said, "end"]);
    expect(taken).toEqual(said.map(Number));
    expect(office.errors).toEqual([]);
  });

  test("what streams lose as they die goes out again: nothing is missing, and nothing passes what was before it", async () => {
    const chance = random(seed);
    const office = new Office();
    const faults = weather(chance);
    const read: string[] = [];
    const remote = new Remote(chance, read);
    const link = bridge(office, faults, (link, stanza) => remote.carry(link, stanza));
    const said: string[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      said.push(`${n}`);
      office.says(`${n}`);
      if (chance() < 0.02) setTimeout(() => remote.die(), chance() * 10);
      // In bursts, so that some are on the wire while others fail.
      if (chance() < 0.7) await pass(chance() * 100);
      else await pass(1);
    }
    faults.healed = true;
    await pass(8 * MINUTE);
    expect([...new Set(read)]).toEqual(said);
    expect(office.errors).toEqual([]);
    link.close();
  });
});

/** A server that reads what is written to it after some time, unless its stream has died by then. */
class Remote {
  readonly #chance: () => number;
  readonly #read: string[];
  #stream: { delivery: Delivery; link: Link } | undefined;

  constructor(chance: () => number, read: string[]) {
    this.#chance = chance;
    this.#read = read;
  }

  carry(link: Link, { n, stanza }: Outgoing): void {
    this.#stream ??= this.#open(link);
    this.#stream.delivery.write(n, bodyOf(stanza));
  }

  #open(link: Link): { delivery: Delivery; link: Link } {
    let handled = 0;
    let last = 0;
    /** In order, as TCP has it. */
    const later = (run: () => void) => {
      last = Math.max(last, Date.now() + this.#chance() * 30);
      setTimeout(() => this.#stream?.delivery === delivery && run(), last - Date.now());
    };
    const say = (name: string, h = "") => delivery.element(xml(name, { xmlns: "urn:xmpp:sm:3", h }));
    const delivery: Delivery = new Delivery(true, {
      send: ({ name }) => later(() => (name === "r" ? say("a", String(handled)) : say("enabled"))),
      write: (body) =>
        later(() => {
          handled++;
          this.#read.push(body);
        }),
      ask: () => ({ id: "", iq: xml("iq") }),
      proven: (numbers) => link.sent(numbers),
      silent: () => this.die(),
    });
    return { delivery, link };
  }

  die(): void {
    const { delivery, link } = this.#stream ?? {};
    this.#stream = undefined;
    link?.failed(delivery?.end() ?? [], "the stream has died", false);
  }
}
