/** What a room is after the process has ended, after its streams have, and when somebody makes too many. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { configures, enters, error, founds, granted, item, joining, roomOf, shows, until } from "./coven.ts";

const extra = { extra: true };
let world: World;
let crone: Actor;
let hag: Actor;

beforeAll(async () => {
  world = await World.start({ settings: { LIMITS: "on" } });
  [crone, hag] = [await world.login("crone"), await world.login("hag")];
});
afterAll(() => world?.dispose());

spec(
  "XEP-0045",
  "7.2.8",
  "nicks that differ in capitals only are one: another's is refused, one's own is corrected (210)",
  async () => {
    const room = roomOf(world, "capitals");
    await founds(crone, room, "firstwitch");
    await hag.sends(joining(room, "FirstWitch"));
    await hag.receives(`<presence type="error">${error("cancel", "conflict")}</presence>`, extra);
    const laptop = await world.login("crone", { resource: "laptop" });
    await laptop.sends(joining(room, "FIRSTWITCH"));
    await until(laptop, (got) => got.attrs.from === `${room}/firstwitch` && String(got).includes('code="210"'));
    await crone.receives(shows(room, "firstwitch", `role="moderator"`), extra);
    laptop.cut();
    await crone.receives(shows(room, "firstwitch", `role="moderator"`), extra);
    await crone.sends(`<presence to="${room}/FirstWitch"/>`);
    await until(crone, (got) => got.attrs.from === `${room}/FirstWitch`);
  },
);

spec("XEP-0045", "10.1.1", "one account makes twenty rooms and no more", async () => {
  for (let n = 0; n < 19; n++) {
    const room = roomOf(world, `plot${n}`);
    await enters(crone, room, "firstwitch");
    await configures(crone, room, {});
    await crone.sends(`<presence type="unavailable" to="${room}/firstwitch"/>`);
    await until(crone, (got) => got.attrs.type === "unavailable");
  }
  const room = roomOf(world, "plot19");
  await enters(crone, room, "firstwitch");
  await configures(crone, room, {});
  await crone.receives(
    `<presence type="unavailable" from="${room}/firstwitch"/>`.replace(
      "/>",
      `><x xmlns="http://jabber.org/protocol/muc#user"><destroy><reason>*</reason></destroy></x></presence>`,
    ),
    extra,
  );
});

spec("XEP-0045", "5.2", "a room outlives the process: its settings, lists, subject and history", async () => {
  const room = roomOf(world, "plot3");
  await enters(crone, room, "firstwitch");
  granted(await crone.asks("set", item(`jid="${hag.bare}" affiliation="admin"`), room));
  await until(crone, (got) => got.name === "message");
  await crone.sends(`<message type="groupchat" to="${room}" id="s"><subject>Fire burn</subject></message>`);
  await until(crone, (got) => got.attrs.id === "s");
  await crone.sends(`<message type="groupchat" to="${room}" id="m"><body>Double, double</body></message>`);
  await until(crone, (got) => got.attrs.id === "m");
  await world.restart();
  const again = await world.login("hag");
  await again.sends(joining(room, "thirdwitch"));
  // The other's stream has ended with the process. The room knows when somebody is to be told something: perhaps by now.
  let shown = false;
  let left = false;
  const others = ({ attrs, name }: Element) => {
    if (name !== "presence" || attrs.from !== `${room}/firstwitch`) return false;
    if (attrs.type === "unavailable") left = true;
    else shown = true;
    return true;
  };
  const self = await until(again, (got) => !others(got) && got.attrs.from === `${room}/thirdwitch`);
  if (!String(self).includes('affiliation="admin"')) throw new Error(String(self));
  const said: (string | undefined)[] = [];
  await until(again, (got) => {
    if (!others(got)) said.push(got.getChildText("body") ?? undefined, got.getChildText("subject") ?? undefined);
    return got.getChild("subject") !== undefined;
  });
  expect(said.filter((text) => text)).toEqual(["Double, double", "Fire burn"]);
  if (shown && !left) await until(again, (got) => others(got) && left);
  // The rooms it made are there, too.
  const back = await world.login("crone");
  await enters(back, room, "firstwitch");
});
