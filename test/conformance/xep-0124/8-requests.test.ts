/** XEP-0124 §8–§16, XEP-0206 §5: requests in their order, held, answered, paused, repeated, terminated. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { AVAILABLE, begin, condition, ids, ping, read, Session } from "./session.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
/** A session of an account of its own, whose resource is "http". */
async function login(name: string, attrs?: Record<string, string>): Promise<Session> {
  await world.user(name);
  return Session.login(world, name, "http", attrs);
}
/** A message to the account, and one to the session from a client beside it. */
const note = (to: string, id: string) =>
  `<message xmlns="jabber:client" id="${id}" to="${to}@${world.domain}" type="chat"><body>${id}</body></message>`;
const beside = (name: string) => world.login(name, { resource: "elsewhere" });

spec("XEP-0206", "5", "a stream is restarted, bound and used", async () => {
  const session = await login("a");
  expect((await session.sends(ping(world, "p1"))).getChildElements()[0]?.attrs).toMatchObject({
    id: "p1",
    type: "result",
  });
});

spec("XEP-0206", "5", "a stanza that comes with a restart is ignored", async () => {
  await world.user("r");
  const session = await Session.create(world);
  const plain = Buffer.from("\0r\0r's secret").toString("base64");
  await session.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
  const stanza = `<iq xmlns="jabber:client" type="get" id="early"><query xmlns="jabber:iq:roster"/></iq>`;
  const answer = await session.sends(stanza, `xmpp:restart="1" to="${world.domain}"`);
  expect(answer.attrs.type).toBeUndefined();
  expect(answer.getChildElements().map(({ name }) => name)).toEqual(["features"]);
});

// A request on its way to be held cannot be told from one that is held, and under one no object can be forgotten by force.
spec.warm("XEP-0124", "8", "an empty request is held until there is something to say", async () => {
  const session = await login("e");
  await session.sends(AVAILABLE);
  const held = await session.holds();
  await (await beside("e")).sends(note("e", "at-last"));
  expect(ids(await held.response)).toEqual(["at-last"]);
});

spec("XEP-0124", "8", "or until it has been held for as long as was agreed", async () => {
  const session = await login("g", { wait: "1" });
  const start = performance.now();
  expect((await session.sends("")).children).toEqual([]);
  expect(performance.now() - start).toBeGreaterThan(900);
});

spec("XEP-0124", "8", "no more requests are held than was agreed, and they are answered in their order", async () => {
  const session = await login("h");
  const [first, second] = [await session.holds(), await session.holds()];
  expect((await first.response).children).toEqual([]);
  const third = await session.holds(ping(world, "third"));
  expect(ids(await second.response)).toEqual(["third"]);
  const fourth = await session.sends("", 'type="terminate"');
  expect([(await third.response).attrs.type, fourth.attrs.type]).toEqual(["terminate", undefined]);
});

spec("XEP-0124", "8", "stanzas in the wrapper's own namespace are meant for the server, too", async () => {
  const session = await login("n");
  const answer = await session.sends(ping(world, "bare").replace(' xmlns="jabber:client"', ""));
  expect(ids(answer)).toEqual(["bare"]);
});

spec("XEP-0124", "9.1", "a response acknowledges the newest request, when that is not its own", async () => {
  const session = await login("i", { ack: "1" });
  expect(session.created.attrs.ack).toBe(String(session.rid - 3));
  const held = await session.holds();
  const answered = await session.holds(ping(world, "p"));
  expect((await held.response).attrs.ack).toBe(String(session.rid));
  const last = await session.sends("", 'type="terminate"');
  expect([(await answered.response).attrs.ack, last.attrs.ack]).toEqual([undefined, undefined]);
  const silent = await login("j");
  expect(silent.created.attrs.ack).toBeUndefined();
  const [one] = [await silent.holds(), await silent.holds()];
  expect((await one.response).attrs.ack).toBeUndefined();
});

