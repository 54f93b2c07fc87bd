/** XEP-0198 on the streams of other servers: what is acknowledged is in custody. The other server is the test. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { Raw } from "./raw.ts";

const HERE = "enjamb.test";
const THERE = "verona.test";
const SM = "urn:xmpp:sm:3";
const ENABLE = `<enable xmlns="${SM}"/>`;
const ASK = `<r xmlns="${SM}"/>`;
const authority = new Authority(mkdtempSync(join(tmpdir(), "enjamb-acknowledgement-")));
const theirs = authority.issue("there", [THERE]);
let server: Server;
let bridge: RunningBridge;

beforeAll(async () => {
  server = await startServer({ settings: { XMPP_DOMAIN: HERE, BRIDGE_TOKEN } }, "ours");
  await server.addUser("romeo", "wherefore");
  const identity = authority.issue("here", [HERE]);
  bridge = await startBridge(server, identity, { S2S_CA: authority.file });
});
afterAll(async () => {
  await bridge?.stop();
  await server?.stop();
});

async function authenticated(): Promise<Raw> {
  const raw = await Raw.connect(bridge.ports.s2s);
  expect(await raw.authenticates(THERE, HERE, theirs)).toContain(`<sm xmlns="${SM}"/>`);
  return raw;
}

const message = (body: string) =>
  `<message from="paul@${THERE}" to="romeo@${HERE}" type="chat"><body>${body}</body></message>`;

test("§3: management is not for who has proved nothing", async () => {
  const raw = await Raw.connect(bridge.ports.s2s);
  await raw.secure(THERE, HERE);
  raw.say(ENABLE);
  expect(await raw.hears(/<\/failed>/)).toContain("<unexpected-request");
});

test("§3: it is enabled once", async () => {
  const raw = await authenticated();
  raw.say(ENABLE);
  await raw.hears(/<enabled/);
  raw.say(ENABLE);
  await raw.hears(/<policy-violation/);
});

test("§4: stanzas count from then on, and are acknowledged when they are in custody: not while the server is away", async () => {
  const raw = await authenticated();
  raw.say(message("uncounted") + ENABLE);
  await raw.hears(/<enabled/);
  raw.say(message("one") + ASK);
  await raw.hears(/<a xmlns="urn:xmpp:sm:3" h="1"\/>/);
  await server.kill9();
  raw.say(message("two") + message("three") + ASK);
  await server.restart();
  expect(await raw.hears(/<a xmlns="urn:xmpp:sm:3" h="\d+"\/>/)).toContain('h="3"');
  const romeo = new Agent(`romeo@${HERE}`, "wherefore", "127.0.0.1", bridge.ports.c2s, authority.file);
  for (const body of ["uncounted", "one", "two", "three"]) await romeo.sees({ event: "message", body });
  romeo.stop();
});
