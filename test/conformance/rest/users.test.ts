/** The REST API, accounts: who may log in, who is logged in, and what they are told. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { World } from "../../support/world.ts";
import { enters, joining, roomOf, until } from "../xep-0045/coven.ts";

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
let world: World;

beforeAll(async () => {
  world = await World.start({ settings: { JWT_SECRET: "0123456789abcdef0123456789abcdef", REGISTRATION: "invite" } });
});
afterAll(() => world?.dispose());

const rest = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const response = await world.rest(method, `/api/v1${path}`, body, headers);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
};

/** Tries to log in with PLAIN. @returns the client, or the name of the failure */
async function tries(name: string, password: string): Promise<Actor | string> {
  const actor = await world.connect(name);
  await actor.opens();
  const initial = Buffer.from(`\0${name}\0${password}`).toString("base64");
  await actor.sends(`<auth xmlns="${SASL}" mechanism="PLAIN">${initial}</auth>`);
  const answer = await actor.next();
  if (answer.name === "failure") return answer.getChildElements()[0]?.name ?? "";
  await actor.opens();
  await actor.binds();
  return actor;
}

async function token(claims: object): Promise<string> {
  const { status, body } = await rest("POST", "/tokens", claims);
  expect(status).toBe(201);
  return body.token;
}

