/** XEP-0160: Best Practices for Handling Offline Messages — https://xmpp.org/extensions/xep-0160.html */
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0160";
/**
 * Warm even where the suite evicts before each step: how far a client has read is written some seconds after it has; an account
 * that was forgotten before hands out mail again, as after a crash.
 */
const WARM = { evict: false } as const;
const HUNDRED = Array.from({ length: 100 }, (_, i) => i + 1);

describe.each(["each", "shared:1"])("placement %s", (placement) => {
  let world: World;
  let romeo: Actor;
  let users = 0;
  beforeAll(async () => {
    world = await World.start({ ...WARM, settings: { PLACEMENT: placement } });
    romeo = await world.login("romeo", { resource: "orchard" });
  });
  afterAll(() => world.dispose());

  async function newcomer(): Promise<string> {
    const name = `juliet${++users}`;
    await world.user(name);
    return name;
  }

  /** Not by `sends`: nothing waits for anything here. */
  function writes(name: string, ids: readonly number[]): void {
    for (const n of ids)
      romeo.socket.send(
        `<message xmlns="jabber:client" to="${name}@capulet.example" type="chat" id="m${n}"><body>${n}</body></message>`,
      );
  }

  async function reads(reader: Actor, ids: readonly number[]): Promise<void> {
    for (const n of ids)
      await reader.receives(
        `<message from="${romeo.jid}" type="chat" id="m${n}"><body>${n}</body><delay xmlns="urn:xmpp:delay" from="capulet.example" stamp="*"/></message>`,
        { extra: true },
      );
  }

  spec(XEP, "3", "what came while nobody was there comes once, in order, with the time when it came", async () => {
    const name = await newcomer();
    writes(name, HUNDRED);
    await romeo.receivesNothing();
    const juliet = await world.login(name, { presence: true });
    await reads(juliet, HUNDRED);
    await juliet.receivesNothing();
    await juliet.closes();
    const again = await world.login(name, { presence: true });
    await again.receivesNothing();
  });

  spec(XEP, "3", "a client of negative priority does not get it, and does not take it away", async () => {
    const name = await newcomer();
    writes(name, [1, 2]);
    await romeo.receivesNothing();
    const robot = await world.login(name, { resource: "robot" });
    await robot.sends("<presence><priority>-1</priority></presence>");
    await robot.receives(`<presence from="${robot.jid}"/>`, { extra: true });
    await robot.receivesNothing();
    await robot.sends("<presence><priority>1</priority></presence>");
    await robot.receives(`<presence from="${robot.jid}"/>`, { extra: true });
    await reads(robot, [1, 2]);
  });

  spec(XEP, "3", "a second client does not get it again", async () => {
    const name = await newcomer();
    writes(name, [1]);
    await romeo.receivesNothing();
    const phone = await world.login(name, { resource: "phone", presence: true });
    await reads(phone, [1]);
    const laptop = await world.login(name, { resource: "laptop", presence: true });
    await laptop.receives(`<presence from="${phone.jid}"/>`, { extra: true });
    await laptop.receivesNothing();
  });

  spec(XEP, "3", "what a managed client has not acknowledged comes again, what it has does not", async () => {
    const name = await newcomer();
    const phone = await world.login(name, { resource: "phone" });
    await phone.enables();
    await phone.sends("<presence/>");
    await phone.next();
    writes(name, [1, 2, 3]);
    for (let i = 0; i < 3; i++) await phone.next();
    await phone.acknowledges(3);
    await phone.handled();
    // The same client again, without a resumption: its old stream gets conflict.
    const again = await world.login(name, { resource: "phone", presence: true });
    await reads(again, [3]);
    await again.receivesNothing();
  });

  spec(XEP, "3", "chat states and headlines do not wait", async () => {
    const name = await newcomer();
    const to = `${name}@capulet.example`;
    await romeo.sends(
      `<message to="${to}" type="chat"><composing xmlns="http://jabber.org/protocol/chatstates"/></message>`,
    );
    await romeo.sends(`<message to="${to}" type="headline"><body>news</body></message>`);
    await romeo.receivesNothing();
    const juliet = await world.login(name, { presence: true });
    await juliet.receivesNothing();
  });

  spec(
    "XEP-0359",
    "3",
    "what a client sends again on its next stream, under the same origin-id, is one message",
    async () => {
      const name = await newcomer();
      const text = (id: string, body = "once") =>
        `<message to="${name}@capulet.example" type="chat"><body>${body}</body><origin-id xmlns="urn:xmpp:sid:0" id="${id}"/></message>`;
      const first = await world.login("benvolio");
      await first.sends(text("a1"));
      await first.receivesNothing();
      first.cut();
      const second = await world.login("benvolio");
      await second.sends(text("a1"));
      await second.sends(text("a1", "another"));
      await second.sends(text("a2"));
      await second.receivesNothing();
      const juliet = await world.login(name, { presence: true });
      for (const body of ["once", "another", "once"])
        await juliet.receives(`<message><body>${body}</body></message>`, { extra: true });
      await juliet.receivesNothing();
    },
  );
});

spec(XEP, "3", "the end of the process while mail is handed out loses nothing and keeps the order", async () => {
  const world = await World.start(WARM);
  try {
    const romeo = await world.login("romeo");
    await world.user("juliet");
    for (const n of HUNDRED)
      romeo.socket.send(
        `<message xmlns="jabber:client" to="juliet@capulet.example" type="chat" id="m${n}"><body>${n}</body></message>`,
      );
    await romeo.receivesNothing();
    const juliet = await world.login("juliet", { resource: "phone" });
    await juliet.enables();
    await juliet.sends("<presence/>");
    await juliet.next();
    for (let i = 0; i < 10; i++) await juliet.next();
    await world.restart();
    const again = await world.login("juliet", { resource: "laptop" });
    await again.sends("<presence/>");
    const seen: number[] = [];
    while (seen.at(-1) !== 100) {
      const got = await again.next();
      if (got.name === "message") seen.push(Number(got.getChildText("body")));
    }
    expect(seen).toEqual(HUNDRED);
    await again.receivesNothing();
  } finally {
    await world.dispose();
  }
});

spec("RFC 6120", "10.1", "messages that were taken by their sender's account outlive the process", async () => {
  const world = await World.start({ ...WARM, settings: { PLACEMENT: "each" } });
  try {
    const romeo = await world.login("romeo");
    await romeo.enables();
    await world.user("juliet");
    let sent = 0;
    for (const n of HUNDRED) {
      romeo.socket.send(
        `<message xmlns="jabber:client" to="juliet@capulet.example" type="chat" id="m${n}"><body>${n}</body></message>`,
      );
      sent = n;
    }
    const taken = await romeo.handled();
    expect(taken).toBe(sent);
    await world.restart();
    const back = await world.login("romeo");
    // Whatever was on its way is passed on when the account has something to do.
    await back.sends(`<message to="juliet@capulet.example" type="chat" id="m101"><body>101</body></message>`);
    await back.receivesNothing();
    const juliet = await world.login("juliet", { presence: true });
    for (const n of [...HUNDRED, 101]) expect((await juliet.next()).getChildText("body")).toBe(String(n));
    await juliet.receivesNothing();
  } finally {
    await world.dispose();
  }
});
