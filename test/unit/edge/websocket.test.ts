/** The upgrade at the edge: what a gate is told of it. */
import { expect, test } from "vitest";
import type { Env } from "../../../src/edge/env.ts";
import { websocket } from "../../../src/edge/websocket.ts";

const TOKEN = "what-only-bridges-have-0123456789";

/** The headers that reach the gate. */
async function told(headers: Record<string, string>): Promise<Record<string, string>> {
  let seen: Record<string, string> = {};
  const gate = {
    async fetch(request: Request) {
      seen = Object.fromEntries(request.headers);
      return new Response("no room in this test", { status: 503 });
    },
  };
  const env = { XMPP_DOMAIN: "chat.example", LIMITS: "off", BRIDGE_TOKEN: TOKEN, GATE: { getByName: () => gate } };
  const request = new Request("https://chat.example/xmpp-websocket", {
    headers: { upgrade: "websocket", "sec-websocket-protocol": "xmpp", ...headers },
  });
  Object.assign(request, { cf: { clientIp: "203.0.113.9:5000" } });
  await websocket(request, env as unknown as Env);
  return seen;
}

const OURS = {
  upgrade: "websocket",
  "x-gate-address": "203.0.113.9",
  "x-gate-private": "1",
  "x-gate-bindings": "[]",
  "x-gate-site": "https://chat.example",
};

test("a gate is told what the edge knows, and nothing that the client says", async () => {
  const said = {
    authorization: "Bearer x",
    cookie: "a=b",
    "x-gate-address": "198.51.100.1",
    "x-bridge-bindings": "[1]",
  };
  expect(await told(said)).toEqual(OURS);
});

test("a bridge is believed what it says of its client", async () => {
  const bindings = `[["tls-exporter","AAAA"]]`;
  const said = {
    authorization: `Bearer ${TOKEN}`,
    "x-bridge-address": "198.51.100.7",
    "x-bridge-bindings": bindings,
  };
  expect(await told(said)).toEqual({
    ...OURS,
    "x-gate-address": "198.51.100.7",
    "x-gate-bindings": bindings,
    "x-gate-site": "",
  });
});
