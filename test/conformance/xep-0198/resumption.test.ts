/** XEP-0198: Stream Management, §5 — https://xmpp.org/extensions/xep-0198.html */
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const SM = "urn:xmpp:sm:3";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const XEP = "XEP-0198";
/**
 * Warm even where the suite evicts before each step: an object is not forgotten while a client owes acknowledgements, so each
 * step would take seconds. "…outlive that all objects are forgotten" evicts where it matters.
 */
const WARM = { evict: false } as const;

let plays = 0;
const body = (n: number | string) => `<body>${n}</body>`;
const failed = (actor: Actor, condition: string) =>
  actor.receives(`<failed xmlns="${SM}"><${condition} xmlns="${STANZAS}"/></failed>`, { extra: true });

describe.each([
  { PLACEMENT: "each" },
  { PLACEMENT: "shared:1" },
  // Every stream has a gate of its own, so each resumption is from another gate.
  { PLACEMENT: "each", GATE_SOCKETS: "1" },
  // One gate is where all accounts are, and the others are not.
  { PLACEMENT: "shared:1", GATE_SOCKETS: "1" },
] as const)("%o", (settings) => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ ...WARM, settings });
    await world.user("romeo");
    await world.user("juliet");
  });
  afterAll(() => world.dispose());

  /** Romeo on a managed stream with presence, which is its first stanza; Juliet, who writes to him. */
  async function play() {
    // Nobody's mail from an earlier test.
    const romeo = await world.login(`romeo${++plays}`, { resource: "orchard" });
    const id = await romeo.enables();
    await romeo.sends("<presence/>");
    await romeo.receives(`<presence from="${romeo.jid}"/>`, { extra: true });
    const juliet = await world.login("juliet", { presence: true });
    return { romeo, juliet, id };
  }

  async function authenticated(name = `romeo${plays}`): Promise<Actor> {
    const actor = await world.connect(name);
    await actor.authenticates();
    return actor;
  }

  const write = (from: Actor, to: string, n: number | string) =>
    from.sends(`<message to="${to}" type="chat" id="m${n}">${body(n)}</message>`);
  const reads = (reader: Actor, n: number | string) =>
    reader.receives(`<message type="chat" id="m${n}">${body(n)}</message>`, { extra: true });

  spec(XEP, "5", "what was sent while the client was away is there when it is back, once and in order", async () => {
    const { romeo, juliet, id } = await play();
    await write(juliet, romeo.jid, 1);
    await reads(romeo, 1);
    romeo.cut();
    for (let n = 2; n <= 30; n++) await write(juliet, n % 2 ? romeo.jid : romeo.bare, n);
    const back = await authenticated();
    expect(await back.resumes(id, 2)).toBe(1);
    for (let n = 2; n <= 30; n++) await reads(back, n);
    back.jid = romeo.jid;
    await back.receivesNothing();
    // It is the same session: its presence stands, its counters go on, and it can be written to.
    await write(juliet, romeo.bare, 31);
    await reads(back, 31);
    expect(await back.handled()).toBe(2);
    await back.acknowledges(2 + 30 + 1);
    await write(back, juliet.jid, 32);
    await juliet.receives(`<message from="${romeo.jid}">${body(32)}</message>`, { extra: true });
  });

  spec(XEP, "5", "what the client has had is not sent again, what it has not had is", async () => {
    const { romeo, juliet, id } = await play();
    for (let n = 1; n <= 5; n++) await write(juliet, romeo.jid, n);
    for (let n = 1; n <= 5; n++) await reads(romeo, n);
    romeo.cut();
    const back = await authenticated();
    await back.resumes(id, 1 + 3);
    await reads(back, 4);
    await reads(back, 5);
    back.jid = romeo.jid;
    await back.receivesNothing();
  });

  spec(XEP, "5", "a stream can be resumed again and again", async () => {
    const { romeo, juliet, id } = await play();
    let stream = romeo;
    for (let n = 1; n <= 4; n++) {
      stream.cut();
      await write(juliet, romeo.jid, n);
      stream = await authenticated();
      await stream.resumes(id, n);
      await reads(stream, n);
    }
    stream.jid = romeo.jid;
    await stream.receivesNothing();
  });

  spec(XEP, "5", "an old socket that is still open gets conflict", async () => {
    const { romeo, juliet, id } = await play();
    const back = await authenticated();
    await back.resumes(id, 1);
    await romeo.fails("conflict");
    await write(juliet, romeo.jid, 1);
    await reads(back, 1);
  });

  spec(XEP, "5", "nothing is lost or repeated when messages come in the middle of a resumption", async () => {
    const { romeo, juliet, id } = await play();
    const total = 150;
    const back = await authenticated();
    for (let n = 1; n <= total; n++) {
      juliet.socket.send(
        `<message xmlns="jabber:client" to="${romeo.jid}" type="chat" id="m${n}">${body(n)}</message>`,
      );
      if (n === 40) romeo.cut();
      if (n === 80) back.socket.send(`<resume xmlns="${SM}" previd="${id}" h="1"/>`);
    }
    await back.receives(`<resumed xmlns="${SM}" previd="${id}" h="1"/>`);
    for (let n = 1; n <= total; n++) await reads(back, n);
    back.jid = romeo.jid;
    await back.receivesNothing();
  });

  spec(XEP, "5", "others do not notice", async () => {
    const { romeo, id } = await play();
    const balcony = await world.login(romeo.name, { resource: "balcony", presence: true });
    await balcony.receives(`<presence from="${romeo.jid}"/>`, { extra: true });
    romeo.cut();
    const back = await authenticated();
    await back.resumes(id, 1);
    await balcony.receivesNothing();
    await back.receives(`<presence from="${balcony.jid}"/>`, { extra: true });
  });

  spec(XEP, "5", "a stream that was closed cannot be resumed", async () => {
    const { romeo, id } = await play();
    await romeo.sends(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
    await romeo.ended;
    const back = await authenticated();
    await back.sends(`<resume xmlns="${SM}" previd="${id}" h="1"/>`);
    await failed(back, "item-not-found");
  });

  spec(XEP, "5", "an unknown id is item-not-found, and a resource can still be bound", async () => {
    for (const previd of ["", "x", "local:0/abc", "nowhere:7/0123456789abcdef0123456789"]) {
      const actor = await authenticated("romeo");
      await actor.sends(`<resume xmlns="${SM}" previd="${previd}" h="0"/>`);
      await failed(actor, "item-not-found");
      await actor.receives(`<features xmlns="http://etherx.jabber.org/streams"/>`, { extra: true });
      await actor.binds();
    }
  });

  spec(XEP, "5", "somebody else's stream cannot be resumed, and goes on", async () => {
    const { romeo, juliet, id } = await play();
    const thief = await authenticated("juliet");
    await thief.sends(`<resume xmlns="${SM}" previd="${id}" h="0"/>`);
    await failed(thief, "item-not-found");
    await write(juliet, romeo.jid, 1);
    await reads(romeo, 1);
  });

  spec(XEP, "5", "before authentication and after binding <resume/> is an unexpected-request", async () => {
    const { romeo, juliet, id } = await play();
    const early = await world.connect(romeo.name);
    await early.opens();
    await early.sends(`<resume xmlns="${SM}" previd="${id}" h="1"/>`);
    await failed(early, "unexpected-request");
    const late = await world.login(romeo.name, { resource: "late" });
    await late.sends(`<resume xmlns="${SM}" previd="${id}" h="1"/>`);
    await failed(late, "unexpected-request");
    await write(juliet, romeo.jid, 1);
    await reads(romeo, 1);
  });

  spec(XEP, "5", "a stream that was enabled without resume cannot be resumed", async () => {
    const romeo = await world.login(`romeo${++plays}`, { resource: "orchard" });
    await romeo.sends(`<enable xmlns="${SM}"/>`);
    await romeo.receives(`<enabled xmlns="${SM}"/>`);
    romeo.cut();
    const back = await authenticated();
    await back.sends(`<resume xmlns="${SM}" previd="local:0/abc" h="0"/>`);
    await failed(back, "item-not-found");
  });

  spec(XEP, "4", "a resumption that acknowledges more than was sent ends the stream", async () => {
    const { romeo, id } = await play();
    romeo.cut();
    const back = await authenticated();
    await back.sends(`<resume xmlns="${SM}" previd="${id}" h="7"/>`);
    const error = await back.fails("undefined-condition");
    expect(error.getChild("handled-count-too-high", SM)?.attrs).toMatchObject({ h: "7", "send-count": "1" });
  });
});

