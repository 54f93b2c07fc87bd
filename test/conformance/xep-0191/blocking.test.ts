/** XEP-0191: Blocking Command — https://xmpp.org/extensions/xep-0191.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0191";
const NS = "urn:xmpp:blocking";
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const item = (jid: string) => `<item jid="${jid}"/>`;

spec(XEP, "3.2", "an empty list is an empty element", async () => {
  const juliet = await world.login("empty");
  const list = (await juliet.asks("get", `<blocklist xmlns="${NS}"/>`)).getChild("blocklist", NS);
  expect(list?.getChildElements()).toEqual([]);
});

spec(XEP, "3.3", "whoever asked for the list gets each change of it", async () => {
  const [one, other] = [await world.login("juliet"), await world.login("juliet", { resource: "chamber" })];
  for (const actor of [one, other]) await actor.asks("get", `<blocklist xmlns="${NS}"/>`);
  await one.sends(`<iq type="set" id="b"><block xmlns="${NS}">${item("romeo@x.example")}</block></iq>`);
  const push = (name: string, inner: string) =>
    `<iq type="set" id="*" from="${one.bare}" to="*"><${name} xmlns="${NS}">${inner}</${name}></iq>`;
  await one.receivesAll([push("block", item("romeo@x.example")), `<iq type="result" id="b" from="*" to="*"/>`]);
  await other.receives(push("block", item("romeo@x.example")));
  await other.sends(`<iq type="set" id="u"><unblock xmlns="${NS}"/></iq>`);
  await other.receivesAll([push("unblock", ""), `<iq type="result" id="u" from="*" to="*"/>`]);
  await one.receives(push("unblock", ""));
});

spec(XEP, "3.3", "blocking nobody is a bad request", async () => {
  const juliet = await world.login("errors");
  const answer = await juliet.asks("set", `<block xmlns="${NS}"/>`);
  expect(answer.getChild("error")?.getChild("bad-request")).toBeDefined();
});

spec(XEP, "3.3", "the blocked are answered as if nobody were there", async () => {
  const [juliet, tybalt] = [await world.login("capulet", { presence: true }), await world.login("tybalt")];
  await juliet.asks("set", `<block xmlns="${NS}">${item(tybalt.bare)}</block>`);
  await tybalt.sends(`<message id="m" type="chat" to="${juliet.bare}"><body>!</body></message>`);
  const unavailable = `<error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
  await tybalt.receives(
    `<message type="error" id="m" from="${juliet.bare}" to="${tybalt.jid}">${unavailable}</message>`,
  );
  await tybalt.sends(`<presence to="${juliet.bare}"/>`);
  const answer = await tybalt.asks("get", `<ping xmlns="urn:xmpp:ping"/>`, juliet.bare);
  expect(answer.getChild("error")?.getChild("service-unavailable")).toBeDefined();
  await juliet.receivesNothing({ from: await world.login("nurse") });
});

spec(XEP, "3.3", "one cannot write to those one has blocked", async () => {
  const [juliet, paris] = [await world.login("hides"), await world.login("paris", { presence: true })];
  await juliet.asks("set", `<block xmlns="${NS}">${item(paris.bare)}</block>`);
  await juliet.sends(`<message id="m" type="chat" to="${paris.bare}"><body>no</body></message>`);
  const error = (await juliet.next()).getChild("error");
  expect(error?.getChild("not-acceptable")).toBeDefined();
  expect(error?.getChild("blocked", "urn:xmpp:blocking:errors")).toBeDefined();
  await paris.receivesNothing({ from: await world.login("nurse") });
});