describe("the door", () => {
  test.each([
    ["GET", "/users"],
    ["PUT", "/users/romeo"],
    ["POST", "/tokens"],
    ["DELETE", "/rooms/hall"],
    ["GET", "/no/such/thing"],
  ])("%s %s needs the admin token", async (method, path) => {
    const response = await fetch(`${world.http}/api/v1${path}`, { method });
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="admin"']);
    expect(((await response.json()) as { code: string }).code).toBe("unauthorized");
  });

  test("every answer has the request's id, or one of its own", async () => {
    expect((await rest("GET", "/users", undefined, { "x-request-id": "abc-1" })).headers.get("x-request-id")).toBe(
      "abc-1",
    );
    const { headers } = await rest("GET", "/users/nobody", undefined, { "x-request-id": "<script>" });
    expect(headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("what cannot be done says what can", async () => {
    const { status, headers, body } = await rest("DELETE", "/users");
    expect([status, headers.get("allow"), body.code]).toEqual([405, "GET", "method-not-allowed"]);
    expect((await rest("GET", "/no/such/thing")).body.code).toBe("not-found");
  });

  test("a body beyond all measure is refused, however it comes", async () => {
    const huge = { password: "x".repeat(1_100_000) };
    expect((await rest("PUT", "/users/romeo", huge)).body.code).toBe("too-large");
    // Just too much, and then no more, nor an end: who went on writing would be cut off before the answer.
    let chunks = 18;
    const stream = new ReadableStream({
      pull(controller) {
        if (chunks-- === 0) return new Promise<void>(() => {});
        controller.enqueue(new Uint8Array(65_536).fill(32));
        return undefined;
      },
    });
    const init = { method: "PUT", body: stream, duplex: "half" } as RequestInit;
    const headers = { authorization: `Bearer ${world.settings.adminToken}`, "content-type": "application/json" };
    const response = await fetch(`${world.http}/api/v1/users/romeo`, { ...init, headers });
    expect(response.status).toBe(413);
  });
});

describe("accounts", () => {
  test("without a password are opened by tokens only", async () => {
    expect((await rest("PUT", "/users/paris", {})).status).toBe(201);
    expect((await rest("PUT", "/users/paris", {})).status).toBe(200);
    expect((await rest("GET", "/users/paris")).body).toMatchObject({ password: false, disabled: false, sessions: 0 });
    expect(await tries("paris", "")).not.toBeTypeOf("object");
    expect(await tries("paris", await token({ user: "paris" }))).toBeTypeOf("object");
    expect((await rest("GET", "/users/paris")).body.sessions).toBe(1);
  });

  test("are disabled and enabled: nobody is in, nobody gets in, and all is still there", async () => {
    const romeo = await world.login("romeo");
    const login = await token({ user: "romeo" });
    expect((await rest("POST", "/users/romeo/disable")).status).toBe(204);
    await romeo.fails("not-authorized");
    expect(await tries("romeo", "romeo's secret")).toBe("not-authorized");
    expect(await tries("romeo", login)).toBe("not-authorized");
    expect((await rest("GET", "/users/romeo")).body.disabled).toBe(true);
    expect((await rest("POST", "/users/romeo/enable")).status).toBe(204);
    expect(await tries("romeo", "romeo's secret")).toBeTypeOf("object");
    expect((await rest("POST", "/users/nobody/disable")).status).toBe(404);
  });

  test("sessions are listed and ended", async () => {
    const tybalt = await world.login("tybalt", { resource: "sword", presence: true });
    expect((await rest("GET", "/users/tybalt/sessions")).body.sessions).toEqual([
      { resource: "sword", priority: 0, available: true },
    ]);
    expect((await rest("DELETE", "/users/tybalt/sessions/shield")).status).toBe(404);
    expect((await rest("DELETE", "/users/tybalt/sessions/sword")).status).toBe(204);
    await tybalt.fails("reset");
    expect((await rest("DELETE", "/users/tybalt/sessions")).status).toBe(204);
  });

  test("are invited", async () => {
    const { status, body } = await rest("POST", "/invites");
    expect([status, body.uri]).toEqual([201, `xmpp:${world.domain}?register;preauth=${body.token}`]);
    expect(Date.parse(body.expires)).toBeGreaterThan(Date.now());
  });
});

describe("tokens", () => {
  test("log in somebody new, with a name and rooms, and are for nobody else", async () => {
    await rest("PUT", "/rooms/crypt", { membersOnly: true });
    const login = await token({
      user: "juliet",
      name: "Juliet C.",
      rooms: [{ room: "crypt" }, { room: "balcony", affiliation: "owner" }],
    });
    expect(await tries("nurse", login)).toBe("not-authorized");
    const juliet = (await tries("juliet", login)) as Actor;
    const card = await juliet.asks("get", `<vCard xmlns="vcard-temp"/>`);
    expect(card.getChild("vCard")?.getChildText("FN")).toBe("Juliet C.");
    await enters(juliet, roomOf(world, "crypt"), "Juliet");
    expect((await rest("GET", "/rooms/crypt/affiliations")).body.affiliations).toEqual([
      { jid: "juliet@capulet.example", affiliation: "member" },
    ]);
    expect((await rest("GET", "/rooms/balcony/affiliations")).body.affiliations).toEqual([
      { jid: "juliet@capulet.example", affiliation: "owner" },
    ]);
  });

  test("lift no ban, unmake no last owner, and make no room for a member", async () => {
    await rest("PUT", "/rooms/tomb", {});
    await rest("PUT", "/rooms/tomb/affiliations/paris", { affiliation: "outcast" });
    const rooms = [{ room: "tomb" }, { room: "balcony" }, { room: "nowhere" }, { room: "x@elsewhere.example" }];
    const paris = (await tries("paris", await token({ user: "paris", rooms }))) as Actor;
    await paris.sends(joining(roomOf(world, "tomb"), "Paris"));
    expect((await paris.next()).getChild("error")?.getChild("forbidden")).toBeDefined();
    await tries("juliet", await token({ user: "juliet", rooms }));
    expect((await rest("GET", "/rooms/balcony/affiliations")).body.affiliations[0].affiliation).toBe("owner");
    expect((await rest("GET", "/rooms/nowhere")).status).toBe(404);
  });

  test("C10: a token for one login is good once", async () => {
    const login = await token({ user: "friar", once: true });
    expect(await tries("friar", login)).toBeTypeOf("object");
    expect(await tries("friar", login)).toBe("not-authorized");
    const many = await token({ user: "friar" });
    expect(await tries("friar", many)).toBeTypeOf("object");
    expect(await tries("friar", many)).toBeTypeOf("object");
  });

  test("are revoked, and new ones are good at once", async () => {
    const old = await token({ user: "friar" });
    expect((await rest("DELETE", "/users/friar/tokens")).status).toBe(204);
    expect(await tries("friar", old)).toBe("not-authorized");
    expect(await tries("friar", await token({ user: "friar" }))).toBeTypeOf("object");
  });

  test.each([
    ["nobody", {}],
    ["longer than a day", { user: "friar", seconds: 86_401 }],
    ["a name that is none", { user: "a b" }],
    ["an affiliation that is none", { user: "friar", rooms: [{ room: "x", affiliation: "king" }] }],
  ])("are not issued for %s", async (_, body) => {
    expect((await rest("POST", "/tokens", body)).status).toBe(400);
  });
});

describe("messages", () => {
  test("come from the server, or from an account, once under one key", async () => {
    const nurse = await world.login("nurse", { presence: true });
    const notice = { to: "nurse", body: "The server rests at night." };
    const key = { "idempotency-key": "notice-1" };
    const first = await rest("POST", "/messages", notice, key);
    expect(first.status).toBe(202);
    expect((await rest("POST", "/messages", notice, key)).body).toEqual(first.body);
    await nurse.receives(
      `<message from="${world.domain}" to="*" id="${first.body.id}"><body>The server rests at night.</body></message>`,
      { extra: true },
    );
    await world.user("juliet");
    const sent = await rest("POST", "/messages", { to: "nurse", from: "juliet", body: "Anon, good nurse!" });
    await nurse.receives(
      `<message from="juliet@${world.domain}" to="*" type="chat" id="${sent.body.id}"><body>Anon, good nurse!</body></message>`,
      { extra: true },
    );
    await nurse.receivesNothing();
  });

  test("wait for those who are not there", async () => {
    await world.user("benvolio");
    await rest("POST", "/messages", { to: `benvolio@${world.domain}`, body: "Part, fools!" });
    const benvolio = await world.login("benvolio");
    await benvolio.sends("<presence/>");
    const message = await until(benvolio, (got) => got.name === "message");
    expect(message.getChildText("body")).toBe("Part, fools!");
    expect(message.getChild("delay")).toBeDefined();
  });

  test("of one account are seen by its own clients", async () => {
    const benvolio = await world.login("benvolio", { resource: "other" });
    await benvolio.asks("set", `<enable xmlns="urn:xmpp:carbons:2"/>`);
    await rest("POST", "/messages", { to: "nurse", from: "benvolio", body: "Farewell" });
    const copy = await until(benvolio, (got) => got.getChild("sent") !== undefined);
    expect(copy.getChild("sent")?.getChild("forwarded")?.getChild("message")?.getChildText("body")).toBe("Farewell");
  });

  test.each([
    ["nobody", { to: "nobody", body: "x" }, 404],
    ["somebody elsewhere, from the server", { to: "a@elsewhere.example", body: "x" }, 404],
    ["no address", { to: "a@b@c", from: "juliet", body: "x" }, 400],
    ["an empty one", { to: "nurse", body: "" }, 400],
    ["one too long", { to: "nurse", body: "x".repeat(30_001) }, 400],
  ])("to %s are refused", async (_, body, status) => {
    expect((await rest("POST", "/messages", body)).status).toBe(status);
  });
});