spec(XEP, "5", "a stream and its queue outlive that all objects are forgotten", async () => {
  // An object is forgotten only once it has nothing to do, which takes some seconds while a client owes acknowledgements.
  const world = await World.start({ evict: false, settings: { GATE_SOCKETS: "1" } });
  try {
    const romeo = await world.login("romeo", { resource: "orchard" });
    const id = await romeo.enables();
    await romeo.sends("<presence/>");
    await romeo.next();
    const juliet = await world.login("juliet");
    // More than an attachment has room for.
    const long = "x".repeat(700);
    for (let n = 1; n <= 40; n++)
      await juliet.sends(`<message to="${romeo.jid}" type="chat" id="m${n}"><body>${n}${long}</body></message>`);
    for (let n = 1; n <= 40; n++) await romeo.next();
    await world.evict();
    await juliet.sends(`<message to="${romeo.jid}" type="chat" id="m41"><body>41${long}</body></message>`);
    await romeo.receives(`<message id="m41"/>`, { extra: true });
    expect(await romeo.handled()).toBe(1);
    await romeo.acknowledges(3);
    await romeo.handled();
    romeo.cut();
    await world.evict();
    const back = await world.connect("romeo");
    await back.authenticates();
    await back.resumes(id, 4);
    for (let n = 4; n <= 41; n++)
      await back.receives(`<message type="chat" id="m${n}"><body>${n}${long}</body></message>`, { extra: true });
    back.jid = romeo.jid;
    await back.receivesNothing();
  } finally {
    await world.dispose();
  }
});

