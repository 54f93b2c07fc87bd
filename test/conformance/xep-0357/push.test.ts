/** XEP-0357: Push Notifications — https://xmpp.org/extensions/xep-0357.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0357";
const NS = "urn:xmpp:push:0";
let world: World;
let romeo: Actor;
let users = 0;
beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo", { resource: "orchard" });
});
afterAll(() => world.dispose());

/** A phone whose app has a push service: a client of somebody's, since a service is whoever answers. */
async function phone({ options = "", managed = false } = {}): Promise<{ juliet: Actor; app: Actor }> {
  const juliet = await world.login(`juliet${++users}`, { resource: "phone" });
  const app = await world.login(`app${users}`, { resource: "service" });
  if (managed) await juliet.enables();
  await juliet.sends("<presence/>");
  await juliet.receives(`<presence from="${juliet.jid}"/>`, { extra: true });
  // §8.5.3.1 of RFC 6121: only who has shown its presence is asked anything.
  await app.sends(`<presence to="${juliet.bare}"/>`);
  await juliet.receives(`<presence from="${app.jid}" to="${juliet.bare}"/>`);
  const enable = `<enable xmlns="${NS}" jid="${app.jid}" node="device-1">${options}</enable>`;
  expect((await juliet.asks("set", enable)).attrs.type).toBe("result");
  return { juliet, app };
}

/** The notification that a service gets. */
const notified = (app: Actor, juliet: Actor, count: number, more = "") =>
  app.receives(`<iq type="set" id="*" from="${juliet.bare}" to="${app.jid}">
    <pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="device-1"><item>
      <notification xmlns="${NS}"><x xmlns="jabber:x:data" type="result">
        <field var="FORM_TYPE" type="hidden"><value>urn:xmpp:push:summary</value></field>
        <field var="message-count"><value>${count}</value></field>
      </x></notification>
    </item></publish>${more}</pubsub></iq>`);

const says = (juliet: Actor, body: string) =>
  romeo.sends(`<message to="${juliet.bare}" type="chat"><body>${body}</body></message>`);

const result = (app: Actor, { attrs }: { attrs: Record<string, unknown> }) =>
  app.sends(`<iq type="result" id="${attrs.id}" to="${attrs.from}"/>`);

spec(XEP, "4.1", "the account says that it can push", async () => {
  const juliet = await world.login("juliet");
  const info = await juliet.asks("get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, juliet.bare);
  const features = info.getChild("query")?.getChildren("feature") ?? [];
  expect(features.map(({ attrs }) => attrs.var)).toContain(NS);
});

spec(XEP, "7", "a message for a client that has logged out is told to its service, without its words", async () => {
  const { juliet, app } = await phone();
  await juliet.closes();
  await says(juliet, "Wherefore?");
  const iq = await notified(app, juliet, 1);
  await result(app, iq);
  await says(juliet, "Art thou there?");
  await notified(app, juliet, 1);
});

spec(XEP, "7", "a message for a client whose stream waits for it is told", async () => {
  const { juliet, app } = await phone({ managed: true });
  juliet.cut();
  await juliet.ended;
  await says(juliet, "Wherefore?");
  await notified(app, juliet, 1);
});

spec(XEP, "7", "a client that is lost with messages it had not acknowledged is told", async () => {
  const { juliet, app } = await phone({ managed: true });
  await says(juliet, "one");
  await juliet.receives(`<message from="${romeo.jid}" type="chat"><body>one</body></message>`, { extra: true });
  await app.receivesNothing();
  juliet.cut();
  await notified(app, juliet, 1);
});

// What an object has forgotten it may tell once more.
spec.warm(XEP, "7", "what comes while a notification is unanswered is counted into the next", async () => {
  const { juliet, app } = await phone();
  await juliet.closes();
  await says(juliet, "one");
  const iq = await notified(app, juliet, 1);
  await says(juliet, "two");
  await says(juliet, "three");
  await app.receivesNothing({ from: romeo });
  await result(app, iq);
  await notified(app, juliet, 2);
});

spec(XEP, "7", "receipts and chat states wake nobody", async () => {
  const { juliet, app } = await phone();
  await juliet.closes();
  await romeo.sends(
    `<message to="${juliet.bare}" type="chat" id="r"><received xmlns="urn:xmpp:receipts" id="x"/></message>`,
  );
  await says(juliet, "This does.");
  await notified(app, juliet, 1);
});

spec(XEP, "5", "the options of the app go with each notification", async () => {
  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const type = "http://jabber.org/protocol/pubsub#publish-options";
  const form = `<x xmlns="jabber:x:data" type="submit">${field("FORM_TYPE", type)}${field("secret", "eruio234")}</x>`;
  const { juliet, app } = await phone({ options: form });
  await juliet.closes();
  await says(juliet, "Wherefore?");
  await notified(app, juliet, 1, `<publish-options>${form}</publish-options>`);
});

spec(XEP, "5", "asked for twice it is told once", async () => {
  const { juliet, app } = await phone();
  await juliet.asks("set", `<enable xmlns="${NS}" jid="${app.jid}" node="device-1"/>`);
  await juliet.closes();
  await says(juliet, "Wherefore?");
  await notified(app, juliet, 1);
  await app.receivesNothing();
});

spec(XEP, "5", "a request without a service is refused", async () => {
  const { juliet } = await phone();
  const answer = await juliet.asks("set", `<enable xmlns="${NS}" node="device-1"/>`);
  expect(answer.getChild("error")?.getChild("bad-request")).toBeDefined();
});

spec(XEP, "6", "who disables a service is not pushed any more", async () => {
  const { juliet, app } = await phone();
  expect((await juliet.asks("set", `<disable xmlns="${NS}" jid="${app.jid}"/>`)).attrs.type).toBe("result");
  await juliet.closes();
  await says(juliet, "Wherefore?");
  await app.receivesNothing({ from: romeo });
});

spec(XEP, "7.1", "a service that refuses is not told again", async () => {
  const { juliet, app } = await phone();
  await juliet.closes();
  await says(juliet, "one");
  const { attrs } = await notified(app, juliet, 1);
  const gone = `<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
  await app.sends(`<iq type="error" id="${attrs.id}" to="${juliet.bare}">${gone}</iq>`);
  await app.receivesNothing();
  await says(juliet, "two");
  await app.receivesNothing({ from: romeo });
});
