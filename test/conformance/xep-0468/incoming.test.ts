/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html: another server's stream to us. With the attacks of security.md §1f. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { DB, FRAMING, Remote, SM, type Stream } from "./remote.ts";

const HERE = "capulet.example";
const THERE = "montague.example";
const XEP = "XEP-0468";
const DIALBACK = "XEP-0220";
const FEATURE = "urn:xmpp:features:dialback";
let remote: Remote;
let world: World;
let juliet: Actor;
let plays = 0;

beforeAll(async () => {
  remote = await Remote.start(THERE);
  world = await World.start({
    settings: {
      S2S_ORIGINS: JSON.stringify({ [THERE]: remote.origin }),
      COMPONENTS: JSON.stringify({ [`echo.${HERE}`]: "component-secret-0123456789" }),
    },
  });
  remote.world = world;
  juliet = await world.login("juliet", { presence: true });
});
afterAll(async () => {
  await world?.dispose();
  remote?.stop();
});

const chat = (body: string, from = `romeo@${THERE}/orchard`, to = `juliet@${HERE}`) =>
  `<message from="${from}" to="${to}" type="chat"><body>${body}</body></message>`;
/** A text that only this play knows, to see that nothing of another arrives. */
const line = () => `line ${++plays}`;

async function opened(): Promise<Stream> {
  const stream = await remote.connects();
  await stream.opens(THERE, HERE);
  return stream;
}

async function upgrade(headers: Record<string, string>, protocols: string[] = ["xmpp"]): Promise<number> {
  const socket = new WebSocket(`${world.http.replace("http", "ws")}/s2s-xmpp-websocket`, protocols, { headers });
  const status = new Promise<number>((settle) => {
    socket.on("unexpected-response", (_, response) => settle(response.statusCode ?? 0));
    socket.on("open", () => settle(101));
  });
  socket.on("error", () => {});
  return status.finally(() => socket.terminate());
}

describe("discovery", () => {
  spec("XEP-0156", "2", "host-meta names the WebSocket of servers, as XRD and as JSON", async () => {
    const { links } = (await (await fetch(`${world.http}/.well-known/host-meta.json`)).json()) as {
      links: { rel: string; href: string }[];
    };
    const href = `${world.http.replace("http", "ws")}/s2s-xmpp-websocket`;
    expect(links).toContainEqual({ rel: "urn:xmpp:alt-connections:s2s-websocket", href });
    const xrd = await (await fetch(`${world.http}/.well-known/host-meta`)).text();
    expect(xrd).toContain(`<Link rel="urn:xmpp:alt-connections:s2s-websocket" href="${href}"/>`);
  });

  test("a page of a browser, and who does not speak XMPP, are refused", async () => {
    expect(await upgrade({})).toBe(101);
    expect(await upgrade({ origin: "http://localhost" })).toBe(403);
    expect(await upgrade({}, ["mqtt"])).toBe(400);
    expect((await fetch(`${world.http}/s2s-xmpp-websocket`)).status).toBe(426);
  });
});

describe("a stream", () => {
  spec(XEP, "2", "begins with <open/> of the servers' framing, and offers dialback and stream management", async () => {
    const stream = await remote.connects();
    const features = await stream.opens(THERE, HERE);
    expect(features.getChild("dialback", FEATURE)?.getChild("errors")).toBeDefined();
    expect(features.getChild("sm", SM)).toBeDefined();
    expect(features.getChild("mechanisms")).toBeUndefined();
    expect(stream.id.length).toBeGreaterThanOrEqual(26);
    await stream.sends(`<close xmlns="${FRAMING}"/>`);
    await stream.receives(`<close xmlns="${FRAMING}"/>`);
    expect(await stream.ended).toBe(1000);
  });

  spec(XEP, "2", "with the clients' framing is none", async () => {
    const stream = await remote.connects();
    await stream.sends(
      `<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="${THERE}" to="${HERE}" version="1.0"/>`,
    );
    await stream.receives(`<open xmlns="${FRAMING}" from="${HERE}" id="*" version="1.0"/>`, { extra: true });
    await stream.fails("invalid-namespace");
  });

  spec("XEP-0114", "3", "may be for a component of ours, as by the bridge", async () => {
    const stream = await remote.connects();
    const features = await stream.opens(THERE, `echo.${HERE}`);
    expect(features.getChild("dialback", FEATURE)).toBeDefined();
  });

  spec(
    "RFC 6120",
    "4.9.3.6",
    "for a host that is not here ends with host-unknown; the guests' host is none of ours",
    async () => {
      for (const host of ["elsewhere.example", `guest.${HERE}`]) {
        const stream = await remote.connects();
        await stream.sends(`<open xmlns="${FRAMING}" from="${THERE}" to="${host}" version="1.0"/>`);
        await stream.receives(`<open xmlns="${FRAMING}" from="${HERE}" id="*" version="1.0"/>`, { extra: true });
        await stream.fails("host-unknown");
      }
    },
  );

  spec("RFC 6120", "4.9.3.25", "of another version ends with unsupported-version", async () => {
    const stream = await remote.connects();
    await stream.sends(`<open xmlns="${FRAMING}" from="${THERE}" to="${HERE}"/>`);
    await stream.receives(`<open xmlns="${FRAMING}" from="${HERE}" id="*" version="1.0"/>`, { extra: true });
    await stream.fails("unsupported-version");
  });
});

