/** XEP-0198 §5: what was written to a stream is there for its client, even if the account dies alone — https://xmpp.org/extensions/xep-0198.html */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { Mortals } from "../../support/mortal.ts";
import { spec } from "../../support/spec.ts";
import type { World } from "../../support/world.ts";
import { AVAILABLE, ids, Session } from "../xep-0124/session.ts";

const XEP = "XEP-0198";
const INFO = `<query xmlns="http://jabber.org/protocol/disco#info"/>`;

describe.each(["before", "after"] as const)("an account that dies %s its gate has heard", (when) => {
  let world: World;
  let mortals: Mortals;
  let romeo: Actor;
  beforeAll(async () => {
    ({ world, mortals } = await Mortals.start({ settings: { PLACEMENT: "each" } }));
    romeo = await world.login("romeo");
  });
  afterAll(() => world?.dispose());

  let plays = 0;
  async function play() {
    const name = `juliet${++plays}`;
    const juliet = await world.login(name, { resource: "balcony" });
    const id = await juliet.enables();
    await juliet.sends("<presence/>");
    await juliet.receives(`<presence from="${juliet.jid}"/>`, { extra: true });
    return { name, juliet, id };
  }

  const write = (to: string, n: number) =>
    romeo.sends(`<message to="${to}" type="chat" id="m${n}"><body>${n}</body></message>`);
  const reads = (reader: Actor, n: number) =>
    reader.receives(`<message type="chat" id="m${n}"><body>${n}</body></message>`, { extra: true });

  spec.warm(XEP, "5", "a stream that waits for its client has what came", async () => {
    const { name, juliet, id } = await play();
    await write(juliet.jid, 1);
    await reads(juliet, 1);
    juliet.cut();
    await write(juliet.bare, 2);
    await mortals.doom("USER", juliet.bare, "GATE", when);
    await write(juliet.bare, 3);
    await mortals.died("USER", juliet.bare);
    const back = await world.connect(name);
    await back.authenticates();
    await back.resumes(id, 2);
    await reads(back, 2);
    await reads(back, 3);
    await write(juliet.jid, 4);
    await reads(back, 4);
    back.jid = juliet.jid;
    await back.receivesNothing();
  });

  spec.warm("XEP-0124", "9", "so has a session over HTTP", async () => {
    const name = `juliet${++plays}`;
    const bare = await world.user(name);
    const session = await Session.login(world, name, "http");
    await session.sends(AVAILABLE);
    await mortals.doom("USER", bare, "GATE", when);
    await write(bare, 1);
    await mortals.died("USER", bare);
    const heard: (string | undefined)[] = [];
    while (!heard.includes("end"))
      heard.push(
        ...ids(await session.sends(`<iq xmlns="jabber:client" type="get" id="end" to="${bare}">${INFO}</iq>`)),
      );
    await write(bare, 2);
    while (!heard.includes("m2")) heard.push(...ids(await session.sends("")));
    expect(heard.filter((id) => id?.startsWith("m"))).toEqual(["m1", "m2"]);
  });

  spec.warm(XEP, "5", "a stream that is there gets it, once and in order", async () => {
    const { juliet } = await play();
    await write(juliet.bare, 1);
    await reads(juliet, 1);
    await mortals.doom("USER", juliet.bare, "GATE", when);
    await write(juliet.bare, 2);
    await mortals.died("USER", juliet.bare);
    await write(juliet.bare, 3);
    await reads(juliet, 2);
    await reads(juliet, 3);
    await juliet.receivesNothing();
  });
});

describe("an object that dies when it has taken a message, before its sender hears of that", () => {
  let world: World;
  let mortals: Mortals;
  let romeo: Actor;
  beforeEach(async () => {
    // Every stream has a gate of its own.
    ({ world, mortals } = await Mortals.start({ settings: { PLACEMENT: "each", GATE_SOCKETS: "1" } }));
    romeo = await world.login("romeo");
  });
  afterEach(() => world?.dispose());

  const write = (to: string, n: number) =>
    romeo.sends(`<message to="${to}" type="chat" id="m${n}"><body>${n}</body></message>`);
  const reads = (reader: Actor, n: number) =>
    reader.receives(`<message type="chat" id="m${n}"><body>${n}</body></message>`, { extra: true });

  spec.warm("RFC 6120", "8", "the sender's account passes it on once, and nobody is told that it failed", async () => {
    const juliet = await world.login("juliet", { presence: true });
    await mortals.doomTaking("USER", romeo.bare);
    await write(juliet.bare, 1);
    await mortals.died("USER", romeo.bare);
    await write(juliet.bare, 2);
    for (const n of [1, 2]) await reads(juliet, n);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
  });

  spec.warm("RFC 6120", "8", "the reader's account has it once", async () => {
    const juliet = await world.login("juliet", { presence: true });
    await mortals.doomTaking("USER", juliet.bare);
    await write(juliet.bare, 1);
    await mortals.died("USER", juliet.bare);
    await write(juliet.bare, 2);
    for (const n of [1, 2]) await reads(juliet, n);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
  });

  spec.warm(XEP, "5", "a stream that waits at a gate has it once, and can be resumed", async () => {
    const juliet = await world.login("juliet", { resource: "balcony" });
    const id = await juliet.enables();
    await juliet.sends("<presence/>");
    await juliet.receives(`<presence from="${juliet.jid}"/>`, { extra: true });
    juliet.cut();
    await write(juliet.bare, 1);
    await romeo.receivesNothing({ from: romeo });
    const gate = id.slice(0, id.indexOf("/"));
    await mortals.doomTaking("GATE", gate);
    await write(juliet.bare, 2);
    await mortals.died("GATE", gate);
    const back = await world.connect("juliet");
    await back.authenticates();
    await back.resumes(id, 1);
    for (const n of [1, 2]) await reads(back, n);
    back.jid = juliet.jid;
    await back.receivesNothing();
  });
});