spec("XEP-0124", "10", "a pause is answered at once, and all that waits with it, but not with payloads", async () => {
  const session = await login("f");
  await session.sends(AVAILABLE);
  const held = await session.holds();
  const paused = await session.sends("", 'pause="60"');
  expect(paused.attrs.type).toBeUndefined();
  expect((await held.response).children).toEqual([]);
  // Something to say, and only the pause to say it in.
  const other = await beside("f");
  await other.sends(note("f", "later"));
  await other.asks("get", '<query xmlns="jabber:iq:roster"/>');
  expect((await session.sends("", 'pause="30"')).children).toEqual([]);
  expect(ids(await session.sends(""))).toEqual(["later"]);
});

spec("XEP-0124", "10", "nobody pauses for longer than was agreed", async () => {
  const session = await login("f2");
  const longer = Number(session.created.attrs.maxpause) + 1;
  expect(condition(await session.sends("", `pause="${longer}"`))).toBe("terminate policy-violation");
});

spec("XEP-0124", "12", "who polls again at once, having got nothing, has broken the rules", async () => {
  const session = await login("p", { hold: "0" });
  expect((await session.sends("")).attrs.type).toBeUndefined();
  expect(condition(await session.sends(""))).toBe("terminate policy-violation");
});

spec("XEP-0124", "12", "but who has got something may, and who has something to say", async () => {
  const session = await login("q", { hold: "0" });
  await session.sends("");
  for (const id of ["1", "2", "3"]) await session.sends(ping(world, id));
  // Whatever was not answered at once is there by the next poll.
  const polled = await session.sends("");
  expect(polled.attrs.type).toBeUndefined();
  expect((await session.sends("", 'pause="10"')).attrs.type).toBeUndefined();
});

spec(
  "XEP-0124",
  "13",
  "what comes with a termination is delivered, the oldest request is told, and the session is over",
  async () => {
    const session = await login("t");
    const other = await beside("t");
    await other.sends("<presence/>");
    await other.receives("<presence/>", { extra: true });
    const held = await session.holds();
    const last = await session.sends(note("t", "farewell"), 'type="terminate"');
    expect((await held.response).attrs.type).toBe("terminate");
    expect((await held.response).attrs.condition).toBeUndefined();
    expect([last.attrs.type, last.children.length]).toEqual([undefined, 0]);
    const message = await other.receives(`<message type="chat" id="farewell">*</message>`, { extra: true });
    expect(message.attrs.from).toBe(`t@${world.domain}/http`);
    expect((await session.sends(ping(world, "late"))).attrs.type).toBe("terminate");
  },
);

spec("XEP-0124", "14.2", "requests out of order are processed in order", async () => {
  const session = await login("d");
  const [first, second] = [session.write(ping(world, "1")), session.write(ping(world, "2"))];
  const late = await begin(world, second);
  const both = [...ids(await session.sendsRaw(first)), ...ids(read(await (await late.response).text()))];
  expect(both).toEqual(["1", "2"]);
});

spec(
  "XEP-0124",
  "14.2",
  "a rid beyond the window ends the session, and says no more than an unknown sid does",
  async () => {
    const session = await Session.create(world);
    const held = await session.holds();
    await session.dies();
    expect(condition(await held.response)).toBe("terminate other-request");
    expect((await session.sends("")).attrs.type).toBe("terminate");
    const stranger = await Session.create(world);
    stranger.sid = stranger.sid.replace(/..$/, "22");
    expect(condition(await stranger.sends(""))).toBe("terminate item-not-found");
  },
);

spec("XEP-0124", "14.3", "a repeated request gets a copy of the response, byte for byte", async () => {
  const session = await login("b");
  const request = session.write(ping(world, "p1"));
  const text = async () => (await (await begin(world, request)).response).text();
  const first = await text();
  expect(await text()).toBe(first);
  expect(await text()).toBe(first);
  const other = session.write(ping(world, "p2"), "", session.rid);
  expect(condition(await session.sendsRaw(other))).toBe("terminate item-not-found");
});

