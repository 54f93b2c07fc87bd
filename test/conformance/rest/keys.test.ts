/** The REST API's keys: what each may do, and how much of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPERATIONS } from "../../../src/edge/api/api.ts";
import { SCOPES, scopeOf } from "../../../src/edge/api/scopes.ts";
import { World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start({ settings: { LIMITS: "on", JWT_SECRET: "0123456789abcdef0123456789abcdef" } });
});
afterAll(() => world?.dispose());

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the operation answers
  body: any;
}

async function ask(bearer: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${world.http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    ...(body !== undefined && method !== "GET" && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}
const admin = (method: string, path: string, body?: unknown) =>
  ask(world.settings.adminToken ?? "", method, path, body);

async function key(...scopes: string[]): Promise<{ id: string; key: string }> {
  const { status, body } = await admin("POST", "/keys", { name: "test", scopes });
  expect(status).toBe(201);
  return body;
}

describe("a key", () => {
  test("may do what its scopes say, on every operation that there is, and nothing else", async () => {
    const all = await key(...SCOPES);
    for (const operation of OPERATIONS) {
      const scope = scopeOf(operation);
      const other = await key(...SCOPES.filter((one) => one !== scope));
      const path = operation.path.replaceAll(/:\w+/g, "nobody");
      const refused = await ask(other.key, operation.method.toUpperCase(), path, {});
      expect([path, refused.status, refused.body.code]).toEqual([path, 403, "forbidden"]);
      expect(refused.body.detail).toContain(scope);
      // No request of this kind finds anything; what matters is that it is let through.
      const allowed = await ask(all.key, operation.method.toUpperCase(), path, { "no such field": 1 });
      expect([path, allowed.body?.code === "forbidden"]).toEqual([path, scope.startsWith("keys:")]);
      expect((await admin("DELETE", `/keys/${other.id}`)).status).toBe(204);
    }
  });

  test("is shown once, listed without its secret, and worthless once it is deleted", async () => {
    const made = await key("users:read");
    expect(made.key).toMatch(/^enj_[a-z2-7]{13}_[a-z2-7]{26}$/);
    expect((await ask(made.key, "GET", "/users")).status).toBe(200);
    const listed = await admin("GET", "/keys");
    expect(listed.body.keys).toContainEqual(expect.objectContaining({ id: made.id, scopes: ["users:read"] }));
    expect(JSON.stringify(listed.body)).not.toContain(made.key.slice(-26));
    expect((await admin("DELETE", `/keys/${made.id}`)).status).toBe(204);
    expect((await admin("DELETE", `/keys/${made.id}`)).body.code).toBe("not-found");
    expect((await ask(made.key, "GET", "/users")).body.code).toBe("unauthorized");
  });

  test("with one letter of another is none", async () => {
    const { key: good } = await key("users:read");
    const last = good.endsWith("a") ? "b" : "a";
    expect((await ask(good.slice(0, -1) + last, "GET", "/users")).status).toBe(401);
    expect((await ask(`${good}a`, "GET", "/users")).status).toBe(401);
  });

  test("can be given no scope that there is not, and not that of making keys", async () => {
    for (const scopes of [[], ["keys:write"], ["users"], ["users:read", "x"]])
      expect((await admin("POST", "/keys", { name: "x", scopes })).body.code).toBe("bad-request");
  });
});

describe("limits", () => {
  test("are told by headers, and one caller's are not another's", async () => {
    const one = await key("rooms:read");
    const two = await key("rooms:read");
    const first = await ask(one.key, "GET", "/rooms");
    expect(first.headers.get("ratelimit-limit")).toBe("600");
    expect(first.headers.get("ratelimit-remaining")).toBe("599");
    expect(first.headers.get("ratelimit-reset")).toBe("1");
    let refused: Answer | undefined;
    for (let round = 0; !refused && round < 60; round++)
      refused = (await Promise.all(Array.from({ length: 50 }, () => ask(one.key, "GET", "/no/such")))).find(
        ({ status }) => status === 429,
      );
    expect(refused?.headers.get("content-type")).toBe("application/problem+json");
    expect(refused?.body).toMatchObject({ status: 429, code: "rate-limited" });
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(refused?.headers.get("ratelimit-remaining")).toBe("0");
    expect((await ask(two.key, "GET", "/rooms")).status).toBe(200);
  });

  test("wrong tokens are an address's affair: after twenty no key is looked up, and the operator is still let in", async () => {
    const { key: good } = await key("users:read");
    const codes = new Set<string>();
    for (let n = 0; n < 21; n++) codes.add((await ask("x".repeat(30), "GET", "/users")).body.code);
    expect([...codes]).toEqual(["unauthorized", "rate-limited"]);
    const locked = await ask(good, "GET", "/users");
    expect([locked.status, locked.body.code]).toEqual([429, "rate-limited"]);
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(60);
    expect((await admin("GET", "/users")).status).toBe(200);
  });
});
