/** RFC 6120 §10.4: what is for another server waits for it. The test is the bridge, by the frames of src/peer/frames.ts. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { Leaving, ToBridge, ToPeer } from "../../../src/peer/frames.ts";
import { read } from "../../../src/xml/reader.ts";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const BRIDGE_TOKEN = "conformance-bridge-token";
const TIMEOUT_MS = 10_000;
let world: World;
let romeo: Actor;

beforeAll(async () => {
  world = await World.start({
    settings: {
      BRIDGE_TOKEN,
      S2S_PATIENCE: "4",
      COMPONENTS: JSON.stringify({ "echo.capulet.example": "component-secret-0123456789" }),
    },
  });
  romeo = await world.login("romeo", { resource: "orchard" });
});
afterAll(() => world.dispose());

const headers = { authorization: `Bearer ${BRIDGE_TOKEN}` };
const open = async (path: string): Promise<WebSocket> => {
  const socket = new WebSocket(`${world.http.replace("http", "ws")}/bridge/${path}`, { headers });
  await once(socket, "open");
  return socket;
};

/** A bridge's link to the object of one domain. */
class Bridge {
  readonly socket: WebSocket;
  readonly #frames: ToBridge[] = [];
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => {
      this.#frames.push(JSON.parse(String(data)) as ToBridge);
      this.#wake();
    });
  }

  static async link(domain: string, name: string, next = 1): Promise<Bridge> {
    const bridge = new Bridge(await open(`peer/${domain}`));
    await bridge.says({ hello: name, next });
    return bridge;
  }

  async says(frame: ToPeer): Promise<void> {
    if (world.evicting) await world.evict();
    this.socket.send(JSON.stringify(frame));
  }

  async next(): Promise<ToBridge> {
    const late = Date.now() + TIMEOUT_MS;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      const left = late - Date.now();
      if (left <= 0) throw new Error("nothing came for the bridge");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, left);
      });
    }
  }

  /** The next stanzas that are to go out. */
  async stanzas(count: number): Promise<Leaving[]> {
    const found: Leaving[] = [];
    while (found.length < count) {
      const frame = await this.next();
      if ("stanza" in frame) found.push(frame);
    }
    return found;
  }
}

const bodies = (frames: readonly Leaving[]) =>
  frames.map(({ stanza }) => read(stanza).getChild("body")?.getText() ?? "");
const say = (domain: string, body: string) =>
  romeo.sends(`<message to="paul@${domain}" type="chat" id="${body}"><body>${body}</body></message>`);
const from = (domain: string, body: string) =>
  `<message xmlns="jabber:client" from="paul@${domain}/x" to="romeo@${world.domain}/orchard" type="chat"><body>${body}</body></message>`;

spec("RFC 6120", "10.4", "what is for a server nobody has reached yet waits until it is, in order", async () => {
  const waiting = await open("wait");
  const asked = once(waiting, "message");
  for (const body of ["one", "two", "three"]) await say("late.example", body);
  expect(JSON.parse(String((await asked)[0]))).toEqual({ reach: "late.example" });
  waiting.close();
  const bridge = await Bridge.link("late.example", "first");
  expect(await bridge.next()).toEqual({ taken: 0 });
  const sent = await bridge.stanzas(3);
  expect(bodies(sent)).toEqual(["one", "two", "three"]);
  expect(sent[0]).toMatchObject({ after: 0, from: world.domain, to: "late.example" });
  await bridge.says({ sent: sent.map(({ n }) => n) });
  bridge.socket.close();
});

spec("RFC 6120", "10.1", "after a failure the same comes again, and nothing passes it", async () => {
  const bridge = await Bridge.link("flaky.example", "first");
  for (const body of ["one", "two"]) await say("flaky.example", body);
  const sent = await bridge.stanzas(2);
  await bridge.says({ failed: sent.map(({ n }) => n), reason: "refused", final: false });
  await say("flaky.example", "three");
  const again = await bridge.stanzas(3);
  expect(bodies(again)).toEqual(["one", "two", "three"]);
  expect(again[0]?.after).toBeLessThan(sent[0]?.n ?? 0);
  await bridge.says({ sent: again.map(({ n }) => n) });
  bridge.socket.close();
});

