/** A gate in memory: what time does to its streams, and what becomes of stanzas on their way. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { features } from "../../../src/features/index.ts";
import type { AccountCalls, StreamCalls } from "../../../src/gate/calls.ts";
import { Gate } from "../../../src/gate/gate.ts";
import { Ledger } from "../../../src/gate/management.ts";
import { newStream, type StreamState } from "../../../src/gate/state.ts";
import type { Stream } from "../../../src/gate/stream.ts";
import { WAITING } from "../../../src/gate/waiting.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { type Item, Post } from "../../../src/kernel/post.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import { parseSettings } from "../../../src/settings.ts";

const kernel = new Kernel(features);
const settings = parseSettings({ XMPP_DOMAIN: "capulet.example", LIMITS: "off", RESUME_SECONDS: "60" });
const SM = "urn:xmpp:sm:3";
const ROMEO = "romeo@capulet.example";

/** What one client has been sent, and how its socket was closed. */
interface Wire {
  readonly frames: string[];
  closed: number | undefined;
}

class Fixture {
  readonly gate: Gate;
  readonly alarms: Alarms;
  /** Calls to accounts that wait for their answer. */
  readonly calls: { batch: Item[]; answer: () => void }[] = [];
  /** Whether calls answer at once. */
  prompt = true;

  constructor() {
    const db = new DatabaseSync(":memory:");
    const storage: SqlStorage = {
      exec: (query, ...values) => {
        const rows = db.prepare(query).all(...(values as SQLInputValue[]));
        return { toArray: () => rows };
      },
    };
    migrate(storage, [DUE, WAITING]);
    const sql = sqlOver(storage);
    const receive = (batch: Item[]) =>
      new Promise<void>((answer) => {
        this.calls.push({ batch, answer });
        if (this.prompt) answer();
      });
    const post = new Post({
      settings,
      self: { kind: "GATE", name: "local:0" },
      calls: () => ({ receive, deliver: async () => ({ gone: [], moved: [], acked: [] }) as never }),
      local: () => {},
      log: { warn() {}, error() {} },
    });
    const accounts = {
      judge: async () => ({ ok: true }),
      bind: async () => ({ ok: true, resource: "orchard" }),
      resume: async () => "local:0",
    } as unknown as AccountCalls;
    this.alarms = new Alarms(sql, () => {});
    this.gate = new Gate({
      name: "local:0",
      settings,
      secrets: { salt: "", occupant: "", dialback: "", address: "" } as never,
      kernel,
      post,
      sql,
      alarms: this.alarms,
      log: { warn: () => {}, error: () => {} },
      accounts: () => accounts,
      gates: () => ({}) as StreamCalls,
      redeem: async () => false,
    });
  }

  connect({ secure = true, bindings }: Partial<StreamState> = {}): [Stream, Wire] {
    const wire: Wire = { frames: [], closed: undefined };
    const state = newStream(crypto.randomUUID(), { address: "address", secure, site: "" }, Date.now());
    if (bindings) state.bindings = bindings;
    const stream = this.gate.accept(state, {
      send: (text) => void wire.frames.push(text),
      close: (code) => {
        wire.closed = code;
      },
      attach: () => {},
    });
    stream.receive(`<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="capulet.example" version="1.0"/>`);
    return [stream, wire];
  }

  /** A client that is bound, by SASL2 with these inline elements. */
  async login(inline: string): Promise<[Stream, Wire]> {
    const [stream, wire] = this.connect();
    const initial = Buffer.from("\0romeo\0secret").toString("base64");
    stream.receive(
      `<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${initial}</initial-response>${inline}</authenticate>`,
    );
    await vi.advanceTimersByTimeAsync(1);
    return [stream, wire];
  }

  alarmAfter(seconds: number): void {
    vi.setSystemTime(Date.now() + seconds * 1000);
    this.gate.alarm();
  }
}

const BIND = `<bind xmlns="urn:xmpp:bind:0"><enable xmlns="${SM}" resume="true"/></bind>`;
const idOf = (wire: Wire) => / id="(local:0\/[^"]+)"/.exec(wire.frames.join(""))?.[1] ?? "";

test("what is due to accounts beside it is left to them", () => {
  const fixture = new Fixture();
  fixture.alarms.wake("account custody", ROMEO, Date.now() - 1);
  fixture.alarmAfter(1);
  expect(fixture.alarms.pending("account custody", ROMEO)).toBe(true);
});
let fixture: Fixture;
beforeEach(() => {
  vi.useFakeTimers();
  fixture = new Fixture();
});
afterEach(() => {
  vi.useRealTimers();
});

test("what a stream is offered depends on its own channel, whoever came before it", () => {
  const offers = (state?: Partial<StreamState>) => fixture.connect(state)[1].frames.join("");
  const bindings: StreamState["bindings"] = [["tls-exporter", "AAAA"]];
  expect(offers()).not.toContain("-PLUS");
  expect(offers({ bindings })).toContain("SCRAM-SHA-1-PLUS</mechanism>");
  expect(offers({ bindings })).toContain(`type="tls-exporter"`);
  expect(offers({ secure: false })).not.toContain("PLAIN");
  expect(offers()).toContain("PLAIN");
  expect(offers()).not.toContain("-PLUS");
});

