import { describe, expect, test } from "vitest";
import { OPERATIONS } from "../../../src/edge/api/api.ts";
import { app } from "../../../src/edge/app.ts";
import type { Env } from "../../../src/edge/env.ts";

import { GATE_FULL, GATE_HEADERS } from "../../../src/gate/upgrade.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

/** An environment whose objects keep accounts in a map and whose gates take `room` sockets between them, in order. */
function environment(settings: Record<string, string> = {}, full = 0) {
  const accounts = new Map<string, string>();
  const asked: { gate: string; request: Request }[] = [];
  const nobody = { ok: false, error: "item-not-found", text: "There is no such account." };
  const calls = {
    async putAccount(jid: string, password: string) {
      const created = !accounts.has(jid);
      accounts.set(jid, password);
      return { ok: true as const, value: { created } };
    },
    removeAccount: async (jid: string) => (accounts.delete(jid) ? { ok: true } : nobody),
    account: async (jid: string) => (accounts.has(jid) ? { ok: true, value: { jid, created: 0 } } : nobody),
  };
  const env = {
    ADMIN_TOKEN: TOKEN,
    ...settings,
    USER: { getByName: () => calls },
    DIRECTORY: { getByName: () => ({ accounts: async () => [...accounts.keys()] }) },
    GATE: {
      getByName: (gate: string) => ({
        async fetch(request: Request) {
          asked.push({ gate, request });
          const isFull = Number(gate.split(":")[1]) < full;
          return isFull ? new Response("", { status: 503, headers: { [GATE_FULL]: "1" } }) : new Response("taken");
        },
      }),
    },
  } as unknown as Env;
  return { env, accounts, asked };
}

const upgrade = (headers: Record<string, string> = {}) => ({
  headers: { upgrade: "websocket", "sec-websocket-protocol": "xmpp", ...headers },
});
const authorised = (method: string, body?: unknown, headers: Record<string, string> = {}) => ({
  method,
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
  ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
});

describe("the WebSocket door", () => {
  test.each(["/xmpp-websocket", "/ws", "/xmpp"])("%s shows a person a page", async (path) => {
    const response = await app.request(path, {}, environment().env);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("@localhost");
  });

  test("RFC 7395 §3.1: a client without the subprotocol is refused", async () => {
    const { env, asked } = environment();
    const response = await app.request("/ws", upgrade({ "sec-websocket-protocol": "chat" }), env);
    expect(response.status).toBe(400);
    expect(asked).toEqual([]);
  });

  test("a page of another site is refused", async () => {
    const response = await app.request("/ws", upgrade({ origin: "https://evil.example" }), environment().env);
    expect(response.status).toBe(403);
  });

  test("what a client says of itself in the gate's headers is overwritten", async () => {
    const { env, asked } = environment();
    const headers = upgrade({ [GATE_HEADERS.address]: "1.2.3.4", [GATE_HEADERS.private]: "1" });
    await app.request("http://chat.example/ws", headers, env);
    expect(asked[0]?.request.headers.get(GATE_HEADERS.address)).toBe("");
    expect(asked[0]?.request.headers.get(GATE_HEADERS.private)).toBe("0");
  });

  test("a full gate sends newcomers to the next, and is not asked again at once", async () => {
    const { env, asked } = environment({}, 2);
    expect(await (await app.request("/ws", upgrade(), env)).text()).toBe("taken");
    await app.request("/ws", upgrade(), env);
    expect(asked.map(({ gate }) => gate)).toEqual(["local:0", "local:1", "local:2", "local:2"]);
  });
});

describe("the accounts' API", () => {
  const path = "/api/v1/users/alice";

  test("makes, shows, lists and removes an account", async () => {
    const { env, accounts } = environment();
    const made = await app.request(path, authorised("PUT", { password: "p" }), env);
    expect([made.status, await made.json()]).toEqual([201, { jid: "alice@localhost" }]);
    expect((await app.request(path, authorised("PUT", { password: "q" }), env)).status).toBe(200);
    expect(accounts.get("alice@localhost")).toBe("q");
    expect((await app.request("/api/v1/users/ALICE@localhost", authorised("GET"), env)).status).toBe(200);
    expect(await (await app.request("/api/v1/users", authorised("GET"), env)).json()).toEqual({
      users: ["alice@localhost"],
    });
    expect((await app.request(path, authorised("DELETE"), env)).status).toBe(204);
    expect((await app.request(path, authorised("GET"), env)).status).toBe(404);
  });

  test.each([
    ["no token", { authorization: "" }, 401],
    ["a wrong token", { authorization: `Bearer ${TOKEN}x` }, 401],
    ["the token as a basic password", { authorization: `Basic ${btoa(`admin:${TOKEN}`)}` }, 401],
    ["a form's content type", { "content-type": "text/plain" }, 415],
  ])("%s is refused", async (_, headers, status) => {
    const { env, accounts } = environment();
    const response = await app.request(path, authorised("PUT", { password: "p" }, headers), env);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(accounts.size).toBe(0);
  });

  test("without a token of its own the server has no API", async () => {
    const response = await app.request(path, authorised("GET"), environment({ ADMIN_TOKEN: "" }).env);
    expect(response.status).toBe(403);
  });

  test.each([
    ["no JSON", "password=p"],
    ["no text", { password: 7 }],
    ["something else", { password: "p", admin: true }],
    ["an empty one", { password: "" }],
    ["one too long", { password: "x".repeat(1024) }],
    ["half a character", '{"password":"\\ud800"}'],
  ])("%s is no password", async (_, body) => {
    expect((await app.request(path, authorised("PUT", body), environment().env)).status).toBe(400);
  });

  test("a body beyond all measure is refused", async () => {
    const response = await app.request(path, authorised("PUT", { password: "x".repeat(1_048_576) }), environment().env);
    expect(response.status).toBe(413);
  });

  test.each([
    ["al%3Aice", 400],
    ["alice%2Fresource", 400],
    ["alice@localhost%2Fresource", 400],
    ["alice@elsewhere.example", 404],
    ["%2e%2e", 404], // the URL's own way up, before any route sees it
  ])("%s is no account of this host", async (name, status) => {
    const response = await app.request(`/api/v1/users/${name}`, authorised("GET"), environment().env);
    expect(response.status).toBe(status);
  });
});