describe("dialback", () => {
  spec(DIALBACK, "2.2.1", "a key is shown to the server that the claimed domain's own host-meta names", async () => {
    const stream = await remote.verified(HERE);
    expect(remote.asked).toContain(`${HERE} ${THERE}`);
    const body = line();
    await stream.sends(chat(body));
    await juliet.receives(chat(body), { extra: true });
  });

  spec(DIALBACK, "2.2.1", "a key that its domain did not make is invalid, and ends the stream", async () => {
    const stream = await opened();
    await stream.sends(`<db:result ${DB} from="${THERE}" to="${HERE}">forged</db:result>`);
    await stream.receives(`<db:result ${DB} from="${HERE}" to="${THERE}" type="invalid"/>`);
    await stream.receives(`<close xmlns="${FRAMING}"/>`);
  });

  spec(DIALBACK, "2.2.1", "a key for a host that is not here is an error, and the stream goes on", async () => {
    const stream = await opened();
    await stream.sends(`<db:result ${DB} from="${THERE}" to="elsewhere.example">key</db:result>`);
    const error = await stream.receives(
      `<db:result ${DB} from="elsewhere.example" to="${THERE}" type="error"><error xmlns="jabber:server" type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="en">elsewhere.example is not here.</text></error></db:result>`,
    );
    expect(error.attrs.xmlns).toBe("jabber:server:dialback");
    await remote.proves(stream, THERE, HERE);
  });

  spec(DIALBACK, "2.4.2", "a domain that has no WebSocket cannot prove anything here, and is told so", async () => {
    const stream = await opened();
    await stream.sends(`<db:result ${DB} from="nobody.example" to="${HERE}">key</db:result>`);
    const { children } = await stream.receives(
      `<db:result ${DB} from="${HERE}" to="nobody.example" type="error"><error xmlns="jabber:server" type="cancel"><remote-server-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></db:result>`,
      { extra: true },
    );
    expect(String(children)).toContain("nobody.example has no WebSocket");
  });

  spec(
    DIALBACK,
    "2.2.2",
    "of a key, this server says whether it made it; one that somebody invents it did not",
    async () => {
      const stream = await opened();
      await stream.sends(`<db:verify ${DB} from="${THERE}" to="${HERE}" id="x">${"0".repeat(64)}</db:verify>`);
      await stream.receives(`<db:verify ${DB} from="${HERE}" to="${THERE}" id="x" type="invalid"/>`);
      await stream.sends(`<db:verify ${DB} from="${THERE}" to="elsewhere.example" id="x">key</db:verify>`);
      await stream.receives(`<db:verify ${DB} from="elsewhere.example" to="${THERE}" id="x" type="error"/>`, {
        extra: true,
      });
    },
  );

  spec(
    DIALBACK,
    "2.5",
    "one stream may be good for several domains, the name above answering for the one below",
    async () => {
      const rooms = `rooms.${THERE}`;
      const stream = await remote.verified(HERE);
      await remote.proves(stream, rooms, HERE, "another key");
      const body = line();
      await stream.sends(chat(body, `balcony@${rooms}/romeo`));
      await juliet.receives(chat(body, `balcony@${rooms}/romeo`), { extra: true });
    },
  );
});

