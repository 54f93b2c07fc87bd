/** The bridge by itself: native clients with channel binding, and components. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bind } from "../peers/daemon.ts";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { Raw } from "./raw.ts";

const HERE = "enjamb.test";
const SECRET = "component-secret-0123456789";
const BOT = `bot.${HERE}`;
const folder = mkdtempSync(join(tmpdir(), "enjamb-bridge-"));
const authority = new Authority(folder);
let server: Server;
let bridge: RunningBridge;
let romeo: Agent;

beforeAll(async () => {
  const components = { [`echo.${HERE}`]: SECRET, [BOT]: SECRET };
  const settings = { XMPP_DOMAIN: HERE, BRIDGE_TOKEN, COMPONENTS: JSON.stringify(components) };
  server = await startServer({ settings }, "ours");
  await server.addUser("romeo", "wherefore");
  const identity = authority.issue("here", [HERE, `rooms.${HERE}`]);
  bridge = await startBridge(server, identity, { S2S_CA: authority.file });
  romeo = new Agent(`romeo@${HERE}`, "wherefore", "127.0.0.1", bridge.ports.c2s, authority.file);
});
afterAll(async () => {
  romeo?.stop();
  await bridge?.stop();
  await server?.stop();
});

test("slixmpp logs in with TLS 1.3 and channel binding", async () => {
  const { mechanism, tls } = await romeo.sees({ event: "ready" });
  expect(mechanism).toMatch(/^SCRAM-SHA-\d+-PLUS$/);
  expect(tls).toBe("TLSv1.3");
});

test("a component shakes hands and is talked with (XEP-0114)", async () => {
  const raw = await Raw.connect(bridge.ports.component);
  raw.say(
    `<stream:stream xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams" to="echo.${HERE}">`,
  );
  const id = /id="([^"]+)"/.exec(await raw.hears(/<stream:stream[^>]*>/))?.[1] ?? "";
  raw.say(
    `<handshake>${createHash("sha1")
      .update(id + SECRET)
      .digest("hex")}</handshake>`,
  );
  await raw.hears(/<handshake\/>/);
  romeo.do("message", { to: `somebody@echo.${HERE}`, body: "hallo" });
  const heard = await raw.hears(/<\/message>/);
  expect(heard).toContain("<body>hallo</body>");
  expect(heard).toContain(`from="romeo@${HERE}/`);
  raw.say(`<message from="somebody@echo.${HERE}" to="romeo@${HERE}" type="chat"><body>o</body></message>`);
  await romeo.sees({ event: "message", body: "o", sender: `somebody@echo.${HERE}` });
  raw.say(`<message from="paul@else.test" to="romeo@${HERE}"><body>forged</body></message>`);
  await raw.hears(/<invalid-from/);
});

test("a component of slixmpp's answers messages, disco and pings (XEP-0114)", async () => {
  const program = join(import.meta.dirname, "component.py");
  const child = spawn("/usr/bin/python3", [program, BOT, SECRET, "127.0.0.1", String(bridge.ports.component)]);
  bind(child);
  try {
    await once(createInterface(child.stdout), "line");
    romeo.do("message", { to: `anybody@${BOT}`, body: "parrot" });
    await romeo.sees({ event: "message", body: "parrot", sender: `anybody@${BOT}` });
    expect((await romeo.asks("disco", { to: BOT })).features).toContain("urn:xmpp:ping");
  } finally {
    child.kill();
    await once(child, "exit");
  }
});

test("a component without the secret is refused", async () => {
  const raw = await Raw.connect(bridge.ports.component);
  raw.say(
    `<stream:stream xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams" to="echo.${HERE}"><handshake>${"0".repeat(40)}</handshake>`,
  );
  await raw.hears(/<not-authorized/);
});

test("a server that cannot be found is an error", async () => {
  romeo.do("message", { to: "a@does-not-exist.invalid", body: "?" });
  const { error } = await romeo.sees({ event: "message", type: "error" });
  expect(error).toBe("remote-server-not-found");
});
