/** XEP-0468: what no test over a network can wait for or should reach: clocks, strangers' addresses, and counts that do not fit. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import type { ToPeer } from "../../../src/peer/frames.ts";
import {
  type DiscoveryPorts,
  findWebSocket,
  mayHaveWebSocket,
  Unanswered,
} from "../../../src/peer/websocket/discovery.ts";
import { Incoming } from "../../../src/peer/websocket/incoming.ts";
import { type IncomingPorts, newIncoming } from "../../../src/peer/websocket/incoming-state.ts";
import { Outgoing } from "../../../src/peer/websocket/outgoing.ts";
import { SESSION, Session } from "../../../src/peer/websocket/session.ts";
import type { Dial, WireEvents } from "../../../src/peer/websocket/stream.ts";
import { parseSettings } from "../../../src/settings.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing-server";
const SM = "urn:xmpp:sm:3";
const DB = 'xmlns:db="jabber:server:dialback"';
const HERE = "capulet.example";
const THERE = "montague.example";
const SECOND = 1_000;
const settings = parseSettings({ XMPP_DOMAIN: HERE });
const log = { warn: () => {}, error: () => {} };

function sql() {
  const database = new DatabaseSync(":memory:");
  const storage: SqlStorage = {
    exec: (query, ...values) => {
      const rows = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => rows };
    },
  };
  migrate(storage, [SESSION]);
  return sqlOver(storage);
}

describe("discovery", () => {
  const jrd = (href: string) => JSON.stringify({ links: [{ rel: "urn:xmpp:alt-connections:s2s-websocket", href }] });
  /** Files by their address; what is not there is 404. */
  const web = (files: Record<string, string | Response | Error>): DiscoveryPorts & { asked: string[] } => {
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      const found = files[url];
      if (found instanceof Error) throw found;
      return typeof found === "string" ? new Response(found) : (found ?? new Response("", { status: 404 }));
    };
    return { fetch, origins: {}, asked };
  };
  const at = (host: string) => `https://${host}/.well-known/host-meta.json`;

  test("a domain's own host-meta comes first, then that of the name above it", async () => {
    const door = "wss://chat.verona.com/s2s";
    expect(await findWebSocket("verona.com", web({ [at("verona.com")]: jrd(door) }))).toBe(door);
    const above = web({ [at("verona.com")]: jrd(door) });
    expect(await findWebSocket("rooms.verona.com", above)).toBe(door);
    expect(above.asked[0]).toBe(at("rooms.verona.com"));
    const own = web({ [at("rooms.verona.com")]: jrd("wss://own.verona.com/"), [at("verona.com")]: jrd(door) });
    expect(await findWebSocket("rooms.verona.com", own)).toBe("wss://own.verona.com/");
  });

  test.each([
    "ws://verona.com/s2s",
    "https://verona.com/s2s",
    "wss://127.0.0.1/s2s",
    "wss://[::1]/s2s",
    "wss://2130706433/s2s",
    "wss://0x7f.1/s2s",
    "wss://localhost/s2s",
    "wss://intranet/s2s",
    "wss://db.internal/s2s",
    "wss://verona.com:25/s2s",
    "wss://user@verona.com/s2s",
    "wss://",
  ])("F6: %s is no address to connect to", async (href) => {
    expect(await findWebSocket("verona.com", web({ [at("verona.com")]: jrd(href) }))).toBeUndefined();
  });

  test.each(["http://verona.com/x", "https://127.0.0.1/x", "https://localhost/x", "https://verona.org:8443/x"])(
    "F6: nobody is sent on to %s",
    async (location) => {
      const sent = new Response("", { status: 302, headers: { location } });
      const ports = web({ [at("verona.com")]: sent, [location]: jrd("wss://verona.com/s2s") });
      expect(await findWebSocket("verona.com", ports)).toBeUndefined();
      expect(ports.asked).not.toContain(location);
    },
  );

  test("a server that is silent or in trouble may have one: nobody can tell", async () => {
    const lost = Object.assign(new Error("Network connection lost."), { retryable: true });
    for (const trouble of [lost, new Response("", { status: 503 })])
      await expect(findWebSocket("verona.com", web({ [at("verona.com")]: trouble }))).rejects.toThrow(Unanswered);
  });

  test("a name that leads nowhere has none", async () => {
    for (const trouble of [new Error("internal error"), new Response("", { status: 530 })])
      expect(await findWebSocket("verona.com", web({ [at("verona.com")]: trouble }))).toBeUndefined();
  });

  test("names that are not public are not looked for, unless a setting says where they are", () => {
    for (const domain of ["localhost", "com", "10.0.0.1", "[::1]", "verona.test", "verona.local"])
      expect(mayHaveWebSocket(domain, settings)).toBe(false);
    expect(mayHaveWebSocket("verona.com", settings)).toBe(true);
    const told = parseSettings({ XMPP_DOMAIN: HERE, S2S_ORIGINS: '{"verona.test":"http://127.0.0.1:1"}' });
    expect(mayHaveWebSocket("rooms.verona.test", told)).toBe(true);
    const off = parseSettings({ XMPP_DOMAIN: HERE, S2S_WEBSOCKET: "off" });
    expect(mayHaveWebSocket("verona.com", off)).toBe(false);
  });
});

