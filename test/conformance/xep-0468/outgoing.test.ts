/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html: our stream to another server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { DB, FRAMING, Remote, SM, type Stream } from "./remote.ts";

/** Warm even where the suite evicts: an object with an open stream of its own is not forgotten. */
const WARM = { evict: false } as const;
const HERE = "capulet.example";
const ROOMS = `rooms.${HERE}`;
const ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
/** A server for each play, since where they are must be known before ours starts. */
const remotes: Remote[] = [];
let world: World;
let juliet: Actor;

beforeAll(async () => {
  for (let n = 0; n < 24; n++) remotes.push(await Remote.start(`montague-${n}.example`));
  const origins = Object.fromEntries(remotes.map(({ domain, origin }) => [domain, origin]));
  world = await World.start({ ...WARM, settings: { S2S_ORIGINS: JSON.stringify(origins) } });
  for (const remote of remotes) remote.world = world;
  juliet = await world.login("juliet", { presence: true });
});
afterAll(async () => {
  await world?.dispose();
  for (const remote of remotes) remote.stop();
});

let plays = 0;
function play(): {
  remote: Remote;
  there: string;
  chat: (body: string) => string;
  writes: (body: string) => Promise<void>;
} {
  const remote = remotes[plays++] as Remote;
  const there = remote.domain;
  const chat = (body: string) =>
    `<message from="${juliet.jid}" to="romeo@${there}" type="chat"><body>${body}</body></message>`;
  const writes = (body: string) =>
    juliet.sends(`<message to="romeo@${there}" type="chat"><body>${body}</body></message>`);
  return { remote, there, chat, writes };
}

/** Takes a stream with all that it wants. */
async function taken(remote: Remote, id = "stream"): Promise<Stream> {
  const stream = await remote.stream();
  await stream.verifies(HERE, remote.domain);
  await stream.enables(id);
  return stream;
}

const bounced = (condition: string, there: string) =>
  juliet.receives(
    `<message from="romeo@${there}" to="${juliet.jid}" type="error"><error><${condition} xmlns="${ERRORS}"/></error></message>`,
    { extra: true },
  );

describe("discovery", () => {
  const asks = ["/.well-known/host-meta.json", "/.well-known/host-meta"];

  spec("XEP-0156", "2", "the JRD is asked for, and remembered", async () => {
    const { remote, chat, writes } = play();
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    stream.cut();
    await writes("two");
    await remote.stream();
    expect(remote.requests).toEqual(asks.slice(0, 1));
  });

  spec("XEP-0156", "2", "the XRD will do", async () => {
    const { remote, writes } = play();
    const body = `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="urn:xmpp:alt-connections:s2s-websocket" href="${remote.websocket}"/></XRD>`;
    remote.files = { "/.well-known/host-meta": { type: "application/xrd+xml", body } };
    await writes("one");
    await taken(remote);
    expect(remote.requests).toEqual(asks);
  });

  test("a redirection is followed", async () => {
    const { remote, writes } = play();
    remote.files = {
      "/.well-known/host-meta.json": { status: 302, location: "/elsewhere" },
      "/elsewhere": { body: remote.jrd() },
    };
    await writes("one");
    await taken(remote);
  });

  const nothing: [string, (remote: Remote) => NonNullable<Remote["files"]>][] = [
    ["no host-meta", () => ({})],
    [
      "no such link",
      () => ({ "/.well-known/host-meta.json": { body: '{"links":[{"rel":"other","href":"wss://x.example"}]}' } }),
    ],
    [
      "neither JSON nor XML",
      () => ({ "/.well-known/host-meta.json": { body: "<html>" }, "/.well-known/host-meta": { body: "<html>" } }),
    ],
    ["an address that is none", (remote) => ({ "/.well-known/host-meta.json": { body: remote.jrd("wss//nowhere") } })],
    ["an address of a web page", (remote) => ({ "/.well-known/host-meta.json": { body: remote.jrd(remote.origin) } })],
    [
      "F6: more than 64 KiB",
      (remote) => ({ "/.well-known/host-meta.json": { body: remote.jrd() + " ".repeat(65_536) } }),
    ],
    [
      "F6: a redirection without TLS",
      (remote) => ({
        "/.well-known/host-meta.json": { status: 302, location: `http://localhost:${new URL(remote.origin).port}/x` },
        "/x": { body: remote.jrd() },
      }),
    ],
    [
      "redirections without end",
      () => ({ "/.well-known/host-meta.json": { status: 302, location: "/.well-known/host-meta.json" } }),
    ],
  ];
  test.each(nothing)("%s: there is no such server", async (_, files) => {
    const { remote, there, writes } = play();
    remote.files = files(remote);
    await writes("one");
    await bounced("remote-server-not-found", there);
  });

  test("the name above is asked for a name below; its server may say that it has no such host", async () => {
    const { remote, there } = play();
    await juliet.sends(`<message to="romeo@nowhere.${there}" type="chat"><body>hello</body></message>`);
    await bounced("remote-server-not-found", `nowhere.${there}`);
    expect(remote.requests).toEqual(asks.slice(0, 1));
  });

  test.each([
    "localhost",
    "intranet",
    "127.0.0.1",
    "[::1]",
    "printer.local",
    "x.test",
    "elsewhere.example",
    `guest.${HERE}`,
  ])("F6: nobody looks for %s", async (domain) => {
    await juliet.sends(`<message to="romeo@${domain}" type="chat"><body>hello</body></message>`);
    if (domain.startsWith("guest")) await juliet.next();
    else await bounced("remote-server-not-found", domain);
  });
});