spec("RFC 6120", "8.3.3.16", "when time is up each stanza comes back with an error, once", async () => {
  await say("gone.example", "lost");
  await romeo.receives(
    `<message from="paul@gone.example" to="${romeo.jid}" id="lost" type="error"><error type="wait"><remote-server-timeout xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">*</text></error></message>`,
    { extra: true },
  );
  const bridge = await Bridge.link("gone.example", "first");
  expect(await bridge.next()).toEqual({ taken: 0 });
  await say("gone.example", "found");
  expect(bodies(await bridge.stanzas(1))).toEqual(["found"]);
  bridge.socket.close();
});

spec("RFC 6120", "8.3.3.15", "of a server that is none at all it comes back at once", async () => {
  const bridge = await Bridge.link("none.example", "first");
  await say("none.example", "lost");
  const sent = await bridge.stanzas(1);
  await bridge.says({ failed: sent.map(({ n }) => n), reason: "no such name", final: true });
  await romeo.receives(
    `<message from="paul@none.example" to="${romeo.jid}" id="lost" type="error"><error type="cancel"><remote-server-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
    { extra: true },
  );
  bridge.socket.close();
});

describe("a link that is cut (security.md R14)", () => {
  test("loses nothing that was under way, and a bridge is told where to go on", async () => {
    const first = await Bridge.link("cut.example", "the same");
    await say("cut.example", "out");
    const [out] = await first.stanzas(1);
    await first.says({ n: 1, stanza: from("cut.example", "in") });
    await romeo.receives(`<message from="paul@cut.example/x" to="${romeo.jid}"><body>in</body></message>`, {
      extra: true,
    });
    first.socket.terminate();
    const second = await Bridge.link("cut.example", "the same", 2);
    expect(await second.next()).toEqual({ taken: 1 });
    expect(bodies(await second.stanzas(1))).toEqual(["out"]);
    await second.says({ n: 1, stanza: from("cut.example", "in"), again: true });
    await second.says({ n: 2, stanza: from("cut.example", "next") });
    await romeo.receives(`<message from="paul@cut.example/x" to="${romeo.jid}"><body>next</body></message>`, {
      extra: true,
    });
    await second.says({ sent: [out?.n ?? 0] });
    second.socket.close();
  });

  test("and one that has lost a frame is ended, so that its bridge begins again", async () => {
    const bridge = await Bridge.link("gap.example", "first");
    const ended = once(bridge.socket, "close");
    await bridge.says({ n: 2, stanza: from("gap.example", "too early") });
    await ended;
  });
});

spec("XEP-0114", "3", "a component speaks with other servers, and they with it", async () => {
  const echo = "echo.capulet.example";
  const [component, remote] = [await Bridge.link(echo, "component"), await Bridge.link("remote.example", "bridge")];
  for (const bridge of [component, remote]) expect(await bridge.next()).toEqual({ taken: 0 });
  const message = (from: string, to: string) =>
    `<message xmlns="jabber:client" from="a@${from}" to="b@${to}" type="chat"><body>${from}</body></message>`;
  await remote.says({ n: 1, stanza: message("remote.example", echo) });
  expect(bodies(await component.stanzas(1))).toEqual(["remote.example"]);
  await component.says({ n: 1, stanza: message(echo, "remote.example") });
  expect(await remote.next()).toEqual({ taken: 1 });
  const [answer] = await remote.stanzas(1);
  expect(answer).toMatchObject({ from: echo, to: "remote.example" });
  for (const bridge of [component, remote]) bridge.socket.close();
});
