/** XEP-0045 §7.4, §7.5: what a room has taken reaches those it is for, even if the room dies alone — https://xmpp.org/extensions/xep-0045.html */
import { afterAll, beforeAll, describe } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { Mortals } from "../../support/mortal.ts";
import { spec } from "../../support/spec.ts";
import type { World } from "../../support/world.ts";
import { enters, founds, roomOf, until } from "./coven.ts";

const XEP = "XEP-0045";
const extra = { extra: true };

describe.each(["before", "after"] as const)("a room that dies %s others have heard", (when) => {
  let world: World;
  let mortals: Mortals;
  let plays = 0;
  beforeAll(async () => {
    ({ world, mortals } = await Mortals.start({ settings: { PLACEMENT: "each" } }));
  });
  afterAll(() => world?.dispose());

  /** A room with three in it, the last one on a stream that can be resumed. */
  async function play() {
    const room = roomOf(world, `coven${++plays}`);
    const [crone, hag, wiccan] = [
      await world.login(`crone${plays}`),
      await world.login(`hag${plays}`),
      await world.login(`wiccan${plays}`),
    ];
    const id = await wiccan.enables();
    await founds(crone, room, "firstwitch");
    await enters(hag, room, "secondwitch");
    await enters(wiccan, room, "thirdwitch");
    await until(hag, ({ attrs }) => attrs.from === `${room}/thirdwitch`);
    await until(crone, ({ attrs }) => attrs.from === `${room}/thirdwitch`);
    return { room, crone, hag, wiccan, id };
  }

  const say = (witch: Actor, room: string, id: string) =>
    witch.sends(`<message type="groupchat" to="${room}" id="${id}"><body>${id}</body></message>`);
  const hears = (witch: Actor, id: string) =>
    witch.receives(`<message type="groupchat" id="${id}"><body>${id}</body></message>`, extra);

  spec.warm(XEP, "7.4", "everybody hears what was said, once and in order", async () => {
    const { room, crone, hag, wiccan } = await play();
    const everybody = [crone, hag, wiccan];
    await say(crone, room, "one");
    for (const witch of everybody) await hears(witch, "one");
    await mortals.doom("ROOM", room, "GATE", when);
    await say(crone, room, "two");
    await mortals.died("ROOM", room);
    await say(hag, room, "three");
    for (const witch of everybody) for (const id of ["two", "three"]) await hears(witch, id);
    for (const witch of everybody) await witch.receivesNothing();
  });

  spec.warm(XEP, "7.4", "so does whoever's stream waits, and nobody has to speak for it", async () => {
    const { room, crone, hag, wiccan, id } = await play();
    wiccan.cut();
    // She is away once the room's words wait for her.
    await say(crone, room, "one");
    for (const witch of [crone, hag]) await hears(witch, "one");
    await mortals.doom("ROOM", room, "GATE", when);
    await say(crone, room, "two");
    await mortals.died("ROOM", room);
    for (const witch of [crone, hag]) await hears(witch, "two");
    const back = await world.connect(wiccan.name);
    await back.authenticates();
    await back.sends(`<resume xmlns="urn:xmpp:sm:3" previd="${id}" h="0"/>`);
    for (const one of ["one", "two"]) await until(back, ({ attrs }) => attrs.id === one);
    back.jid = wiccan.jid;
    await back.receivesNothing();
  });

  spec.warm(XEP, "7.5", "a private message arrives, once", async () => {
    const { room, crone, hag } = await play();
    await mortals.doom("ROOM", room, "USER", when);
    await crone.sends(`<message type="chat" to="${room}/secondwitch" id="pm"><body>Psst</body></message>`);
    await mortals.died("ROOM", room);
    await hag.sends("<presence/>");
    await until(hag, ({ attrs }) => attrs.id === "pm");
    await say(crone, room, "aloud");
    await until(hag, ({ attrs }) => attrs.id === "aloud");
    await hag.receivesNothing();
  });

  spec.warm(XEP, "7.8.2", "so does an invitation", async () => {
    const { room, crone } = await play();
    const guest = await world.login(`hecate${plays}`, { presence: true });
    await mortals.doom("ROOM", room, "USER", when);
    await crone.sends(
      `<message to="${room}" id="i"><x xmlns="http://jabber.org/protocol/muc#user"><invite to="${guest.bare}"/></x></message>`,
    );
    await mortals.died("ROOM", room);
    await guest.receives(
      `<message from="${room}"><x xmlns="http://jabber.org/protocol/muc#user"><invite from="*"/></x></message>`,
      extra,
    );
    await guest.receivesNothing();
  });
});

spec.warm(XEP, "7.4", "a room that dies when it has taken a message gives it out once, and says no error", async () => {
  const { world, mortals } = await Mortals.start({ settings: { PLACEMENT: "each" } });
  try {
    const room = roomOf(world);
    const [crone, hag] = [await world.login("crone"), await world.login("hag")];
    await founds(crone, room, "firstwitch");
    await enters(hag, room, "secondwitch");
    await until(crone, ({ attrs }) => attrs.from === `${room}/secondwitch`);
    await mortals.doomTaking("ROOM", room);
    await crone.sends(`<message type="groupchat" to="${room}" id="one"><body>one</body></message>`);
    await mortals.died("ROOM", room);
    await hag.sends(`<message type="groupchat" to="${room}" id="two"><body>two</body></message>`);
    for (const witch of [crone, hag])
      for (const id of ["one", "two"]) await witch.receives(`<message type="groupchat" id="${id}"/>`, extra);
    for (const witch of [crone, hag]) await witch.receivesNothing();
  } finally {
    await world.dispose();
  }
});
