/** RFC 6121 §2: Managing the Roster — https://www.rfc-editor.org/rfc/rfc6121#section-2 */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const RFC = "RFC 6121";
const NS = "jabber:iq:roster";
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const query = (inner = "", ver?: string) =>
  `<query xmlns="${NS}"${ver === undefined ? "" : ` ver="${ver}"`}>${inner}</query>`;
const push = (actor: { jid: string; bare: string }, item: string) =>
  `<iq type="set" id="*" from="${actor.bare}" to="${actor.jid}"><query xmlns="${NS}" ver="*">${item}</query></iq>`;

spec(RFC, "2.1.4", "a roster without items is an empty query, not an error", async () => {
  const romeo = await world.login("empty");
  const answer = await romeo.asks("get", query());
  expect(answer.attrs.type).toBe("result");
  expect(answer.getChild("query", NS)?.getChildElements()).toEqual([]);
});

spec(RFC, "2.1.6", "interested resources get pushes from the bare address; others get none", async () => {
  const [balcony, chamber] = [await world.login("juliet"), await world.login("juliet", { resource: "chamber" })];
  await balcony.asks("get", query());
  await balcony.sends(
    `<iq type="set" id="add">${query('<item jid="nurse@x.example" name="Nurse"><group>Servants</group></item>')}</iq>`,
  );
  await balcony.receivesAll(
    [
      push(balcony, '<item jid="nurse@x.example" name="Nurse" subscription="none"><group>Servants</group></item>'),
      `<iq type="result" id="add" from="${balcony.bare}" to="${balcony.jid}"/>`,
    ],
    { extra: true },
  );
  await chamber.receivesNothing({ from: balcony });
});

spec(RFC, "2.1.5", "a subscription in a roster set counts only when it is remove", async () => {
  const romeo = await world.login("claims");
  await romeo.asks("set", query('<item jid="a@x.example" subscription="both" ask="subscribe" approved="true"/>'));
  const [item] = (await romeo.asks("get", query())).getChild("query", NS)?.getChildElements() ?? [];
  expect(item?.attrs).toEqual({ xmlns: NS, jid: "a@x.example", subscription: "none" });
});

spec(RFC, "2.2", "nobody reads or writes somebody else's roster", async () => {
  const [romeo] = [await world.login("romeo"), await world.user("juliet")];
  for (const type of ["get", "set"] as const) {
    const answer = await romeo.asks(type, query('<item jid="x@x.example"/>'), "juliet@capulet.example");
    expect(answer.attrs.type).toBe("error");
  }
});

for (const [what, items, condition] of [
  ["two items", '<item jid="a@x.example"/><item jid="b@x.example"/>', "bad-request"],
  ["a group twice", '<item jid="a@x.example"><group>g</group><group>g</group></item>', "bad-request"],
  ["an empty group", '<item jid="a@x.example"><group/></item>', "not-acceptable"],
  ["a name of 1024 bytes", `<item jid="a@x.example" name="${"n".repeat(1024)}"/>`, "not-acceptable"],
  ["a group of 1024 bytes", `<item jid="a@x.example"><group>${"g".repeat(1024)}</group></item>`, "not-acceptable"],
] as const) {
  spec(RFC, "2.3.3", `a roster set with ${what} is ${condition}`, async () => {
    const romeo = await world.login("errors");
    const answer = await romeo.asks("set", query(items));
    expect(answer.getChild("error")?.getChild(condition)).toBeDefined();
  });
}

spec(RFC, "2.5.2", "with an item go the subscriptions", async () => {
  const romeo = await world.login("leaver");
  const tybalt = await world.login("left");
  for (const actor of [romeo, tybalt]) await actor.asks("get", query());
  await romeo.sends(`<presence to="${tybalt.bare}" type="subscribe"/>`);
  await romeo.receives(push(romeo, `<item jid="${tybalt.bare}" subscription="none" ask="subscribe"/>`));
  await tybalt.sends(`<presence to="${romeo.bare}" type="subscribed"/>`);
  await tybalt.receives(push(tybalt, `<item jid="${romeo.bare}" subscription="from"/>`));
  await romeo.receives(`<presence type="subscribed" from="${tybalt.bare}" to="${romeo.bare}"/>`);
  await romeo.receives(push(romeo, `<item jid="${tybalt.bare}" subscription="to"/>`));
  await romeo.sends(`<iq type="set" id="rm">${query(`<item jid="${tybalt.bare}" subscription="remove"/>`)}</iq>`);
  await romeo.receivesAll([
    push(romeo, `<item jid="${tybalt.bare}" subscription="remove"/>`),
    `<iq type="result" id="rm" from="*" to="*"/>`,
  ]);
  await tybalt.receives(`<presence type="unsubscribe" from="${romeo.bare}" to="${tybalt.bare}"/>`);
  await tybalt.receives(push(tybalt, `<item jid="${romeo.bare}" subscription="none"/>`));
});

spec(RFC, "2.5.3", "an item that is not there cannot be removed", async () => {
  const romeo = await world.login("errors");
  const answer = await romeo.asks("set", query('<item jid="nobody@x.example" subscription="remove"/>'));
  expect(answer.getChild("error")?.getChild("item-not-found")).toBeDefined();
});

spec(RFC, "2.6.1", "versioning is a stream feature", async () => {
  const romeo = await world.login("versions");
  expect(romeo.features?.getChild("ver", "urn:xmpp:features:rosterver")).toBeDefined();
});

spec(RFC, "2.6.3", "nothing new is an empty result, changes follow it as pushes", async () => {
  const romeo = await world.login("versions");
  for (const name of ["a", "b", "c", "d"]) await romeo.asks("set", query(`<item jid="${name}@x.example"/>`));
  const ver = (await romeo.asks("get", query("", ""))).getChild("query", NS)?.attrs.ver ?? "";
  expect((await romeo.asks("get", query("", ver))).getChildElements()).toEqual([]);
  const other = await world.login("versions", { resource: "other" });
  await other.asks("set", query('<item jid="b@x.example" subscription="remove"/>'));
  await other.asks("set", query('<item jid="c@x.example" name="C"/>'));
  const back = await world.login("versions", { resource: "back" });
  await back.sends(`<iq type="get" id="roster">${query("", ver)}</iq>`);
  await back.receives(`<iq type="result" id="roster" from="*" to="*"/>`);
  await back.receives(push(back, '<item jid="b@x.example" subscription="remove"/>'));
  await back.receives(push(back, '<item jid="c@x.example" name="C" subscription="none"/>'));
});
