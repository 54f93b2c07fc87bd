/** SASL ANONYMOUS in rooms: who may enter, who may speak, and that a reload undoes nothing. */
import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import {
  configures,
  enters,
  error,
  founds,
  granted,
  item,
  joining,
  refused,
  roomOf,
  shows,
  USER,
  until,
} from "./coven.ts";

const XEP = "XEP-0045";
const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const GUESTS = "{urn:x-enjamb:room}guests";
const extra = { extra: true };
let world: World;
let crone: Actor;
let room: string;

beforeAll(async () => {
  world = await World.start();
  crone = await world.login("crone");
  room = roomOf(world);
  await founds(crone, room, "firstwitch");
});
afterAll(() => world?.dispose());

async function guest(name: string): Promise<Actor> {
  const actor = await world.connect(name);
  await actor.opens(world.settings.guestDomain);
  await actor.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>`);
  await actor.receives(`<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`);
  await actor.opens(world.settings.guestDomain);
  const answer = await actor.asks("set", `<bind xmlns="${BIND}"/>`);
  actor.jid = answer.getChild("bind", BIND)?.getChildText("jid") ?? "";
  return actor;
}

spec(XEP, "7.2.6", "guests enter where they may, and nowhere else", async () => {
  const visitor = await guest("visitor");
  await visitor.sends(joining(room, "visitor"));
  await visitor.receives(
    `<presence type="error" from="${room}/visitor">${error("auth", "forbidden")}</presence>`,
    extra,
  );
  await configures(crone, room, { [GUESTS]: "read" });
  await until(crone, (got) => String(got).includes('code="104"'));
  await enters(visitor, room, "visitor");
  await crone.receives(shows(room, "visitor", `affiliation="none" role="visitor" jid="${visitor.jid}"`), extra);
  await visitor.sends(`<message type="groupchat" to="${room}" id="g1"><body>Hello</body></message>`);
  await visitor.receives(`<message type="error" id="g1">${error("auth", "forbidden")}</message>`, extra);
  visitor.cut();
  await crone.receives(shows(room, "visitor", `role="none"`, "", "unavailable"), extra);
});

spec(XEP, "10.1.1", "guests make no rooms", async () => {
  const visitor = await guest("founder");
  await visitor.sends(joining(roomOf(world, "mine"), "visitor"));
  await visitor.receives(`<presence type="error">${error("cancel", "not-allowed")}</presence>`, extra);
  visitor.cut();
});

spec(XEP, "7.2", "the room that pages show first is there for everybody who comes", async () => {
  const lobby = roomOf(world, world.settings.defaultRoom);
  const first = await guest("first");
  const second = await guest("second");
  await enters(first, lobby, "first");
  await enters(second, lobby, "second");
  await first.receives(shows(lobby, "second", `role="participant"`), extra);
  await second.sends(`<message type="groupchat" to="${lobby}" id="g2"><body>Hello</body></message>`);
  await first.receives(`<message type="groupchat" id="g2" from="${lobby}/second"><body>Hello</body></message>`, extra);
  await second.receives(`<message type="groupchat" id="g2" from="${lobby}/second"><body>Hello</body></message>`, extra);
  await second.sends(`<message type="chat" to="${lobby}/first" id="g3"><body>Psst</body></message>`);
  await first.receives(
    `<message type="chat" id="g3" from="${lobby}/second" to="${first.jid}"><body>Psst</body></message>`,
    extra,
  );
  await first.sends(`<message to="${lobby}" id="g4"><x xmlns="${USER}"><invite to="${crone.bare}"/></x></message>`);
  await first.receives(`<message type="error" id="g4">${error("auth", "forbidden")}</message>`, extra);
  first.cut();
  second.cut();
});

spec(XEP, "5.1", "a guest who was silenced is silent after a reload", async () => {
  await configures(crone, room, { [GUESTS]: "speak" });
  await until(crone, (got) => String(got).includes('code="104"'));
  const loud = await guest("loud");
  await enters(loud, room, "loud");
  await crone.receives(shows(room, "loud", `role="participant"`), extra);
  granted(await crone.asks("set", item(`nick="loud" role="visitor"`), room));
  await crone.receives(
    `<presence from="${room}/loud"><x xmlns="${USER}"><item role="visitor"><actor nick="firstwitch"/></item></x></presence>`,
    extra,
  );
  loud.cut();
  await until(crone, (got) => got.attrs.type === "unavailable");
  const reloaded = await guest("loud");
  await enters(reloaded, room, "quiet");
  await crone.receives(shows(room, "quiet", `role="visitor"`), extra);
  granted(await crone.asks("set", item(`nick="quiet" role="participant"`), room));
  await until(crone, (got) => got.name === "presence");
  reloaded.cut();
  await until(crone, (got) => got.attrs.type === "unavailable");
});

spec(XEP, "9.1", "a guest who was banned does not come back by a reload, until the ban is lifted", async () => {
  const troll = await guest("troll");
  await enters(troll, room, "troll");
  await crone.receives(shows(room, "troll", `role="participant"`), extra);
  const jid = troll.bare;
  await crone.sends(`<iq type="set" id="ban" to="${room}">${item(`jid="${jid}" affiliation="outcast"`)}</iq>`);
  await until(crone, (got) => got.attrs.id === "ban");
  await until(crone, (got) => got.attrs.type === "unavailable");
  await until(troll, (got) => got.attrs.type === "unavailable" && String(got).includes('code="301"'));
  troll.cut();
  const reloaded = await guest("troll");
  await reloaded.sends(joining(room, "innocent"));
  await reloaded.receives(`<presence type="error">${error("auth", "forbidden")}</presence>`, extra);
  const history = await reloaded.asks("set", `<query xmlns="urn:xmpp:mam:2"/>`, room);
  refused(history, "forbidden");
  granted(await crone.asks("set", item(`jid="${jid}" affiliation="none"`), room));
  await until(crone, (got) => got.name === "message");
  await enters(reloaded, room, "innocent");
  await crone.receives(shows(room, "innocent", `role="participant"`), extra);
  // 8.2: a kick keeps a guest out for a while, too.
  granted(await crone.asks("set", item(`nick="innocent" role="none"`), room));
  await until(crone, (got) => got.attrs.type === "unavailable");
  await until(reloaded, (got) => got.attrs.type === "unavailable");
  await reloaded.sends(joining(room, "innocent"));
  await reloaded.receives(`<presence type="error">${error("auth", "forbidden")}</presence>`, extra);
});