describe("security.md §1f:", () => {
  const attacks: [name: string, condition: string, frame: string][] = [
    ["a stanza before authentication", "not-authorized", chat("early")],
    ["stream management before authentication", "not-authorized", `<enable xmlns="${SM}"/>`],
    [
      "F1 an answer that nobody asked for (CVE-2012-3525)",
      "not-authorized",
      `<db:result ${DB} from="${THERE}" to="${HERE}" type="valid"/>`,
    ],
    [
      "F1 the same of a verification",
      "not-authorized",
      `<db:verify ${DB} from="${THERE}" to="${HERE}" id="1" type="valid"/>`,
    ],
    [
      "F5 dialback for a domain of ours",
      "invalid-from",
      `<db:result ${DB} from="rooms.${HERE}" to="${HERE}">key</db:result>`,
    ],
    [
      "F5 dialback for our guests",
      "invalid-from",
      `<db:result ${DB} from="guest.${HERE}" to="${HERE}">key</db:result>`,
    ],
    ["20 KB before authentication", "policy-violation", chat("x".repeat(20_000))],
    ["a document type", "restricted-xml", `<!DOCTYPE x [<!ENTITY a "b">]><message xmlns="jabber:server"/>`],
    ["what is not XML", "not-well-formed", "<message"],
    ["an element of nowhere", "unsupported-stanza-type", `<hello xmlns="urn:example:hello"/>`],
  ];
  test.each(attacks)("%s ends the stream with %s", async (_, condition, frame) => {
    const stream = await opened();
    await stream.sends(frame);
    await stream.fails(condition);
  });

  const claims: [name: string, condition: string, frame: string][] = [
    ["F5 a sender of another domain", "invalid-from", chat("x", "romeo@elsewhere.example")],
    ["F5 a sender of our domain", "invalid-from", chat("x", `nurse@${HERE}`)],
    ["F7 a sender of a domain below the verified one", "invalid-from", chat("x", `romeo@evil.${THERE}`)],
    ["F7 a sender of a domain that ends alike", "invalid-from", chat("x", `romeo@evil${THERE}`)],
    ["F5 a host of ours that it was not verified for", "invalid-from", chat("x", undefined, `balcony@rooms.${HERE}`)],
    ["F5 a host that is not ours", "host-unknown", chat("x", undefined, "juliet@elsewhere.example")],
    ["no sender", "improper-addressing", `<message to="juliet@${HERE}"><body>x</body></message>`],
    ["no recipient", "improper-addressing", `<message from="romeo@${THERE}"><body>x</body></message>`],
    [
      "a stanza of clients",
      "unsupported-stanza-type",
      `<message xmlns="jabber:client" from="romeo@${THERE}" to="juliet@${HERE}"/>`,
    ],
    ["half a megabyte", "policy-violation", chat("x".repeat(524_289))],
  ];
  test.each(claims)("%s on a verified stream ends it with %s", async (_, condition, frame) => {
    const stream = await remote.verified(HERE);
    await stream.sends(frame);
    await stream.fails(condition);
    await juliet.receivesNothing();
  });

  test("frames before <open/> are not heard", async () => {
    const stream = await remote.connects();
    await stream.sends(`<db:result ${DB} from="${THERE}" to="${HERE}">key</db:result>`);
    await stream.receives(`<open xmlns="${FRAMING}" from="${HERE}" id="*" version="1.0"/>`, { extra: true });
    await stream.fails("not-authorized");
  });
});

describe("stream management", () => {
  spec("XEP-0198", "4", "counts what is in another object's custody", async () => {
    const stream = await remote.verified(HERE);
    await stream.sends(`<enable xmlns="${SM}"/>`);
    await stream.receives(`<enabled xmlns="${SM}"/>`);
    const bodies = [line(), line(), line()];
    for (const body of bodies) await stream.sends(chat(body));
    await stream.sends(`<r xmlns="${SM}"/>`);
    await stream.receives(`<a xmlns="${SM}" h="3"/>`);
    for (const body of bodies) await juliet.receives(chat(body), { extra: true });
  });

  // Warm: an object that was evicted by its id before anybody has called it by its name, in a process that has just started, never learns its name.
  spec.warm("XEP-0198", "5", "a stream that was cut goes on, and what comes twice arrives once", async () => {
    const first = await remote.verified(HERE);
    await first.sends(`<enable xmlns="${SM}" resume="true"/>`);
    const { attrs } = await first.receives(`<enabled xmlns="${SM}" id="*" resume="true"/>`);
    const bodies = [line(), line(), line(), line()];
    const said = (body: string) => chat(body, undefined, `nurse@${HERE}`);
    const [one = "", two = "", three = "", four = ""] = bodies;
    let nurse = await world.login("nurse", { presence: true });
    await first.sends(said(one));
    await first.sends(`<r xmlns="${SM}"/>`);
    await first.receives(`<a xmlns="${SM}" h="1"/>`);
    // Taken, but nobody has asked, and the server dies: so nobody knows.
    await first.sends(said(two));
    await nurse.receives(said(one), { extra: true });
    await nurse.receives(said(two), { extra: true });
    await world.restart();
    const second = await remote.verified(HERE);
    await second.sends(`<resume xmlns="${SM}" previd="${attrs.id}" h="0"/>`);
    await second.receives(`<resumed xmlns="${SM}" previd="${attrs.id}" h="1"/>`);
    for (const body of [two, three, four]) await second.sends(said(body));
    await second.sends(`<r xmlns="${SM}"/>`);
    await second.receives(`<a xmlns="${SM}" h="4"/>`);
    // She had acknowledged nothing, so all of it waits for her: each once.
    nurse = await world.login("nurse", { presence: true });
    for (const body of bodies) await nurse.receives(said(body), { extra: true });
    await nurse.receivesNothing();
  });

  spec("XEP-0198", "5", "nobody resumes another domain's stream, or one that never was", async () => {
    const rooms = `rooms.${THERE}`;
    const stream = await remote.verified(HERE);
    await stream.sends(`<enable xmlns="${SM}" resume="true"/>`);
    const { attrs } = await stream.receives(`<enabled xmlns="${SM}" id="*" resume="true"/>`);
    const thief = await remote.verified(HERE, rooms);
    for (const previd of [attrs.id, "local/nothing", "nowhere/nothing", ""]) {
      await thief.sends(`<resume xmlns="${SM}" previd="${previd}" h="0"/>`);
      await thief.receives(
        `<failed xmlns="${SM}"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></failed>`,
      );
    }
  });
});