describe("the session that the next stream resumes", () => {
  test("counts are the queue's numbers", () => {
    const rows = sql();
    const session = new Session(rows);
    expect(session.id).toBeUndefined();
    session.begin("one");
    session.sent(7);
    session.sent(8);
    session.sent(9);
    session.acknowledged(7, 1);
    const after = new Session(rows);
    expect([after.id, after.count]).toEqual(["one", 1]);
    expect(after.handled(3)).toEqual([8, 9]);
    expect(after.handled(3)).toEqual([]);
    expect(new Session(rows).count).toBe(3);
  });

  test("a count that cannot be true removes nothing", () => {
    const session = new Session(sql());
    session.begin("one");
    session.sent(1);
    session.acknowledged(1, 1);
    for (const h of [0, 2 ** 31, 20_000, Number.NaN]) expect(session.handled(h)).toEqual([]);
  });

  test("one that cannot be resumed is not remembered", () => {
    const rows = sql();
    const session = new Session(rows);
    session.begin(undefined);
    session.sent(1);
    expect(new Session(rows).id).toBeUndefined();
  });
});

describe("a stream of ours", () => {
  /** A server that takes everything, and says what a test wants. */
  async function opened() {
    const written: string[] = [];
    const said: ToPeer[] = [];
    let there!: WireEvents;
    const ended = vi.fn();
    const dial: Dial = async (_, events) => {
      there = events;
      const answer = (text: string) => queueMicrotask(() => events.text(text));
      return {
        send(text) {
          written.push(text);
          if (text.startsWith("<open")) {
            answer(`<open xmlns="${FRAMING}" from="${THERE}" id="x" version="1.0"/>`);
            answer(`<features xmlns="http://etherx.jabber.org/streams"><sm xmlns="${SM}"/></features>`);
          } else if (text.startsWith(`<db:result ${DB} from="${HERE}"`))
            answer(`<db:result ${DB} from="${THERE}" to="${HERE}" type="valid"/>`);
          else if (text.startsWith("<enable")) answer(`<enabled xmlns="${SM}" id="s" resume="true"/>`);
        },
        close: () => {},
      };
    };
    const way = { url: "wss://x", local: HERE, remote: THERE, dial };
    const ports = {
      secret: "s",
      session: new Session(sql()),
      frame: (_: unknown, frame: ToPeer) => said.push(frame),
      ended,
    };
    const outgoing = await Outgoing.open(way, ports);
    const send = (n: number) =>
      outgoing.send({ n, after: n - 1, stanza: '<message xmlns="jabber:client"/>', from: HERE, to: THERE });
    return { outgoing, written, said, ended, send, hears: (text: string) => there.text(text) };
  }

  test("is closed when nobody has used it for a minute", async () => {
    const { outgoing, written, ended } = await opened();
    outgoing.tend(Date.now() + 59 * SECOND);
    expect(ended).not.toHaveBeenCalled();
    outgoing.tend(Date.now() + 61 * SECOND);
    expect(ended).toHaveBeenCalled();
    expect(written.at(-1)).toBe(`<close xmlns="${FRAMING}"/>`);
  });

  test("is given up when it acknowledges nothing for a minute, and what it had is told", async () => {
    const { outgoing, said, send } = await opened();
    send(1);
    send(2);
    await Promise.resolve();
    outgoing.tend(Date.now() + 61 * SECOND);
    expect(said).toEqual([{ failed: [1, 2], reason: "it does not answer", final: false }]);
  });

  test("is given up when it verifies nothing for a minute", async () => {
    const { outgoing, said } = await opened();
    outgoing.send({ n: 1, after: 0, stanza: "<message/>", from: `rooms.${HERE}`, to: THERE });
    outgoing.tend(Date.now() + 61 * SECOND);
    expect(said).toEqual([{ failed: [1], reason: "it does not answer", final: false }]);
  });

  test("has what is sent on it twice once", async () => {
    const { written, send } = await opened();
    for (const n of [1, 2, 1, 2, 3]) send(n);
    expect(written.filter((text) => text.startsWith("<message"))).toHaveLength(3);
  });

  test("asks once for all that goes out in a while, and again when that is answered", async () => {
    const { written, said, send, hears } = await opened();
    const asked = () => written.filter((text) => text.startsWith("<r ")).length;
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    for (const n of [1, 2, 3]) {
      send(n);
      vi.advanceTimersByTime(20);
    }
    expect(asked()).toBe(1);
    send(4);
    vi.advanceTimersByTime(SECOND);
    expect(asked()).toBe(1);
    hears(`<a xmlns="${SM}" h="3"/>`);
    expect(said).toEqual([{ sent: [1, 2, 3] }]);
    vi.advanceTimersByTime(SECOND);
    expect(asked()).toBe(2);
  });
});

