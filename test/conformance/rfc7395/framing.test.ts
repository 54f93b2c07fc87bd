/** RFC 7395: An XMPP Subprotocol for WebSocket — https://www.rfc-editor.org/rfc/rfc7395 */
import { afterAll, beforeAll, expect } from "vitest";
import WebSocket from "ws";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const RFC = "RFC 7395";
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const header = (actor: Actor) =>
  actor.receives(`<open xmlns="${FRAMING}" from="capulet.example" id="*" version="1.0" xml:lang="en"/>`);

spec(RFC, "3.1", "the subprotocol is xmpp, and without it there is no stream", async () => {
  const actor = await world.connect();
  expect(actor.socket.protocol).toBe("xmpp");
  const bare = new WebSocket(world.websocket);
  const status = await new Promise((settle) => {
    bare.on("unexpected-response", (_, response) => settle(response.statusCode));
    bare.on("error", settle);
  });
  expect(status).toBe(400);
});

spec(RFC, "3.2", "a binary frame closes the connection with 1003", async () => {
  const actor = await world.connect();
  await actor.opens();
  actor.socket.send(Buffer.from("<presence/>"), { binary: true });
  expect((await actor.ended).code).toBe(1003);
});

spec(RFC, "3.3", "two elements in one frame are not well-formed, and neither is processed", async () => {
  const [romeo, juliet] = [await world.login("romeo"), await world.login("juliet", { presence: true })];
  const message = `<message xmlns="jabber:client" to="${juliet.jid}" type="chat"><body>smuggled</body></message>`;
  await romeo.sendsRaw(message + message);
  await romeo.fails("not-well-formed");
  await juliet.receivesNothing();
});

spec(RFC, "3.3.3", "half an element in a frame is not well-formed", async () => {
  const actor = await world.connect();
  await actor.opens();
  await actor.sendsRaw(`<iq xmlns="jabber:client" type="get" id="1">`);
  await actor.fails("not-well-formed");
});

spec(RFC, "3.3.3", "a frame of white space is no element", async () => {
  const actor = await world.connect();
  await actor.opens();
  await actor.sendsRaw(" ");
  await actor.fails("not-well-formed");
});

spec(RFC, "3.4", "an <open/> is answered by an <open/> with an id of its own, then features", async () => {
  const [one, other] = [await world.connect(), await world.connect()];
  const ids = [];
  for (const actor of [one, other]) {
    await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example" version="1.0"/>`);
    ids.push((await header(actor)).attrs.id);
    await actor.receives(`<features xmlns="http://etherx.jabber.org/streams"/>`, { extra: true });
  }
  expect(ids[0]).not.toBe(ids[1]);
});

spec(RFC, "3.4", "an <open/> may come behind an XML declaration", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<?xml version="1.0"?><open xmlns="${FRAMING}" to="capulet.example" version="1.0"/>`);
  await header(actor);
});

spec(RFC, "3.4", "what is no <open/> is answered by a header and then an error", async () => {
  const actor = await world.connect();
  await actor.sends(`<message to="juliet@capulet.example"/>`);
  await header(actor);
  await actor.fails("not-authorized");
});

spec(RFC, "3.4", "the header of RFC 6120 is answered by a header and then an error", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(
    `<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" to="capulet.example" version="1.0"/>`,
  );
  await header(actor);
  await actor.fails("not-authorized");
});

spec(RFC, "3.4", "an <open/> in a foreign namespace opens nothing", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<open xmlns="urn:example:framing" to="capulet.example" version="1.0"/>`);
  await header(actor);
  await actor.fails("not-authorized");
});

for (const to of ["elsewhere.example", "", "juliet@capulet.example", "@@"]) {
  spec(RFC, "3.5", `a stream to "${to}" gets a header and host-unknown`, async () => {
    const actor = await world.connect();
    await actor.sendsRaw(`<open xmlns="${FRAMING}" to="${to}" version="1.0"/>`);
    await header(actor);
    await actor.fails("host-unknown");
  });
}

spec(RFC, "3.5", "a stream without a version gets a header and unsupported-version", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example"/>`);
  await header(actor);
  await actor.fails("unsupported-version");
});

spec(RFC, "3.5", "XML that is not well-formed is answered by a header and then an error", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to='capulet.example" version="1.0"/>`);
  await header(actor);
  await actor.fails("not-well-formed");
});

spec(RFC, "3.6", "a <close/> is answered by a <close/> and the closing handshake", async () => {
  const actor = await world.login("romeo");
  expect(await actor.closes()).toEqual({ code: 1000, reason: "" });
});

spec(RFC, "3.6", "a <close/> before anything else is answered, too", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<close xmlns="${FRAMING}"/>`);
  await actor.receives(`<close xmlns="${FRAMING}"/>`);
  expect((await actor.ended).code).toBe(1000);
});

spec(RFC, "3.6", "what comes behind a <close/> is ignored", async () => {
  const [romeo, juliet] = [await world.login("romeo"), await world.login("juliet", { presence: true })];
  await romeo.sendsRaw(`<close xmlns="${FRAMING}"/>`);
  romeo.socket.send(`<message xmlns="jabber:client" to="${juliet.jid}" type="chat"><body>late</body></message>`);
  await romeo.receives(`<close xmlns="${FRAMING}"/>`);
  await romeo.ended;
  await juliet.receivesNothing();
});

spec(RFC, "3.6.1", "a <close/> ends the session at once: the user is unavailable", async () => {
  const phone = await world.login("romeo", { resource: "phone", presence: true });
  const laptop = await world.login("romeo", { resource: "laptop", presence: true });
  await laptop.receives(`<presence from="${phone.jid}" to="${laptop.bare}"/>`, { extra: true });
  await phone.receives(`<presence from="${laptop.jid}" to="${phone.bare}"/>`, { extra: true });
  await phone.closes();
  await laptop.receives(`<presence type="unavailable" from="${phone.jid}" to="*"/>`);
});

spec(RFC, "3.6.1", "a socket that is gone without a <close/> ends the session of an unmanaged stream", async () => {
  const phone = await world.login("romeo", { resource: "phone", presence: true });
  const laptop = await world.login("romeo", { resource: "laptop", presence: true });
  await laptop.receives(`<presence from="${phone.jid}" to="${laptop.bare}"/>`, { extra: true });
  phone.socket.close(1000);
  await laptop.receives(`<presence type="unavailable" from="${phone.jid}" to="*"/>`);
});

spec(RFC, "3.7", "after SASL the stream is opened again on the same socket, with other features", async () => {
  const actor = await world.connect("romeo");
  await world.user("romeo");
  await actor.login();
  const offered = actor.features?.getChildElements().map((el) => el.attrs.xmlns);
  expect(offered).toContain("urn:ietf:params:xml:ns:xmpp-bind");
  expect(offered).not.toContain("urn:ietf:params:xml:ns:xmpp-sasl");
  expect(offered).not.toContain("urn:xmpp:sasl:2");
});

spec(RFC, "3.7", "a stream that is not authenticated does not start over", async () => {
  const actor = await world.connect();
  await actor.opens();
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example" version="1.0"/>`);
  await actor.fails("not-authorized");
});

spec(RFC, "3.7", "a stream that is bound does not start over", async () => {
  const actor = await world.login("romeo");
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example" version="1.0"/>`);
  await actor.fails("not-authorized");
});

spec(RFC, "3.9", "there is no STARTTLS inside a WebSocket", async () => {
  const actor = await world.connect();
  const features = await actor.opens();
  expect(features.getChild("starttls")).toBeUndefined();
  await actor.sendsRaw(`<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>`);
  await actor.fails("not-authorized");
});
