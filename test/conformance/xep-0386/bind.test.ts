/** XEP-0386: Bind 2 — https://xmpp.org/extensions/xep-0386.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";
import { BIND2, SASL2, succeeds } from "../../support/sasl2.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const SM = "urn:xmpp:sm:3";
const XEP = "XEP-0386";
let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
  await world.user("juliet");
});
afterAll(() => world.dispose());

/** Logs in with these inline elements. @returns the actor behind its features, and its success */
async function enter(inline: string, client?: string, name = "romeo"): Promise<[Actor, Element]> {
  const actor = await world.connect(name);
  await actor.opens();
  const success = await succeeds(actor, { inline, ...(client && { client }) });
  if (!success.getChild("resumed", SM))
    await actor.receives(`<features xmlns="http://etherx.jabber.org/streams"/>`, { extra: true });
  return [actor, success];
}

spec(XEP, "2.1", "says what can be enabled with it", async () => {
  const actor = await world.connect();
  const features = await actor.opens();
  const bind = features.getChild("authentication", SASL2)?.getChild("inline")?.getChild("bind", BIND2);
  expect(
    bind
      ?.getChild("inline")
      ?.getChildElements()
      .map((el) => el.attrs.var),
  ).toEqual(["urn:xmpp:carbons:2", "urn:xmpp:csi:0", SM]);
});

spec(XEP, "2.2", "a resource is bound before success", async () => {
  const [actor, success] = await enter(`<bind xmlns="${BIND2}"/>`);
  expect(actor.jid).toMatch(/^romeo@capulet\.example\/\S{20,}$/);
  expect(success.getChild("bound", BIND2)).toBeDefined();
  await actor.receivesNothing();
});

spec(XEP, "2.2.1", "the tag begins the resource", async () => {
  const [actor] = await enter(`<bind xmlns="${BIND2}"><tag>AwesomeXMPP</tag></bind>`);
  expect(actor.jid).toMatch(/^romeo@capulet\.example\/AwesomeXMPP\/\S{20,}$/);
});

spec(XEP, "2.2", "a newer session of the same client ends the older, of whatever resource", async () => {
  const client = "5c5ee8ac-9b9d-4d5f-b92a-5d8a0c7d0e01";
  const [older] = await enter(`<bind xmlns="${BIND2}"><tag>a</tag></bind>`, client);
  const [other] = await enter(`<bind xmlns="${BIND2}"/>`, "5c5ee8ac-9b9d-4d5f-b92a-5d8a0c7d0e02");
  const [newer] = await enter(`<bind xmlns="${BIND2}"><tag>b</tag></bind>`, client);
  await older.fails("conflict");
  await newer.receivesNothing();
  await other.receivesNothing();
});

spec(XEP, "2.2.1", "the client's id is not in its resource", async () => {
  const client = "5c5ee8ac-9b9d-4d5f-b92a-5d8a0c7d0e03";
  const [actor] = await enter(`<bind xmlns="${BIND2}"/>`, client);
  expect(actor.jid).not.toContain(client);
});

spec(XEP, "2.2", "stream management is enabled with it", async () => {
  const [actor, success] = await enter(`<bind xmlns="${BIND2}"><enable xmlns="${SM}" resume="true"/></bind>`);
  const enabled = success.getChild("bound", BIND2)?.getChild("enabled", SM);
  expect(enabled?.attrs).toMatchObject({ resume: "true" });
  expect(enabled?.attrs.id).toBeTruthy();
  expect(await actor.handled()).toBe(0);
});

spec(XEP, "2.2", "carbons are enabled with it", async () => {
  const [actor] = await enter(
    `<bind xmlns="${BIND2}"><enable xmlns="urn:xmpp:carbons:2"/></bind>`,
    undefined,
    "juliet",
  );
  await actor.sends("<presence/>");
  await actor.receives(`<presence from="${actor.jid}"/>`, { extra: true });
  const phone = await world.login("juliet", { resource: "phone" });
  await phone.sends(`<message to="romeo@capulet.example" type="chat"><body>1</body></message>`);
  await actor.receives(`<message from="juliet@capulet.example"><sent xmlns="urn:xmpp:carbons:2"/></message>`, {
    extra: true,
  });
  await phone.closes();
  await actor.closes();
});

spec(XEP, "2.2", "a session can begin inactive", async () => {
  const [actor] = await enter(`<bind xmlns="${BIND2}"><inactive xmlns="urn:xmpp:csi:0"/></bind>`, undefined, "juliet");
  await actor.sends("<presence/>");
  const phone = await world.login("juliet", { resource: "phone", presence: true });
  await actor.sends(`<message to="${phone.jid}" type="headline"/>`);
  // Behind the presences, if those were not held.
  await phone.receivesAll([`<presence from="${actor.jid}"/>`, `<message from="${actor.jid}"/>`], { extra: true });
  await actor.sends(`<active xmlns="urn:xmpp:csi:0"/>`);
  await actor.receives(`<presence from="${actor.jid}"/>`, { extra: true });
  await actor.receives(`<presence from="${phone.jid}"/>`, { extra: true });
});

spec(XEP, "2.2", "a stream that is resumed needs no binding", async () => {
  const bind = `<bind xmlns="${BIND2}"><enable xmlns="${SM}" resume="true"/></bind>`;
  const [first, success] = await enter(bind, undefined, "romeo");
  const id = success.getChild("bound", BIND2)?.getChild("enabled", SM)?.attrs.id;
  await first.sends(`<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await first.next();
  first.cut();
  const [second, again] = await enter(`<resume xmlns="${SM}" previd="${id}" h="0"/>${bind}`);
  expect(again.getChild("resumed", SM)?.attrs).toMatchObject({ previd: id, h: "1" });
  expect(again.getChild("bound", BIND2)).toBeUndefined();
  expect(second.jid).toBe(first.jid);
  // What was not acknowledged comes again, behind success.
  await second.receives(`<iq type="result" id="1"/>`, { extra: true });
  await second.receivesNothing();
});

spec(XEP, "2.2", "a resumption that fails says so, and the resource is bound", async () => {
  const [actor, success] = await enter(
    `<resume xmlns="${SM}" previd="enam:0/nothing" h="0"/><bind xmlns="${BIND2}"><enable xmlns="${SM}" resume="true"/></bind>`,
  );
  expect(success.getChild("failed", SM)?.getChild("item-not-found")).toBeDefined();
  expect(success.getChild("bound", BIND2)?.getChild("enabled", SM)).toBeDefined();
  await actor.receivesNothing();
});
