/** What the bridge is told by its environment, and the files it is handed out with. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Refusal, readOptions } from "../../../src/bridge/options.ts";

const ROOT = join(import.meta.dirname, "../../..");
const NOWHERE = "/nonexistent";
const ENV = { ENJAMB_URL: "https://example.org", BRIDGE_TOKEN: "token", TLS_CERT: "cert.pem", TLS_KEY: "key.pem" };
const read = (env: Record<string, string>) => readOptions({ ...ENV, ...env }, NOWHERE);

test("where nothing is said it serves XMPP's ports everywhere, and says nothing of itself", () => {
  const { host, ports, health } = read({});
  expect(host).toBeUndefined();
  expect(ports).toEqual({ c2s: 5222, c2sTls: 5223, s2s: 5269, s2sTls: 5270, component: 5347 });
  expect(health).toEqual({ host: "127.0.0.1", port: undefined });
});

test("a port is a number, 0 for any, or off", () => {
  const { ports, health } = read({ C2S_PORT: "0", S2S_PORT: "off", HEALTH_PORT: "9090", HEALTH_HOST: "::1" });
  expect(ports).toMatchObject({ c2s: 0, s2s: undefined });
  expect(health).toEqual({ host: "::1", port: 9090 });
  expect(() => read({ HEALTH_PORT: "65536" })).toThrow(Refusal);
});

test("name servers are addresses, with or without ports", () => {
  expect(read({}).resolve.nameServers).toEqual([]);
  expect(read({ S2S_DNS: "9.9.9.9,[2620:fe::fe]:5353" }).resolve.nameServers).toEqual([
    "9.9.9.9",
    "[2620:fe::fe]:5353",
  ]);
  expect(() => read({ S2S_DNS: "dns.example" })).toThrow(Refusal);
});

test("the token may be in a file", () => {
  const file = join(mkdtempSync(join(tmpdir(), "enjamb-options-")), "token");
  writeFileSync(file, "from a file\n");
  expect(read({ BRIDGE_TOKEN: "", BRIDGE_TOKEN_FILE: file }).token).toBe("from a file");
  expect(() => read({ BRIDGE_TOKEN: "", BRIDGE_TOKEN_FILE: `${file}.not` })).toThrow("The token cannot be read");
  expect(() => read({ BRIDGE_TOKEN: "" })).toThrow("Set BRIDGE_TOKEN");
});

test("bridge/bridge.env says what is understood", () => {
  const lines = readFileSync(join(ROOT, "bridge/bridge.env"), "utf8").split("\n");
  const pairs = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split("="));
  expect(readOptions({ ...Object.fromEntries(pairs), BRIDGE_TOKEN: "token" }, NOWHERE)).toMatchObject({
    url: "https://chat.example.org",
    certFile: "/etc/enjamb/tls/fullchain.pem",
    keyFile: "/etc/enjamb/tls/privkey.pem",
    health: { port: 9090 },
  });
});
