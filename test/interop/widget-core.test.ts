/** The widget's client core with servers that know neither SASL2 nor Bind 2: plain SASL and bind, as RFC 6120 has them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { retraction } from "../../src/web/client/payload.ts";
import { wireTo } from "../browser/cut.ts";
import { admitGuests, enter, type Person } from "../browser/people.ts";
import { install } from "./peers.ts";
import { type Server, startServer } from "./server.ts";

describe.each(["prosody", "ejabberd"] as const)("%s", (name) => {
  let server: Server;
  let ada: Person;
  const people: Person[] = [];
  const come = async (...who: [nick: string, password?: string]): Promise<Person> => {
    const person = await enter(server, "parlour", ...who);
    people.push(person);
    return person;
  };

  beforeAll(async () => {
    if (!install(name)) throw new Error(`${name} is not installed, and only root can install it`);
    server = await startServer({}, name);
    await server.addUsers(["ada", "grace", "noor"], "secret");
    ada = await come("Ada", "secret");
    await admitGuests(ada);
  });
  afterAll(async () => {
    for (const person of people) person.leave();
    await server?.stop();
  });

  test("an account logs in by SCRAM, binds, and has stream management", () => {
    expect(ada.client.jid).toMatch(/^ada@[^/]+\/.+/);
    expect(ada.client.options.keep).toMatchObject({ pinned: true });
    expect(ada.client.suspend()?.id).toBeTruthy();
    ada.client.connect();
  });

  test("an account and a guest talk, answer, correct, react, retract and whisper", async () => {
    const mira = await come("Mira");
    const question = await ada.say("Tea or cofee?");
    const heard = await mira.until(() => mira.room.timeline.entries.find(({ body }) => body === "Tea or cofee?"));
    const reply = await mira.say("Tea", heard);
    ada.room.correct(question, "Tea or coffee?");
    await mira.until(() => heard.edited && heard.body === "Tea or coffee?");
    const answer = await ada.until(() => ada.room.timeline.entries.find(({ body }) => body === "Tea"));
    // Debian's Prosody and ejabberd give no ids by which a room's messages are named, unless they keep them.
    if (answer.ref) {
      expect(answer.reply?.ref).toBe(question.ref);
      ada.room.react(answer, "👍");
      await mira.until(() => reply.reactions.get("👍")?.size === 1);
      mira.room.post(...retraction(reply.ref));
      await ada.until(() => answer.removed);
    }
    ada.room.say("just you", { to: "Mira" });
    await mira.until(() => mira.room.timeline.entries.find(({ body, to }) => body === "just you" && to === "Mira"));
    ada.room.typing.press();
    await mira.until(() => mira.room.typing.who.has("Ada"));
  });

  test("who comes later reads what was said, in order and once", async () => {
    for (let i = 0; i < 12; i++) await ada.say(`line ${i}`);
    const grace = await come("Grace", "secret");
    const lines = () => grace.room.timeline.entries.map(({ body }) => body).filter((body) => body.startsWith("line"));
    await grace.until(() => lines().length >= 12);
    expect(lines()).toEqual(Array.from({ length: 12 }, (_, i) => `line ${i}`));
  });

  test("a connection that is cut is resumed: what was said meanwhile is there once, both ways", async () => {
    const wire = await wireTo(server.websocket.replace(/^ws/, "http"));
    const websocket = server.websocket.replace(new URL(server.websocket).host, wire.address);
    const noor = await enter({ ...server, websocket }, "parlour", "Noor", "secret");
    people.push(noor);
    await noor.say("before");
    const states: string[] = [];
    const lost = new Promise<void>((resolve) => noor.client.on("offline", () => resolve()));
    noor.client.on("online", ({ resumed }) => states.push(resumed ? "resumed" : "anew"));
    wire.cut();
    await lost;
    await ada.say("said meanwhile");
    noor.room.say("written meanwhile");
    wire.mend();
    noor.client.connect();
    await ada.until(() => ada.room.timeline.entries.find(({ body }) => body === "written meanwhile"));
    await noor.until(() => noor.room.timeline.entries.find(({ body }) => body === "said meanwhile"));
    await noor.until(() => noor.room.timeline.entries.every(({ state }) => state === "sent"));
    for (const { room } of [ada, noor])
      for (const body of ["before", "said meanwhile", "written meanwhile"])
        expect(room.timeline.entries.filter((entry) => entry.body === body)).toHaveLength(1);
    expect(states).toEqual(["resumed"]);
    noor.leave();
    await wire.stop();
  });
});