spec(XEP, "5", "a waiting stream outlives the process", async () => {
  const world = await World.start(WARM);
  try {
    const romeo = await world.login("romeo", { resource: "orchard" });
    const id = await romeo.enables();
    await romeo.sends("<presence/>");
    await romeo.next();
    const other = await world.login("romeo", { resource: "balcony" });
    const juliet = await world.login("juliet");
    romeo.cut();
    await juliet.sends(`<message to="${romeo.jid}" type="chat" id="m1">${body(1)}</message>`);
    await juliet.receivesNothing();
    await other.receivesNothing();
    await world.restart();
    const back = await world.connect("romeo");
    await back.authenticates();
    await back.resumes(id, 1);
    await back.receives(`<message type="chat" id="m1">${body(1)}</message>`, { extra: true });
  } finally {
    await world.dispose();
  }
});

describe("a stream that nobody came back for", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ ...WARM, settings: { RESUME_SECONDS: "1" } });
    await world.user("romeo");
  });
  afterAll(() => world.dispose());

  spec(XEP, "4", "leaves its messages to the next one, with a delay; requests are answered by an error", async () => {
    const romeo = await world.login("romeo", { resource: "orchard" });
    const id = await romeo.enables();
    const juliet = await world.login("juliet", { presence: true });
    await romeo.sends("<presence/>");
    await romeo.next();
    await romeo.sends(`<presence to="${juliet.jid}"/>`);
    await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"/>`);
    for (let n = 1; n <= 3; n++)
      await juliet.sends(`<message to="${romeo.jid}" type="chat" id="m${n}">${body(n)}</message>`);
    for (let n = 1; n <= 3; n++) await romeo.receives(`<message type="chat">${body(n)}</message>`, { extra: true });
    await romeo.acknowledges(2);
    await romeo.handled();
    romeo.cut();
    await juliet.sends(`<iq type="get" id="q" to="${romeo.jid}"><q xmlns="urn:example:q"/></iq>`);
    await juliet.receivesAll(
      [
        `<presence type="unavailable" from="${romeo.jid}" to="${juliet.jid}"/>`,
        `<iq type="error" id="q" from="${romeo.jid}" to="${juliet.jid}"><error><recipient-unavailable xmlns="${STANZAS}"/></error></iq>`,
      ],
      { extra: true },
    );
    const next = await world.connect("romeo");
    await next.authenticates();
    await next.sends(`<resume xmlns="${SM}" previd="${id}" h="2"/>`);
    await failed(next, "item-not-found");
    await next.next();
    await next.binds("balcony");
    await next.sends("<presence/>");
    await next.receives(`<presence from="${next.jid}"/>`, { extra: true });
    for (let n = 2; n <= 3; n++)
      await next.receives(`<message type="chat">${body(n)}<delay xmlns="urn:xmpp:delay" stamp="*"/></message>`, {
        extra: true,
      });
    await next.receivesNothing();
  });

  spec(XEP, "4", "leaves its messages to a resource that is there", async () => {
    const romeo = await world.login("balthasar", { resource: "orchard" });
    await romeo.enables();
    await romeo.sends("<presence/>");
    await romeo.next();
    const juliet = await world.login("juliet");
    const other = await world.login("balthasar", { resource: "window", presence: true });
    await other.receives(`<presence from="${romeo.jid}"/>`, { extra: true });
    await romeo.receives(`<presence from="${other.jid}"/>`, { extra: true });
    romeo.cut();
    await juliet.sends(`<message to="${romeo.jid}" type="chat" id="m4">${body(4)}</message>`);
    await other.receives(`<presence type="unavailable" from="${romeo.jid}"/>`, { extra: true });
    await other.receives(`<message type="chat">${body(4)}</message>`, { extra: true });
    await other.receivesNothing();
  });
});