describe("every operation", () => {
  const open = OPERATIONS.map(({ method, path }) => [method.toUpperCase(), path.replaceAll(/:\w+/g, "x")] as const);

  test.each(open)("E10: %s %s is for the admin alone", async (method, path) => {
    // How often one may be wrong is another test's affair.
    const { env } = environment({ LIMITS: "off" });
    const refused = async (headers: Record<string, string>, settings = env) => {
      const response = await app.request(`/api/v1${path}`, { method, headers }, settings);
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    expect(await refused({})).toEqual([401, "unauthorized"]);
    expect(await refused({ cookie: `token=${TOKEN}` })).toEqual([401, "unauthorized"]);
    expect(await refused({ authorization: `Bearer ${TOKEN.toUpperCase()}` })).toEqual([401, "unauthorized"]);
    expect(await refused({ authorization: `Bearer ${TOKEN}` }, environment({ ADMIN_TOKEN: "" }).env)).toEqual([
      403,
      "api-off",
    ]);
  });

  test.each(OPERATIONS.filter(({ body }) => body).map(({ method, path }) => [method.toUpperCase(), path] as const))(
    "%s %s wants JSON, said to be JSON",
    async (method, path) => {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]) {
        const init = authorised(method, "{}", { "content-type": type });
        const response = await app.request(`/api/v1${path.replaceAll(/:\w+/g, "x")}`, init, environment().env);
        expect([response.status, await response.json()]).toMatchObject([415, { code: "unsupported-media-type" }]);
      }
    },
  );

  test.each(["/%2e%2e/healthz", "/%u002e%u002e/setup", "/users/../../healthz", "//users"])(
    "CVE-2023-32315: %s leads nowhere",
    async (path) => {
      const response = await app.request(`/api/v1${path}`, authorised("PATCH", {}), environment().env);
      expect([404, 405]).toContain(response.status);
    },
  );
});

describe("discovery and health", () => {
  test("XEP-0156: host-meta as XRD and as JSON, readable from any page", async () => {
    const { env } = environment();
    const xrd = await app.request("https://chat.example/.well-known/host-meta", {}, env);
    const jrd = await app.request("https://chat.example/.well-known/host-meta.json", {}, env);
    expect(await xrd.text()).toContain('href="wss://chat.example/xmpp-websocket"');
    expect(await jrd.json()).toEqual({
      links: [
        { rel: "urn:xmpp:alt-connections:websocket", href: "wss://chat.example/xmpp-websocket" },
        { rel: "urn:xmpp:alt-connections:xbosh", href: "https://chat.example/http-bind" },
        { rel: "urn:xmpp:alt-connections:s2s-websocket", href: "wss://chat.example/s2s-xmpp-websocket" },
      ],
    });
    for (const response of [xrd, jrd]) expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("/info.json tells a page that its connection would be refused, and why", async () => {
    const { env } = environment({ ALLOWED_ORIGINS: "https://friend.example" });
    const refused = async (origin?: string) => {
      const headers = origin === undefined ? {} : { origin };
      const response = await app.request("https://chat.example/info.json", { headers }, env);
      expect(response.headers.get("vary")).toBe("origin");
      return ((await response.json()) as { refused?: string }).refused;
    };
    for (const origin of [undefined, "https://chat.example", "https://friend.example", "http://localhost:3000"])
      expect(await refused(origin)).toBeUndefined();
    expect(await refused("https://stranger.example")).toContain("Pages of https://stranger.example may not connect");
    expect(await refused("null")).toContain("Serve it from a web server");
  });

  test("/info.json tells a page what the addresses of files begin with", async () => {
    const filesOf = async (settings: Record<string, string>) => {
      const { env } = environment({ XMPP_DOMAIN: "example.org", ...settings });
      return ((await (await app.request("https://10.0.0.5/info.json", {}, env)).json()) as { files: string[] }).files;
    };
    expect(await filesOf({})).toEqual(["https://10.0.0.5/upload/", "https://example.org/upload/"]);
    expect((await filesOf({ PUBLIC_URL: "https://chat.example" }))[0]).toBe("https://chat.example/upload/");
  });

  test("a public address in front is the one given out", async () => {
    const { env } = environment({ PUBLIC_URL: "https://chat.example" });
    const jrd = await app.request("http://10.0.0.5:8787/.well-known/host-meta.json", {}, env);
    expect(await jrd.text()).toContain("wss://chat.example/xmpp-websocket");
  });

  test("wrong settings are told by name, at every door", async () => {
    const { env } = environment({ REGISTRATION: "perhaps" });
    const response = await app.request("/healthz", {}, env);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("REGISTRATION: closed, invite or open");
  });

  test("security headers are everywhere, HSTS only over TLS", async () => {
    const { env } = environment();
    const plain = await app.request("http://chat.example/nothing", {}, env);
    const tls = await app.request("https://chat.example/nothing", {}, env);
    expect(plain.headers.get("x-content-type-options")).toBe("nosniff");
    expect(plain.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(plain.headers.has("strict-transport-security")).toBe(false);
    expect(tls.headers.has("strict-transport-security")).toBe(true);
  });
});