describe("a stream", () => {
  spec("XEP-0468", "2", "is verified by dialback, and then brings stanzas of jabber:server, in order", async () => {
    const { remote, there, chat, writes } = play();
    const bodies = ["one", "two", "three"];
    for (const body of bodies) await writes(body);
    const stream = await remote.stream();
    const { key, id } = await stream.takesKey(HERE, there);
    // The key is shown to us again, as another server would in order to know.
    const asking = await remote.connects();
    await asking.opens(there, HERE);
    await asking.sends(`<db:verify ${DB} from="${there}" to="${HERE}" id="${id}">${key}</db:verify>`);
    await asking.receives(`<db:verify ${DB} from="${HERE}" to="${there}" id="${id}" type="valid"/>`);
    await asking.sends(`<db:verify ${DB} from="${there}" to="${HERE}" id="another">${key}</db:verify>`);
    await asking.receives(`<db:verify ${DB} from="${HERE}" to="${there}" id="another" type="invalid"/>`);
    stream.says(`<db:result ${DB} from="${there}" to="${HERE}" type="valid"/>`);
    await stream.enables("one");
    for (const body of bodies) await stream.receives(chat(body));
    await stream.isAsked();
  });

  spec("XEP-0220", "2.5", "serves all our hosts, each verified before it says anything", async () => {
    const { remote, there, chat, writes } = play();
    const room = `balcony${plays}@${ROOMS}`;
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    await stream.isAsked();
    // Somebody there wants into a room here that does not exist: the room's service answers.
    const own = await remote.verified(ROOMS);
    await own.sends(
      `<presence from="romeo@${there}/orchard" to="${room}/romeo"><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
    );
    await stream.verifies(ROOMS, there);
    await stream.receives(`<presence from="${room}/romeo" to="romeo@${there}/orchard" type="error"/>`, { extra: true });
  });

  spec("XEP-0220", "2.1.1", "what one of our hosts may not say goes back, and the others go on", async () => {
    const { remote, there, chat, writes } = play();
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    await stream.isAsked();
    const own = await remote.verified(ROOMS);
    await own.sends(
      `<iq type="get" id="1" from="romeo@${there}/orchard" to="${ROOMS}"><ping xmlns="urn:xmpp:ping"/></iq>`,
    );
    await stream.receives(`<db:result ${DB} from="${ROOMS}" to="${there}">*</db:result>`);
    stream.says(`<db:result ${DB} from="${there}" to="${ROOMS}" type="error"/>`);
    await writes("two");
    await stream.receives(chat("two"));
  });

  test("F1: an answer to what was not asked ends it", async () => {
    const { remote, there, chat, writes } = play();
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    await stream.isAsked();
    stream.says(`<db:result ${DB} from="${there}" to="${ROOMS}" type="valid"/>`);
    await stream.fails("not-authorized");
  });

  test("what comes back on it is not taken for stanzas", async () => {
    const { remote, there, chat, writes } = play();
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    stream.says(`<message from="romeo@${there}" to="juliet@${HERE}" type="chat"><body>back</body></message>`);
    await juliet.receivesNothing();
  });
});

describe("stream management", () => {
  spec(
    "XEP-0198",
    "5",
    "what was not acknowledged goes out again on the stream that resumes the lost one",
    async () => {
      const { remote, chat, writes } = play();
      for (const body of ["one", "two", "three"]) await writes(body);
      const first = await taken(remote, "first");
      for (const body of ["one", "two", "three"]) await first.receives(chat(body));
      await first.isAsked();
      first.says(`<a xmlns="${SM}" h="1"/>`);
      // That there are more is why it is asked again.
      await first.isAsked();
      first.cut();
      const second = await remote.stream();
      await second.verifies(HERE, remote.domain);
      await second.receives(`<resume xmlns="${SM}" previd="first" h="0"/>`);
      second.says(`<resumed xmlns="${SM}" previd="first" h="2"/>`);
      await second.receives(chat("three"));
      await second.isAsked();
      second.says(`<a xmlns="${SM}" h="3"/>`);
      await writes("four");
      await second.receives(chat("four"));
    },
  );

  spec(
    "XEP-0198",
    "5",
    "where the lost stream is not known any more, a new one brings all that is unacknowledged",
    async () => {
      const { remote, chat, writes } = play();
      await writes("one");
      const first = await taken(remote, "first");
      await first.receives(chat("one"));
      first.cut();
      const second = await remote.stream();
      await second.verifies(HERE, remote.domain);
      await second.receives(`<resume xmlns="${SM}" previd="first" h="0"/>`);
      second.says(`<failed xmlns="${SM}"><item-not-found xmlns="${ERRORS}"/></failed>`);
      await second.enables("second");
      await second.receives(chat("one"));
    },
  );

  spec("XEP-0198", "4", "more acknowledged than was sent ends it", async () => {
    const { remote, chat, writes } = play();
    await writes("one");
    const stream = await taken(remote);
    await stream.receives(chat("one"));
    await stream.isAsked();
    stream.says(`<a xmlns="${SM}" h="2"/>`);
    await stream.fails("undefined-condition");
  });

  test("a server that is away for a while misses nothing", async () => {
    const { remote, chat, writes } = play();
    remote.refuses();
    for (const body of ["one", "two"]) await writes(body);
    remote.accepts();
    const stream = await taken(remote);
    for (const body of ["one", "two"]) await stream.receives(chat(body));
  });

  test("a crash of ours loses nothing", async () => {
    const { remote, chat, writes } = play();
    await writes("one");
    const first = await taken(remote, "first");
    await first.receives(chat("one"));
    await world.restart();
    juliet = await world.login("juliet", { presence: true });
    // The next that is sent wakes what waits.
    await writes("two");
    const second = await remote.stream();
    await second.verifies(HERE, remote.domain);
    await second.receives(`<resume xmlns="${SM}" previd="first" h="0"/>`);
    second.says(`<resumed xmlns="${SM}" previd="first" h="1"/>`);
    await second.receives(chat("two"));
    await second.isAsked();
    second.says(`<close xmlns="${FRAMING}"/>`);
  });
});