spec(XEP, "4", "a client that owes acknowledgements gets the rest of its messages when it has given them", async () => {
  const world = await World.start(WARM);
  try {
    const romeo = await world.login("romeo", { resource: "orchard" });
    await romeo.enables();
    await romeo.sends("<presence/>");
    await romeo.next();
    const juliet = await world.login("juliet");
    const total = 700;
    for (let n = 1; n <= total; n++)
      juliet.socket.send(
        `<message xmlns="jabber:client" to="romeo@capulet.example" type="chat" id="m${n}">${body(n)}</message>`,
      );
    // What nobody stores does not wait with the rest; it comes by the same way, behind what came of them.
    await juliet.sends(`<message to="romeo@capulet.example" type="headline" id="end">${body(0)}</message>`);
    const seen: number[] = [];
    const others = 2;
    for (let got = await romeo.next(); got.attrs.id !== "end"; got = await romeo.next())
      seen.push(Number(got.getChildText("body")));
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.length).toBeLessThan(total);
    await romeo.acknowledges(others + seen.length);
    while (seen.length < total) {
      seen.push(Number((await romeo.next()).getChildText("body")));
      await romeo.acknowledges(others + seen.length);
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
  } finally {
    await world.dispose();
  }
});

spec(XEP, "4", "a client that acknowledges nothing of what nobody keeps is cut off", async () => {
  const world = await World.start(WARM);
  try {
    const romeo = await world.login("romeo", { resource: "orchard" });
    await romeo.enables();
    await romeo.sends("<presence/>");
    const juliet = await world.login("juliet");
    for (let n = 1; n <= 1010; n++)
      juliet.socket.send(
        `<message xmlns="jabber:client" to="romeo@capulet.example" type="headline">${body(n)}</message>`,
      );
    await juliet.receivesNothing();
    let last = await romeo.next();
    while (last.name !== "error") last = await romeo.next();
    expect(last.getChild("resource-constraint", "urn:ietf:params:xml:ns:xmpp-streams")).toBeDefined();
  } finally {
    await world.dispose();
  }
});
