/** What the bridge says of itself to those who watch over it. */
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "../client.ts";
import { stage } from "../fixture.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, startBridge } from "./bridge.ts";
import { header, Raw } from "./raw.ts";

const on = stage({ settings: { BRIDGE_TOKEN } });
/** A line of the format: a name, labels and a number. */
const LINE = /^[a-z_]+(?:\{[a-z]+="\w+"(?:,[a-z]+="\w+")*\})? \d+(?:\.\d+)?(?:e[+-]\d+)?$/;

async function watched(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "enjamb-health-"));
  const authority = new Authority(folder);
  const shown = { cert: join(folder, "shown.pem"), key: join(folder, "shown.key") };
  const show = (days: number) => {
    const { cert, key } = authority.issue(`for${days}`, [on.server.domain], { days });
    cpSync(cert, shown.cert);
    cpSync(key, shown.key);
  };
  show(2);
  const bridge = await startBridge(on.server, shown, { HEALTH_PORT: "0", ...env });
  on.later(() => bridge.stop());
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${bridge.ports.health}${path}`, { method });
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  /** Name and labels → value. */
  const figures = async () => {
    const { text } = await get("/metrics");
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) expect(line).toMatch(LINE);
    return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string]));
  };
  return { bridge, get, figures, show };
}

test("it is well, then its server goes and comes back", async () => {
  const { get } = await watched();
  expect(await get("/health")).toMatchObject({ status: 200, text: "ok\n" });
  expect(await get("/health?verbose", "HEAD")).toMatchObject({ status: 200, text: "" });
  expect(await get("/health", "POST")).toMatchObject({ status: 405 });
  expect(await get("/")).toMatchObject({ status: 404 });

  await on.server.kill9();
  await expect
    .poll(() => get("/health"), { timeout: 20_000 })
    .toMatchObject({ status: 503, text: "the server is not connected\n" });
  await on.server.restart();
  await expect.poll(() => get("/health"), { timeout: 20_000 }).toMatchObject({ status: 200 });
});

test("a certificate that has expired is a reason to look", async () => {
  const { get, figures, show } = await watched();
  expect(Number((await figures()).enjamb_bridge_certificate_expiry_seconds) * 1000).toBeGreaterThan(Date.now());
  show(-1);
  const { status, text } = await get("/health");
  expect(status).toBe(503);
  expect(text).toMatch(/^the certificate has expired on \d{4}-.*Z\n$/);
  expect(Number((await figures()).enjamb_bridge_certificate_expiry_seconds) * 1000).toBeLessThan(Date.now());
});

test("it counts streams, stanzas, links, and what nobody answers for yet", async () => {
  const remote = await Raw.listen();
  on.later(() => remote.close());
  const { bridge, get, figures } = await watched({
    S2S_OVERRIDES: JSON.stringify({ "else.test": `127.0.0.1:${remote.port}` }),
  });
  const { domain, websocket: url } = on.server;
  expect((await get("/metrics")).type).toBe("text/plain; version=0.0.4; charset=utf-8");
  const stanzas = (kind: string, direction: string) =>
    `enjamb_bridge_stanzas_total{kind="${kind}",direction="${direction}"}`;
  const streams = (kind: string, direction: string) => `enjamb_bridge_streams{kind="${kind}",direction="${direction}"}`;
  expect(await figures()).toMatchObject({
    enjamb_bridge_connected: "1",
    enjamb_bridge_links: "0",
    [streams("client", "in")]: "0",
    [streams("server", "out")]: "0",
    [stanzas("client", "in")]: "0",
  });

  const { name: username, password } = await on.account("romeo");
  const raw = await Raw.connect(bridge.ports.c2sTls, "xmpp-client");
  raw.say(header("", domain, "jabber:client"));
  await raw.hears(/<\/stream:features>/);
  const plain = Buffer.from(`\0${username}\0${password}`).toString("base64");
  raw.say(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
  await raw.hears(/<success/);
  raw.say(header("", domain, "jabber:client"));
  await raw.hears(/<\/stream:features>/);
  raw.say('<iq type="set" id="1"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
  await raw.hears(/<\/iq>/);
  expect(await figures()).toMatchObject({
    [streams("client", "in")]: "1",
    [stanzas("client", "in")]: "1",
    [stanzas("client", "out")]: "1",
  });
  raw.close();
  await expect.poll(figures).toMatchObject({ [streams("client", "in")]: "0" });

  // One that accepts and then says nothing: what goes there is under way.
  const romeo = await Client.login({ username, password, url, domain });
  on.later(() => romeo.close());
  const reached = remote.accept();
  romeo.send('<message xmlns="jabber:client" to="paul@else.test"><body>hello</body></message>');
  const silent = await reached;
  on.later(() => silent.close());
  expect(await figures()).toMatchObject({
    enjamb_bridge_links: "1",
    'enjamb_bridge_unacknowledged{direction="out"}': "1",
    [stanzas("server", "out")]: "1",
    [streams("server", "out")]: "1",
  });
});