spec("XEP-0124", "14.3", "what a repeated request brought is processed once", async () => {
  const session = await login("c");
  await session.sends(AVAILABLE);
  const request = session.write(note("c", "once"));
  expect(ids(await session.sendsRaw(request))).toEqual(["once"]);
  expect(ids(await session.sendsRaw(request))).toEqual(["once"]);
  expect(ids(await session.sends(ping(world, "after")))).toEqual(["after"]);
});

spec("XEP-0124", "14.3", "a response that is kept no more is an error, as one that never was", async () => {
  const session = await login("k");
  const old = session.write(ping(world, "0"));
  await session.sendsRaw(old);
  for (const id of ["1", "2"]) await session.sends(ping(world, id));
  expect(condition(await session.sendsRaw(old))).toBe("terminate item-not-found");
});

spec("XEP-0124", "17.3", "a request that comes again while it is held is answered where it came last", async () => {
  const session = await login("l");
  await session.sends(AVAILABLE);
  const request = session.write("");
  const [broken, again] = [await begin(world, request), await begin(world, request)];
  expect(read(await (await broken.response).text()).attrs).toMatchObject({ type: "error" });
  const asked = await session.holds(ping(world, "now"));
  const both = [read(await (await again.response).text()), await Promise.race([asked.response, undefined])];
  expect(ids(both[0]!)).toEqual(["now"]);
});

const keys = (seed: string, count: number) => {
  const all = [sha1(seed)];
  while (all.length < count) all.push(sha1(all.at(-1) as string));
  return all;
};

spec(
  "XEP-0124",
  "15.4",
  "each request has the key before the last one's, in whatever case, and starts another sequence",
  async () => {
    const [first, second] = [keys("seed", 4), keys("another", 3)];
    const session = await Session.create(world, { newkey: (first[3] as string).toUpperCase(), wait: "1" });
    const attrs = [
      `key="${first[2]}"`,
      `key="${first[1]}"`,
      `key="${first[0]}" newkey="${second[2]}"`,
      `key="${second[1]}"`,
      `key="${second[0]}"`,
    ];
    const answers = [];
    for (const key of attrs) answers.push(await session.holds("", key));
    const last = await session.sends("", 'type="terminate" key="used up"');
    expect(condition(last)).toBe("terminate item-not-found");
    const types = await Promise.all(answers.map(async ({ response }) => (await response).attrs.type));
    expect(types.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
  },
);

spec("XEP-0124", "15.4", "a request with a wrong key, or none, is not processed and ends the session", async () => {
  for (const attrs of ['key="wrong"', ""]) {
    const session = await Session.create(world, { newkey: keys("seed", 3)[2] as string });
    const held = await session.holds("", `key="${keys("seed", 2)[1]}"`);
    expect(
      condition(await session.sends('<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="NONE"/>', attrs)),
    ).toBe("terminate item-not-found");
    expect(condition(await held.response)).toBe("terminate other-request");
  }
});

spec("XEP-0124", "16.3", "a request for another stream is one for payloads, since there is one stream", async () => {
  const session = await login("m", { wait: "1" });
  expect(session.created.attrs.stream).toBeUndefined();
  const answer = await session.sends("", `to="${world.domain}" xml:lang="en"`);
  expect([answer.attrs.type, answer.children.length]).toEqual([undefined, 0]);
  expect(ids(await session.sends(ping(world, "still")))).toEqual(["still"]);
});

spec("XEP-0124", "17.2", "an error of the stream ends the session, and comes in its last response", async () => {
  const session = await Session.create(world);
  const answer = await session.sends('<presence xmlns="jabber:client"/>');
  expect(condition(answer)).toBe("terminate remote-stream-error");
  expect(answer.getChildElements()[0]?.getChildElements()[0]?.name).toBe("not-authorized");
});

spec("XEP-0124", "17.2", "who has no request open when its stream ends is told by its next one", async () => {
  const session = await login("o");
  const successor = await world.login("o", { resource: "http" });
  await successor.asks("get", '<query xmlns="jabber:iq:roster"/>');
  const answer = await session.sends("");
  expect(condition(answer)).toBe("terminate remote-stream-error");
  expect(answer.getChildElements()[0]?.getChildElements()[0]?.name).toBe("conflict");
});
