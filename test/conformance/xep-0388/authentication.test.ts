/** XEP-0388: Extensible SASL Profile — https://xmpp.org/extensions/xep-0388.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { authenticate, BIND2, base64, failsToAuthenticate, plain, SASL2, succeeds } from "../../support/sasl2.ts";
import { scramClient } from "../../support/scram.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0388";
let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
});
afterAll(() => world.dispose());

async function opened(): Promise<Actor> {
  const actor = await world.connect("romeo");
  await actor.opens();
  return actor;
}

spec(XEP, "2.1", "is offered beside SASL 1, with the same mechanisms and what may ride along", async () => {
  const { features } = await opened();
  const authentication = features?.getChild("authentication", SASL2);
  const names = authentication?.getChildren("mechanism").map((el) => el.getText());
  expect(names).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
  const inline = authentication?.getChild("inline")?.getChildElements();
  expect(inline?.map((el) => el.attrs.xmlns)).toEqual([BIND2, "urn:xmpp:sm:3", "urn:xmpp:fast:0"]);
});

for (const mechanism of ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
  spec(XEP, "2.6.1", `${mechanism} succeeds with the server's proof as additional data`, async () => {
    const actor = await opened();
    const scram = scramClient(mechanism, "romeo", "romeo's secret");
    await authenticate(actor, { mechanism, initial: base64(scram.first) });
    const challenge = await actor.receives(`<challenge xmlns="${SASL2}">*</challenge>`);
    const final = scram.final(Buffer.from(challenge.getText(), "base64").toString());
    await actor.sends(`<response xmlns="${SASL2}">${base64(final)}</response>`);
    const success = await actor.receives(
      `<success xmlns="${SASL2}"><additional-data>*</additional-data><authorization-identifier>romeo@capulet.example</authorization-identifier></success>`,
    );
    scram.verify(Buffer.from(success.getChildText("additional-data") ?? "", "base64").toString());
  });
}

spec(XEP, "2.6.1", "the features of the session follow success, and no header is sent again", async () => {
  const actor = await opened();
  await succeeds(actor, {});
  const features = await actor.receives(`<features xmlns="http://etherx.jabber.org/streams"/>`, { extra: true });
  expect(features.getChild("bind", "urn:ietf:params:xml:ns:xmpp-bind")).toBeDefined();
  expect(features.getChild("authentication", SASL2)).toBeUndefined();
  await actor.binds("orchard");
  await actor.receivesNothing();
});

spec(XEP, "2.6.2", "a failure leaves room for another try", async () => {
  const actor = await opened();
  await failsToAuthenticate(actor, { initial: plain("romeo", "wrong") }, "not-authorized");
  await succeeds(actor, {});
});

for (const [condition, attempt] of [
  ["invalid-mechanism", { mechanism: "EXTERNAL" }],
  ["invalid-mechanism", { mechanism: "ANONYMOUS" }],
  ["malformed-request", { initial: base64("romeo") }],
  ["incorrect-encoding", { initial: "!!" }],
  ["invalid-authzid", { initial: base64("juliet@capulet.example\0romeo\0romeo's secret") }],
] as const) {
  spec(XEP, "2.6.2", `${JSON.stringify(attempt)} is ${condition}`, async () => {
    await failsToAuthenticate(await opened(), attempt, condition);
  });
}

spec(XEP, "2.6.2", "what rides in a request that fails is not done", async () => {
  const first = await opened();
  const inline = `<bind xmlns="${BIND2}"/>`;
  const client = "d4565fa7-4d72-4749-b3d3-740edbf87770";
  await succeeds(first, { client, inline });
  await first.next();
  const second = await opened();
  await failsToAuthenticate(second, { client, inline, initial: plain("romeo", "wrong") }, "not-authorized");
  await first.receivesNothing();
});

spec(XEP, "2.5", "an <abort/> is answered by aborted", async () => {
  const actor = await opened();
  await authenticate(actor, { mechanism: "SCRAM-SHA-256", initial: base64("n,,n=romeo,r=abcdefgh") });
  await actor.receives(`<challenge xmlns="${SASL2}">*</challenge>`);
  await actor.sends(`<abort xmlns="${SASL2}"/>`);
  await actor.receives(`<failure xmlns="${SASL2}"><aborted xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>`, {
    extra: true,
  });
});

spec(XEP, "2.2", "frames that come while a login is judged wait for it", async () => {
  const actor = await opened();
  await authenticate(actor, { inline: `<bind xmlns="${BIND2}"/>` });
  actor.socket.send(`<iq xmlns="jabber:client" type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await actor.receives(`<success xmlns="${SASL2}"/>`, { extra: true });
  await actor.receives(`<features xmlns="http://etherx.jabber.org/streams"/>`, { extra: true });
  await actor.receives(`<iq type="result" id="1"/>`, { extra: true });
});

spec(XEP, "2.2", "a guest needs no name", async () => {
  const actor = await world.connect("guest");
  await actor.opens(world.settings.guestDomain);
  await succeeds(actor, { mechanism: "ANONYMOUS", initial: "", inline: `<bind xmlns="${BIND2}"/>` });
  expect(actor.jid).toMatch(/^[^@]+@guest\.capulet\.example\/.+$/);
});
