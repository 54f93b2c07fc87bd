/** XEP-0124 §9, §14.3: what a client did not get is not lost with its session (R12 of the security notes). */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { AVAILABLE, condition, ids, ping, read, Session } from "./session.ts";

describe.each([{ PLACEMENT: "each" }, { PLACEMENT: "shared:1" }])("%o", (settings) => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ settings });
    await world.user("romeo");
  });
  afterAll(() => world.dispose());

  async function juliet(name: string, attrs: Record<string, string> = {}): Promise<Session> {
    await world.user(name);
    const session = await Session.login(world, name, "http", attrs);
    await session.sends(AVAILABLE);
    return session;
  }

  /** Romeo says something; it is in custody when this is over. */
  async function says(to: string, ...bodies: string[]): Promise<void> {
    const romeo = await world.login("romeo");
    await romeo.enables();
    // In one go: it is the reader that objects are forgotten under.
    for (const id of bodies)
      romeo.socket.send(
        `<message xmlns="jabber:client" to="${to}@${world.domain}" type="chat" id="${id}"><body>${id}</body></message>`,
      );
    expect(await romeo.handled()).toBe(bodies.length);
    romeo.cut();
  }

  /** What waits for whoever comes next, once the account knows that there is nobody. */
  async function mail(name: string): Promise<(string | undefined)[]> {
    const sessions = async () => (await world.rest("GET", `/api/v1/users/${name}/sessions`)).text();
    while ((await sessions()).includes("http")) await world.evict();
    const next = await world.login(name, { resource: "next" });
    await next.sends("<presence/>");
    await next.sends(`<iq type="get" id="end"><query xmlns="jabber:iq:roster"/></iq>`);
    const found: (string | undefined)[] = [];
    for (let got = await next.next(); got.attrs.id !== "end"; got = await next.next())
      if (got.name === "message") found.push(got.attrs.id);
    next.cut();
    return found;
  }

  spec(
    "XEP-0124",
    "14.3",
    "what was in a response that its client may not have had comes again when the session dies",
    async () => {
      const session = await juliet("a");
      await says("a", "lost");
      expect(ids(await session.sends(""))).toEqual(["lost"]);
      await session.dies();
      expect(await mail("a")).toEqual(["lost"]);
    },
  );

  spec("XEP-0124", "14.3", "so does what waited for a request", async () => {
    const session = await juliet("b");
    await says("b", "one", "two");
    await session.dies();
    expect(await mail("b")).toEqual(["one", "two"]);
  });

  spec(
    "XEP-0124",
    "11",
    "a request that could not be open beside them proves that earlier responses arrived",
    async () => {
      const session = await juliet("c", { wait: "1" });
      await says("c", "had");
      expect(ids(await session.sends(""))).toEqual(["had"]);
      for (let more = 0; more < 2; more++) await session.sends("");
      await session.dies();
      expect(await mail("c")).toEqual([]);
    },
  );

  spec(
    "XEP-0124",
    "9.2",
    "a client that acknowledges responses has had what it acknowledges, and no more",
    async () => {
      const session = await juliet("d", { ack: "1", wait: "1" });
      await says("d", "first");
      expect(ids(await session.sends(""))).toEqual(["first"]);
      const acknowledged = session.rid;
      await says("d", "second");
      expect(ids(await session.sends("", `ack="${acknowledged}"`))).toEqual(["second"]);
      await session.sends("", `ack="${acknowledged}"`);
      await session.dies();
      expect(await mail("d")).toEqual(["second"]);
    },
  );

  spec("XEP-0124", "9.2", "and all of it, when it has nothing to acknowledge", async () => {
    const session = await juliet("e", { ack: "1", wait: "1" });
    await says("e", "had");
    expect(ids(await session.sends(""))).toEqual(["had"]);
    await session.sends("");
    await session.dies();
    expect(await mail("e")).toEqual([]);
  });

  spec("XEP-0124", "8", "who got a message is answered soon, so that its next request proves it", async () => {
    const session = await juliet("f");
    await says("f", "news");
    expect(ids(await session.sends(""))).toEqual(["news"]);
    const start = performance.now();
    expect((await session.sends("")).children).toEqual([]);
    // It would have been held for 20 seconds.
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  spec("XEP-0160", "3", "mail of more than a page comes page by page, once and in order", async () => {
    await world.user("g");
    const bodies = Array.from({ length: 130 }, (_, i) => `m${i}`);
    await says("g", ...bodies);
    const session = await Session.login(world, "g", "http");
    const found = [...ids(await session.sends(AVAILABLE))];
    while (found.filter((id) => id?.startsWith("m")).length < bodies.length)
      found.push(...ids(await session.sends("")));
    expect(found.filter((id) => id?.startsWith("m"))).toEqual(bodies);
  });

  // Where sender and reader are of one object, what is in custody has been delivered, too.
  const together = settings.PLACEMENT === "each" ? () => {} : spec;
  together("XEP-0124", "8", "who lets too much wait is cut off, and what was mail is mail again", async () => {
    const session = await juliet("i");
    const bodies = Array.from({ length: 10 }, (_, n) => `${n}${"x".repeat(25_000)}`);
    await says("i", ...bodies);
    const failed = await session.sends("");
    expect(condition(failed)).toBe("terminate remote-stream-error");
    expect(failed.getChildElements().map((child) => child.getChildElements()[0]?.name)).toEqual([
      "resource-constraint",
    ]);
    expect(await mail("i")).toEqual(bodies);
  });

  spec(
    "XEP-0124",
    "14.3",
    "a session outlives the process: responses are repeated byte for byte, and nothing is taken twice",
    async () => {
      const session = await juliet("h");
      const request = session.write(
        `<message xmlns="jabber:client" id="own" to="h@${world.domain}" type="chat"><body>own</body></message>`,
      );
      const send = async () => (await fetch(`${world.http}/http-bind`, { method: "POST", body: request })).text();
      const first = await send();
      expect(ids(read(first))).toEqual(["own"]);
      // What one resource has been handed, the other has, too.
      const beside = await world.login("h", { resource: "beside", presence: true });
      await beside.receives(`<presence from="h@${world.domain}/http"/>`, { extra: true });
      await says("h", "meanwhile");
      await beside.receives('<message id="meanwhile">*</message>', { extra: true });
      await world.restart();
      expect(await send()).toBe(first);
      const rest = ids(await session.sends(ping(world, "p")));
      expect(rest.filter((id) => id !== undefined)).toEqual(["meanwhile", "p"]);
    },
  );
});