describe("a stream of another server's", () => {
  function arrived(verified: boolean, more: Partial<IncomingPorts> = {}) {
    const state = newIncoming("local", "x", 0);
    Object.assign(state, { opened: true, pairs: verified ? [`${THERE} ${HERE}`] : [] });
    const sent: string[] = [];
    const socket = { send: (text: string) => void sent.push(text), close: () => {}, attach: () => {} };
    const ports = { settings, log, hosts: new Set([HERE]), ...more } as unknown as IncomingPorts;
    return { stream: new Incoming(state, socket, ports), sent };
  }

  test("that proves nothing for half a minute is ended", () => {
    const { stream, sent } = arrived(false);
    expect(stream.tend(29 * SECOND)).toBe(30 * SECOND);
    expect(sent).toEqual([]);
    expect(stream.tend(30 * SECOND)).toBe(Number.POSITIVE_INFINITY);
    expect(sent.join("")).toContain("<connection-timeout");
  });

  test.each([
    [true, [THERE]],
    [false, []],
  ])("that proves who it is shows that its server is there (a good key: %s)", async (good, expected) => {
    const heard: string[] = [];
    const { stream } = arrived(false, { verify: async () => good, heard: (domain) => void heard.push(domain) });
    stream.receive(`<db:result xmlns:db="jabber:server:dialback" from="${THERE}" to="${HERE}">key</db:result>`);
    await new Promise(setImmediate);
    expect(heard).toEqual(expected);
  });

  test("that was verified may be silent for an hour", () => {
    const { stream, sent } = arrived(true);
    expect(stream.tend(59 * 60 * SECOND)).toBe(3_600 * SECOND);
    stream.tend(3_600 * SECOND);
    expect(sent).toEqual([`<close xmlns="${FRAMING}"/>`]);
  });
});
