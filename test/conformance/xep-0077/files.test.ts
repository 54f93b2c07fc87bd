/** XEP-0077 §3.2: with an account go the files that it has put — https://xmpp.org/extensions/xep-0077.html#usecases-cancel */
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { Mortals } from "../../support/mortal.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0077";
const UPLOAD = "urn:xmpp:http:upload:0";
const REMOVE = `<query xmlns="jabber:iq:register"><remove/></query>`;
/** The server promises moments, or a restart; the machine may be busy. */
const SOON = { timeout: 20_000 };
const BODY = "Hello world";

const slot = async (actor: Actor) => {
  const request = `<request xmlns="${UPLOAD}" filename="a.txt" size="${BODY.length}"/>`;
  const found = (await actor.asks("get", request, "upload.capulet.example")).getChild("slot", UPLOAD);
  return { put: found?.getChild("put")?.attrs.url ?? "", get: found?.getChild("get")?.attrs.url ?? "" };
};

const status = async (response: Promise<Response>) => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};
const put = (url: string, body: BodyInit = BODY) =>
  status(fetch(url, { method: "PUT", body, duplex: "half" } as RequestInit));
const gets = (url: string) => expect.poll(() => status(fetch(url)), SOON);

/** An upload that is there. */
async function file(actor: Actor): Promise<string> {
  const { put: to, get } = await slot(actor);
  expect(await put(to)).toBe(201);
  return get;
}

async function unregisters(actor: Actor): Promise<void> {
  expect((await actor.asks("set", REMOVE)).attrs.type).toBe("result");
}

/** The tables of objects of files that were first woken since. */
const woken = (world: World, before: ReadonlyMap<string, string[]>) =>
  [...world.tables("File")].filter(([id]) => !before.has(id)).map(([, tables]) => tables);

describe.each(["shared:1", "each"])("files of accounts that are placed %s", (placement) => {
  let world: World;
  let romeo: Actor;
  let kept: string;
  beforeAll(async () => {
    world = await World.start({ settings: { PLACEMENT: placement } });
    romeo = await world.login("romeo");
    kept = await file(romeo);
  });
  afterAll(() => world?.dispose());

  spec(XEP, "3.2", "who unregisters takes the files along, and nobody else's", async () => {
    const tybalt = await world.login("tybalt");
    const files = [await file(tybalt), await file(tybalt)];
    await unregisters(tybalt);
    for (const url of files) await gets(url).toBe(404);
    expect(await status(fetch(kept))).toBe(200);
  });

  spec(XEP, "3.2", "a slot that was not used yet is good for nothing", async () => {
    const paris = await world.login("paris");
    const { put: to, get } = await slot(paris);
    const before = world.tables("File");
    await unregisters(paris);
    await expect.poll(() => woken(world, before), SOON).toEqual([expect.arrayContaining(["file"])]);
    expect(await put(to)).toBe(409);
    expect(await status(fetch(get))).toBe(404);
  });

  spec(XEP, "3.2", "whom the operator removes, too", async () => {
    const mercutio = await world.login("mercutio");
    const url = await file(mercutio);
    expect((await world.rest("DELETE", "/api/v1/users/mercutio")).status).toBe(204);
    await gets(url).toBe(404);
    expect(await status(fetch(kept))).toBe(200);
  });

  spec(XEP, "3.2", "who comes again under the name has none of them, and may put new ones", async () => {
    const rosaline = await world.login("rosaline");
    const old = await file(rosaline);
    await unregisters(rosaline);
    await world.user("rosaline");
    const back = await world.connect("rosaline");
    await back.login();
    const url = await file(back);
    await gets(old).toBe(404);
    expect(await status(fetch(url))).toBe(200);
  });
});

interface FileCalls {
  forget(until: number): Promise<void>;
}

spec(
  "XEP-0363",
  "4",
  "a file that is forgotten while it is put is not there, and its object goes in time",
  async () => {
    const world = await World.start();
    try {
      const juliet = await world.login("juliet");
      const { put: to, get } = await slot(juliet);
      const before = world.tables("File");
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      const upload = put(to, readable);
      const half = BODY.length / 2;
      await writer.write(Buffer.from(BODY.slice(0, half)));
      await expect.poll(() => woken(world, before), SOON).toEqual([expect.arrayContaining(["piece"])]);
      const { FILE } = await world.bindings<{ FILE: { getByName(name: string): FileCalls } }>();
      const object = FILE.getByName(get.split("/").at(-2) ?? "");
      await object.forget(Date.now() + 300_000);
      await writer.write(Buffer.from(BODY.slice(half)));
      await writer.close();
      expect(await upload).toBe(413);
      expect(await status(fetch(get))).toBe(404);
      expect(await put(to)).toBe(409);
      await object.forget(Date.now());
      const ours = (tables: string[]) => tables.filter((name) => !name.startsWith("_"));
      await expect.poll(() => woken(world, before).map(ours), SOON).toEqual([[]]);
    } finally {
      await world.dispose();
    }
  },
);

describe.each(["before", "after"] as const)("an object of accounts that dies %s a file hears of it", (when) => {
  let world: World;
  let mortals: Mortals;
  let romeo: Actor;
  beforeAll(async () => {
    ({ world, mortals } = await Mortals.start({ settings: { PLACEMENT: "each" } }));
    romeo = await world.login("romeo");
  });
  afterAll(() => world?.dispose());

  for (const how of ["by itself", "with the whole server"])
    spec(XEP, "3.2", `removes the files when it has died ${how}`, async () => {
      const juliet = await world.login(`juliet${how.length}`);
      const files = [await file(juliet), await file(juliet)];
      const kept = await file(romeo);
      await mortals.doom("USER", juliet.bare, "FILE", when);
      await unregisters(juliet);
      await mortals.died("USER", juliet.bare);
      if (how !== "by itself") await world.restart();
      for (const url of files) await gets(url).toBe(404);
      expect(await status(fetch(kept))).toBe(200);
    });
});
