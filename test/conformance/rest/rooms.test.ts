/** The REST API, rooms: what an operator does from outside is what people inside see. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { World } from "../../support/world.ts";
import { enters, joining, roomOf, USER, until } from "../xep-0045/coven.ts";

let world: World;
let juliet: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  room = roomOf(world, "hall");
  expect((await world.rest("PUT", "/api/v1/rooms/hall", { name: "The hall", public: false })).status).toBe(201);
  juliet = await world.login("juliet");
  await enters(juliet, room, "Juliet");
});
afterAll(() => world?.dispose());

const rest = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const response = await world.rest(method, `/api/v1${path}`, body, headers);
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : undefined };
};

describe("rooms", () => {
  test("are made once and changed as often as one likes", async () => {
    expect(await rest("PUT", "/rooms/hall", { name: "The hall", slowMode: 0 })).toEqual({
      status: 200,
      body: { jid: room },
    });
    expect(await rest("GET", `/rooms/${encodeURIComponent(room)}`)).toMatchObject({
      status: 200,
      body: { jid: room, occupants: 1, settings: { name: "The hall", public: false, maxUsers: 10_000 } },
    });
    expect((await rest("PATCH", "/rooms/nowhere", { name: "?" })).body).toMatchObject({ code: "not-found" });
    expect((await rest("PATCH", "/rooms/hall", { passwordProtected: true })).body.code).toBe("not-acceptable");
  });

  test("tell those inside what has changed (§10.2.1)", async () => {
    expect((await rest("PATCH", "/rooms/hall", { description: "Where they feast" })).status).toBe(200);
    const notice = await until(juliet, (got) => got.getChild("x", USER)?.getChild("status") !== undefined);
    expect(notice.getChild("x", USER)?.getChild("status")?.attrs.code).toBe("104");
  });

  test("are listed with the hidden ones, a page at a time", async () => {
    for (const name of ["attic", "cellar"]) await rest("PUT", `/rooms/${name}`, {});
    const first = await rest("GET", "/rooms?limit=2");
    expect(first.body.rooms.map(({ jid }: { jid: string }) => jid)).toEqual([
      roomOf(world, "attic"),
      roomOf(world, "cellar"),
    ]);
    const second = await rest("GET", `/rooms?limit=2&after=${encodeURIComponent(first.body.next)}`);
    expect(second.body).toMatchObject({ rooms: [{ jid: room, name: "The hall", public: false }] });
    expect(second.body.next).toBeUndefined();
  });

  test("end with a reason that everybody in them is told", async () => {
    const attic = roomOf(world, "attic");
    await enters(juliet, attic, "Juliet");
    expect((await rest("DELETE", "/rooms/attic?reason=dust")).status).toBe(204);
    const gone = await until(juliet, (got) => got.attrs.type === "unavailable");
    expect(gone.getChild("x", USER)?.getChild("destroy")?.getChildText("reason")).toBe("dust");
    expect((await rest("GET", "/rooms/attic")).status).toBe(404);
    expect((await rest("DELETE", "/rooms/attic")).status).toBe(404);
  });

  test("the one that pages show first is there before anybody has come", async () => {
    expect((await rest("POST", "/rooms/lobby/messages", { body: "Welcome" })).status).toBe(201);
    expect((await rest("GET", "/rooms/lobby")).body.settings).toMatchObject({ guests: "speak", persistent: true });
  });

  test.each([
    ["an unknown setting", { colour: "red" }],
    ["a wrong type", { public: "yes" }],
    ["a size that is none", { maxUsers: 17 }],
    ["a name too long", { name: "x".repeat(257) }],
    ["a pace below zero", { slowMode: -1 }],
  ])("%s is refused, and where it is", async (_, body) => {
    const { status, body: said } = await rest("PUT", "/rooms/hall", body);
    expect([status, said.code, said.errors[0].path]).toEqual([400, "bad-request", Object.keys(body)[0]]);
  });

  test.each(["a%20b", "a%2Fb", "%40rooms.capulet.example"])("%s is no room's name", async (name) => {
    expect((await rest("PUT", `/rooms/${name}`, {})).status).toBe(400);
  });
});

describe("messages", () => {
  const heard = (body: string) => until(juliet, (got) => got.getChildText("body") === body);

  test("are said by the room, under a nick, or for an account", async () => {
    const said = [
      await rest("POST", "/rooms/hall/messages", { body: "The feast begins." }),
      await rest("POST", "/rooms/hall/messages", { body: "Dinner!", nick: "Kitchen" }),
    ];
    await world.user("romeo");
    said.push(await rest("POST", "/rooms/hall/messages", { body: "Good pilgrim", from: "romeo" }));
    said.push(await rest("POST", "/rooms/hall/messages", { body: "Ay me", from: "juliet" }));
    const from = [];
    for (const body of ["The feast begins.", "Dinner!", "Good pilgrim", "Ay me"]) {
      const message = await heard(body);
      expect(message.attrs.type).toBe("groupchat");
      expect(message.getChild("stanza-id")?.attrs.id).toBe(said[from.length]?.body.id);
      from.push(message.attrs.from);
    }
    expect(from).toEqual([room, `${room}/Kitchen`, `${room}/romeo`, `${room}/Juliet`]);
    const { body: page } = await rest("GET", "/rooms/hall/messages");
    expect(page.messages.map(({ nick, jid, body }: Record<string, string>) => [nick, jid, body])).toEqual([
      [undefined, undefined, "The feast begins."],
      ["Kitchen", undefined, "Dinner!"],
      ["romeo", "romeo@capulet.example", "Good pilgrim"],
      ["Juliet", "juliet@capulet.example", "Ay me"],
    ]);
    const ids = page.messages.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(said.map(({ body }) => body.id));
    const at = async (query: string) =>
      (await rest("GET", `/rooms/hall/messages?${query}`)).body.messages.map(({ id }: { id: string }) => id);
    expect(await at(`before=${ids[2]}&limit=1`)).toEqual([ids[1]]);
    expect(await at(`after=${ids[1]}&limit=1`)).toEqual([ids[2]]);
    expect((await rest("GET", "/rooms/hall/messages?before=NOPE")).body.code).toBe("bad-request");
    expect((await rest("GET", "/rooms/hall/messages?limit=101")).status).toBe(400);
  });

  test("in nobody's name who is here", async () => {
    for (const nick of ["Juliet", "jULIET"])
      expect((await rest("POST", "/rooms/hall/messages", { body: "I am she", nick })).body.code).toBe("conflict");
    expect((await rest("POST", "/rooms/hall/messages", { body: "x", nick: "a".repeat(2000) })).status).toBe(400);
  });

  test("are said once under one key", async () => {
    const send = (body: string) => rest("POST", "/rooms/hall/messages", { body }, { "idempotency-key": "k1" });
    const first = await send("Once");
    expect(await send("Once")).toEqual(first);
    expect((await send("Twice")).body.code).toBe("conflict");
    await heard("Once");
    await juliet.receivesNothing();
  });

  test("are taken back for everybody, and leave a tombstone", async () => {
    const { body } = await rest("POST", "/rooms/hall/messages", { body: "A plague", from: "romeo" });
    await heard("A plague");
    expect((await rest("DELETE", `/rooms/hall/messages/${body.id}?reason=rude`)).status).toBe(204);
    const told = await until(juliet, (got) => got.getChild("retract") !== undefined);
    expect(told.getChild("retract")?.attrs.id).toBe(body.id);
    expect(told.getChild("retract")?.getChild("moderated")?.attrs.by).toBe(room);
    const { body: page } = await rest("GET", "/rooms/hall/messages?limit=2");
    expect(page.messages[0]).toMatchObject({ id: body.id, retracted: true, jid: "romeo@capulet.example" });
    expect(page.messages[0].body).toBeUndefined();
    expect((await rest("DELETE", "/rooms/hall/messages/zzzzzzzzzz")).status).toBe(404);
    // Again is no error: it is gone.
    expect((await rest("DELETE", `/rooms/hall/messages/${body.id}`)).status).toBe(204);
  });

  test("markup in them is text", async () => {
    const body = `</body><x xmlns="evil"/>&amp; ]]> \u0000 \u{1f339}`;
    await rest("POST", "/rooms/hall/messages", { body });
    const message = await until(juliet, (got) => got.getChildText("body")?.startsWith("</body>") === true);
    expect(message.getChildText("body")).toBe(body.replace("\u0000", ""));
    expect(message.getChild("x", "evil")).toBeUndefined();
  });
});

describe("people", () => {
  test("affiliations are given, listed and taken", async () => {
    const path = "/rooms/hall/affiliations";
    for (const affiliation of ["member", "member", "admin"])
      expect((await rest("PUT", `${path}/nurse`, { affiliation })).status).toBe(204);
    await rest("PUT", `${path}/${encodeURIComponent("@spam.example")}`, { affiliation: "outcast", reason: "spam" });
    expect((await rest("GET", path)).body.affiliations).toEqual([
      { jid: "nurse@capulet.example", affiliation: "admin" },
      { jid: "spam.example", affiliation: "outcast", reason: "spam" },
    ]);
    expect((await rest("PUT", `${path}/${encodeURIComponent("@spam.example")}`, { affiliation: "owner" })).status).toBe(
      403,
    );
    expect((await rest("PUT", `${path}/nurse`, { affiliation: "king" })).status).toBe(400);
    await rest("PUT", `${path}/nurse`, { affiliation: "none" });
    expect((await rest("GET", path)).body.affiliations).toHaveLength(1);
    expect((await rest("GET", "/rooms/nowhere/affiliations")).status).toBe(404);
  });

  test("occupants are shown with their real addresses", async () => {
    expect((await rest("GET", "/rooms/hall/occupants")).body.occupants).toEqual([
      { nick: "Juliet", jid: "juliet@capulet.example", role: "participant", affiliation: "none", clients: 1 },
    ]);
  });

  test("are sent out, and come in again", async () => {
    const tybalt = await world.login("tybalt");
    await enters(tybalt, room, "Tybalt");
    expect((await rest("POST", "/rooms/hall/kick", { nick: "Tybalt", reason: "brawling" })).status).toBe(204);
    const out = await until(tybalt, (got) => got.attrs.type === "unavailable");
    const codes = out
      .getChild("x", USER)
      ?.getChildren("status")
      .map(({ attrs }) => attrs.code);
    expect(codes).toContain("307");
    expect((await rest("POST", "/rooms/hall/kick", { nick: "Tybalt" })).status).toBe(404);
    await enters(tybalt, room, "Tybalt");
    expect((await rest("POST", "/rooms/hall/ban", { nick: "Tybalt" })).body).toEqual({
      jid: "tybalt@capulet.example",
      affiliation: "outcast",
    });
    await until(tybalt, (got) => got.attrs.type === "unavailable");
    await tybalt.sends(joining(room, "Tybalt"));
    expect((await tybalt.next()).getChild("error")?.getChild("forbidden")).toBeDefined();
    expect((await rest("POST", "/rooms/hall/messages", { body: "Peace?", from: "tybalt" })).body.code).toBe(
      "forbidden",
    );
    expect((await rest("POST", "/rooms/hall/ban", { nick: "a", jid: "b" })).status).toBe(400);
    expect((await rest("POST", "/rooms/hall/ban", { jid: "paris" })).status).toBe(200);
  });
});
