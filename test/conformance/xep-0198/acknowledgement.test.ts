/** XEP-0198: Stream Management, §3 and §4 — https://xmpp.org/extensions/xep-0198.html */
import { afterAll, beforeAll, expect } from "vitest";
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
let world: World;
beforeAll(async () => {
  world = await World.start(WARM);
  await world.user("romeo");
});
afterAll(() => world.dispose());

const failed = (actor: Actor, condition: string) =>
  actor.receives(`<failed xmlns="${SM}"><${condition} xmlns="${STANZAS}"/></failed>`);

/** A bound stream under management, and another client with presence that messages may go to. */
async function pair(): Promise<[romeo: Actor, juliet: Actor]> {
  const romeo = await world.login("romeo", { resource: "orchard" });
  await romeo.enables();
  return [romeo, await world.login("juliet", { presence: true })];
}

spec(XEP, "3", "is offered where it can be enabled or resumed, and not once it is", async () => {
  const actor = await world.connect("romeo");
  const before = await actor.opens();
  expect(before.getChild("sm", SM)).toBeUndefined();
  const after = await world.login("romeo");
  expect(after.features?.getChild("sm", SM)).toBeDefined();
});

spec(XEP, "3", "a stream that shall not be resumed gets no id", async () => {
  const romeo = await world.login("romeo");
  await romeo.sends(`<enable xmlns="${SM}"/>`);
  await romeo.receives(`<enabled xmlns="${SM}"/>`);
});

for (const [word, resumable] of [
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
  ["yes", false],
] as const) {
  spec(XEP, "3", `resume="${word}" is ${resumable ? "" : "not "}granted`, async () => {
    const romeo = await world.login("romeo");
    await romeo.sends(`<enable xmlns="${SM}" resume="${word}"/>`);
    const enabled = await romeo.receives(`<enabled xmlns="${SM}"/>`, { extra: true });
    expect(enabled.attrs.resume).toBe(resumable ? "true" : undefined);
    expect(enabled.attrs.id === undefined).toBe(!resumable);
  });
}

spec(XEP, "3", "ids are never the same", async () => {
  const [one, other] = [await world.login("romeo", { resource: "a" }), await world.login("romeo", { resource: "b" })];
  expect(await one.enables()).not.toBe(await other.enables());
});

spec(XEP, "3", "before authentication and before binding <enable/> is an unexpected-request", async () => {
  const actor = await world.connect("romeo");
  await actor.opens();
  await actor.sends(`<enable xmlns="${SM}" resume="true"/>`);
  await failed(actor, "unexpected-request");
  const other = await world.connect("romeo");
  await other.authenticates();
  await other.sends(`<enable xmlns="${SM}" resume="true"/>`);
  await failed(other, "unexpected-request");
  await other.binds();
  await other.enables();
});

spec(XEP, "3", "a second <enable/> is an unexpected-request", async () => {
  const [romeo] = await pair();
  await romeo.sends(`<enable xmlns="${SM}"/>`);
  await failed(romeo, "unexpected-request");
});

spec(XEP, "4", "without <enable/> there is nothing to acknowledge", async () => {
  const romeo = await world.login("romeo");
  await romeo.sends(`<r xmlns="${SM}"/>`);
  await failed(romeo, "unexpected-request");
});

spec(XEP, "4", "h counts every stanza of the client, and nothing else", async () => {
  const [romeo, juliet] = await pair();
  expect(await romeo.handled()).toBe(0);
  await romeo.sends(`<message to="${juliet.jid}" type="chat"><body>1</body></message>`);
  await juliet.next();
  expect(await romeo.handled()).toBe(1);
  await romeo.sends(`<presence to="${juliet.jid}"/>`);
  await romeo.sends(`<inactive xmlns="urn:xmpp:csi:0"/>`);
  await romeo.sends(`<active xmlns="urn:xmpp:csi:0"/>`);
  expect(await romeo.handled()).toBe(2);
  await romeo.asks("get", `<ping xmlns="urn:xmpp:ping"/>`);
  await romeo.asks("get", `<query xmlns="jabber:iq:roster"/>`);
  await romeo.asks("get", `<query xmlns="urn:example:unknown"/>`);
  expect(await romeo.handled()).toBe(5);
});

spec(XEP, "4", "a stanza that was refused was handled, too", async () => {
  const [romeo] = await pair();
  await romeo.sends(`<message to="@@"><body>1</body></message>`);
  await romeo.next();
  await romeo.sends(`<iq type="get" id="1"/>`);
  await romeo.next();
  await romeo.sends(`<message to="nobody@capulet.example"><body>1</body></message>`);
  await romeo.next();
  await romeo.sends(`<iq type="result" id="unasked"/>`);
  expect(await romeo.handled()).toBe(4);
});

spec(XEP, "4", "what came before enabling is not counted", async () => {
  const romeo = await world.login("romeo");
  await romeo.asks("get", `<ping xmlns="urn:xmpp:ping"/>`);
  await romeo.enables();
  expect(await romeo.handled()).toBe(0);
});

spec(XEP, "4", "an <r/> right behind many stanzas is answered when all of them are handled", async () => {
  const [romeo, juliet] = await pair();
  for (let i = 1; i <= 120; i++)
    romeo.socket.send(`<message xmlns="jabber:client" to="${juliet.jid}" type="chat"><body>${i}</body></message>`);
  expect(await romeo.handled()).toBe(120);
  for (let i = 1; i <= 120; i++) expect((await juliet.next()).getChildText("body")).toBe(String(i));
});

spec(XEP, "4", "the server asks for acknowledgements of what it has sent", async () => {
  const [romeo, juliet] = await pair();
  await juliet.sends(`<message to="${romeo.jid}" type="headline"><body>1</body></message>`);
  await romeo.next();
  await romeo.isAsked();
  await romeo.acknowledges(1);
  await romeo.receivesNothing();
});

spec(XEP, "4", "an acknowledgement of more than was sent ends the stream", async () => {
  const [romeo, juliet] = await pair();
  await juliet.sends(`<message to="${romeo.jid}" type="headline"><body>1</body></message>`);
  await romeo.next();
  await romeo.acknowledges(3);
  const error = await romeo.fails("undefined-condition");
  expect(error.getChild("handled-count-too-high", SM)?.attrs).toMatchObject({ h: "3", "send-count": "1" });
});

for (const h of ["", "-1", "1.5", "4294967296", "x"]) {
  spec(XEP, "4", `an acknowledgement with h="${h}" ends the stream`, async () => {
    const [romeo] = await pair();
    await romeo.sends(`<a xmlns="${SM}" h="${h}"/>`);
    await romeo.fails("bad-format");
  });
}

spec(XEP, "4", "an acknowledgement without h ends the stream", async () => {
  const [romeo] = await pair();
  await romeo.sends(`<a xmlns="${SM}"/>`);
  await romeo.fails("bad-format");
});

spec(XEP, "4", "before the stream is closed, the server acknowledges what it has handled", async () => {
  const [romeo, juliet] = await pair();
  for (let i = 0; i < 5; i++)
    romeo.socket.send(`<message xmlns="jabber:client" to="${juliet.jid}" type="headline"><body>${i}</body></message>`);
  await romeo.sends(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
  await romeo.receives(`<a xmlns="${SM}" h="5"/>`);
  await romeo.receives(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
  await romeo.ended;
  for (let i = 0; i < 5; i++) await juliet.next();
});