describe("time", () => {
  test("ends a stream that does not log in within half a minute, and no other", async () => {
    const [, slow] = fixture.connect();
    vi.setSystemTime(Date.now() + 20_000);
    const [, later] = fixture.connect();
    const [, bound] = await fixture.login(BIND);
    fixture.alarmAfter(11);
    expect(slow.frames.join("")).toContain("<connection-timeout");
    expect(slow.closed).toBe(1000);
    expect(later.closed).toBeUndefined();
    fixture.alarmAfter(31);
    expect(later.frames.join("")).toContain("<connection-timeout");
    expect(bound.closed).toBeUndefined();
  });

  test("ends a stream that nobody came back for, and tells its account", async () => {
    const [stream] = await fixture.login(BIND);
    fixture.gate.lost(stream);
    fixture.alarmAfter(59);
    expect(stream.ended).toBe(false);
    fixture.alarmAfter(2);
    expect(stream.ended).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(fixture.calls.flatMap(({ batch }) => batch)).toContainEqual(
      expect.objectContaining({ of: ROMEO, sid: stream.sid, ended: true }),
    );
  });

  test("waits no longer for a client than it has asked for (XEP-0198 §3)", async () => {
    const [stream, wire] = await fixture.login(BIND.replace("/></bind>", ` max="20"/></bind>`));
    expect(wire.frames.join("")).toContain(`max="20"`);
    fixture.gate.lost(stream);
    fixture.alarmAfter(19);
    expect(stream.ended).toBe(false);
    fixture.alarmAfter(2);
    expect(stream.ended).toBe(true);
    const [, greedy] = await fixture.login(BIND.replace("/></bind>", ` max="9000"/></bind>`));
    expect(greedy.frames.join("")).toContain(`max="60"`);
    const [none] = await fixture.login(BIND.replace("/></bind>", ` max="0"/></bind>`));
    fixture.gate.lost(none);
    expect(none.ended).toBe(true);
  });

  test("asks a client that owes acknowledgements, and gives it up when it stays silent", async () => {
    const [stream, wire] = await fixture.login(BIND);
    stream.receive(`<iq xmlns="jabber:client" type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(wire.frames.filter((frame) => frame === `<r xmlns="${SM}"/>`)).toHaveLength(1);
    fixture.alarmAfter(61);
    expect(wire.closed).toBe(1001);
    expect(stream.ended).toBe(false);
  });
});

test("a stream that went to another gate and came back is gone when it has ended, and not at that gate", async () => {
  const [stream] = await fixture.login(BIND);
  const { gate } = fixture;
  const away = await gate.handOver(stream.sid, ROMEO, "local:9");
  const { sid } = stream;
  expect(gate.deliver([{ to: [sid], photo: "" }])).toMatchObject({ moved: [[sid, "local:9"]], gone: [] });
  const [back] = await fixture.login("");
  gate.adopt(back, away?.state as StreamState, Ledger.enabled(true));
  gate.finish(back);
  expect(gate.deliver([{ to: [sid], photo: "" }])).toMatchObject({ moved: [], gone: [sid] });
});

describe("a stanza on its way into custody", () => {
  const message = `<message xmlns="jabber:client" to="juliet@capulet.example" type="chat"><body>1</body></message>`;

  test("is acknowledged when it has arrived, and not before", async () => {
    const [stream, wire] = await fixture.login(BIND);
    fixture.prompt = false;
    stream.receive(message);
    stream.receive(`<r xmlns="${SM}"/>`);
    await vi.advanceTimersByTimeAsync(1);
    expect(wire.frames.join("")).not.toContain("<a ");
    fixture.calls.at(-1)?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(wire.frames.at(-1)).toBe(`<a xmlns="${SM}" h="1"/>`);
  });

  test("is awaited before its stream is resumed elsewhere", async () => {
    const [stream, wire] = await fixture.login(BIND);
    fixture.prompt = false;
    stream.receive(message);
    await vi.advanceTimersByTimeAsync(1);
    const [, back] = await fixture.login(`<resume xmlns="${SM}" previd="${idOf(wire)}" h="0"/>`);
    expect(wire.frames.join("")).toContain("<conflict");
    expect(back.frames.join("")).not.toContain("<resumed");
    fixture.calls.at(-1)?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(back.frames.join("")).toMatch(/<resumed [^>]*h="1"/);
  });

  test("is awaited before the answer to <close/>", async () => {
    const [stream, wire] = await fixture.login(BIND);
    fixture.prompt = false;
    stream.receive(message);
    stream.receive(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
    await vi.advanceTimersByTimeAsync(1);
    expect(wire.closed).toBeUndefined();
    fixture.calls.at(-1)?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(wire.frames.slice(-2)).toEqual([
      `<a xmlns="${SM}" h="1"/>`,
      `<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`,
    ]);
    expect(wire.closed).toBe(1000);
  });
});
