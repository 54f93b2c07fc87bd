/** The bridge by itself: native clients with channel binding, components, and peers that behave badly (security.md §1f). */
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { header, Raw } from "./raw.ts";

const HERE = "enjamb.test";
const SECRET = "component-secret-0123456789";
const folder = mkdtempSync(join(tmpdir(), "enjamb-bridge-"));
const authority = new Authority(folder);
const good = authority.issue("evil", ["evil.test"]);
const foreign = authority.selfSigned("foreign", ["evil.test"]);
let server: Server;
let bridge: RunningBridge;
let romeo: Agent;

beforeAll(async () => {
  const settings = { XMPP_DOMAIN: HERE, BRIDGE_TOKEN, COMPONENTS: JSON.stringify({ [`echo.${HERE}`]: SECRET }) };
  server = await startServer({ settings }, "ours");
  await server.addUser("romeo", "wherefore");
  const identity = authority.issue("here", [HERE, `rooms.${HERE}`]);
  bridge = await startBridge(server, identity, {
    S2S_CA: authority.file,
    S2S_OVERRIDES: '{"nobody.test":"127.0.0.1:9"}',
  });
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

describe("another server", () => {
  const message = (from: string, to = `romeo@${HERE}`) =>
    `<message from="${from}" to="${to}" type="chat"><body>forged</body></message>`;
  const connect = () => Raw.connect(bridge.ports.s2s);
  const auth = (name: string) =>
    `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="EXTERNAL">${Buffer.from(name).toString("base64")}</auth>`;

  test("is asked for TLS, and nothing else is heard before it", async () => {
    const raw = await connect();
    raw.say(header("evil.test", HERE) + message("a@evil.test"));
    expect(await raw.hears(/<stream:features>.*<\/stream:features>/)).toContain("<required/>");
    await raw.hears(/<policy-violation/);
  });

  test("for a host that is not here is told so", async () => {
    const raw = await connect();
    raw.say(header("evil.test", "elsewhere.test"));
    await raw.hears(/<host-unknown/);
  });

  test("with a good certificate writes as itself, and as nobody else", async () => {
    const raw = await connect();
    expect(await raw.secure("evil.test", HERE, good)).toContain("EXTERNAL");
    raw.say(auth("evil.test"));
    await raw.hears(/<success/);
    raw.say(header("evil.test", HERE));
    await raw.hears(/<stream:features/);
    raw.say(`<iq type="get" id="v" from="evil.test" to="${HERE}"><ping xmlns="urn:xmpp:ping"/></iq>`);
    raw.say(message(`juliet@${HERE}`));
    await raw.hears(/<invalid-from/);
  });

  test("with a good certificate cannot be another server", async () => {
    const raw = await connect();
    expect(await raw.secure("bank.test", HERE, good)).not.toContain("EXTERNAL");
    raw.say(auth("bank.test"));
    await raw.hears(/<not-authorized/);
  });

  test("with a certificate that nobody vouches for is not offered EXTERNAL", async () => {
    const raw = await connect();
    expect(await raw.secure("evil.test", HERE, foreign)).not.toContain("EXTERNAL");
    raw.say(auth("evil.test"));
    await raw.hears(/<not-authorized/);
  });

  test("that has proved nothing is not heard", async () => {
    const raw = await connect();
    await raw.secure("evil.test", HERE);
    raw.say(message("a@evil.test"));
    await raw.hears(/<not-authorized/);
  });

  test("that answers what nobody asked is cut off (CVE-2012-3525)", async () => {
    const raw = await connect();
    await raw.secure("evil.test", HERE);
    raw.say(`<db:result from="bank.test" to="${HERE}" type="valid"/>`);
    await raw.hears(/<not-authorized/);
  });

  test("that invents a dialback key is told that it is not valid", async () => {
    const raw = await connect();
    await raw.secure("evil.test", HERE);
    raw.say(`<db:verify from="evil.test" to="${HERE}" id="x">${"0".repeat(64)}</db:verify>`);
    expect(await raw.hears(/<db:verify[^>]*>/)).toContain('type="invalid"');
    raw.say(`<db:result from="nobody.test" to="${HERE}">key</db:result>`);
    expect(await raw.hears(/<db:result[^>]*>/)).toContain('type="error"');
    raw.say(message("a@nobody.test"));
    await raw.hears(/<not-authorized/);
  });

  test("with 20 KB before it has proved anything is cut off", async () => {
    const raw = await connect();
    await raw.secure("evil.test", HERE);
    raw.say(`<message from="a@evil.test" to="romeo@${HERE}"><body>${"x".repeat(20_000)}</body></message>`);
    await raw.hears(/<policy-violation/);
  });
});
