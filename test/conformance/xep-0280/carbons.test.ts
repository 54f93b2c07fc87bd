/** XEP-0280: Message Carbons — https://xmpp.org/extensions/xep-0280.html */
import { afterAll, beforeAll } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0280";
const NS = "urn:xmpp:carbons:2";
let world: World;
let orchard: Actor;
let home: Actor;
let juliet: Actor;
beforeAll(async () => {
  world = await World.start();
  [orchard, home] = [
    await world.login("romeo", { resource: "orchard" }),
    await world.login("romeo", { resource: "home" }),
  ];
  for (const actor of [orchard, home]) await actor.asks("set", `<enable xmlns="${NS}"/>`);
  await orchard.sends("<presence/>");
  await orchard.receives(`<presence from="${orchard.jid}" to="*"/>`);
  await home.sends("<presence/>");
  await home.receives(`<presence from="${home.jid}" to="*"/>`);
  await home.receives(`<presence from="${orchard.jid}" to="*"/>`);
  await orchard.receives(`<presence from="${home.jid}" to="*"/>`);
  juliet = await world.login("juliet", { presence: true });
});
afterAll(() => world.dispose());

const copy = (to: Actor, name: "sent" | "received", inner: string) =>
  `<message type="chat" from="${to.bare}" to="${to.jid}"><${name} xmlns="${NS}"><forwarded xmlns="urn:xmpp:forward:0">${inner}</forwarded></${name}></message>`;

spec(XEP, "8", "what one resource sends, the others get as a copy", async () => {
  await orchard.sends(`<message id="s" type="chat" to="${juliet.bare}"><body>Wherefore?</body></message>`);
  const sent = `<message xmlns="jabber:client" id="s" type="chat" from="${orchard.jid}" to="${juliet.bare}"><body>Wherefore?</body></message>`;
  await home.receives(copy(home, "sent", sent), { extra: true });
  await juliet.receives(sent, { extra: true });
  await orchard.receivesNothing();
});

spec(XEP, "7", "what one resource receives, the others get as a copy", async () => {
  await juliet.sends(`<message id="r" type="chat" to="${orchard.jid}"><body>Therefore</body></message>`);
  const message = `<message xmlns="jabber:client" id="r" type="chat" from="${juliet.jid}" to="${orchard.jid}"><body>Therefore</body></message>`;
  await orchard.receives(message, { extra: true });
  await home.receives(copy(home, "received", message), { extra: true });
});

spec(XEP, "6.1", "what is private is not copied", async () => {
  await orchard.sends(
    `<message id="p" type="chat" to="${juliet.bare}"><body>hush</body><private xmlns="${NS}"/></message>`,
  );
  await juliet.receives(`<message id="p" type="chat" from="${orchard.jid}" to="*"><body>hush</body></message>`, {
    extra: true,
  });
  await home.receivesNothing({ from: juliet });
});

spec(XEP, "11", "a copy made by somebody else is none", async () => {
  const forged = `<received xmlns="${NS}"><forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client" from="${juliet.bare}" to="${home.jid}" type="chat"><body>false</body></message></forwarded></received>`;
  const tybalt = await world.login("tybalt");
  await tybalt.sends(`<message type="chat" id="f" to="${home.jid}"><body>!</body>${forged}</message>`);
  const got = await home.receives(
    `<message type="chat" id="f" from="${tybalt.jid}" to="${home.jid}"><body>!</body></message>`,
    { extra: true },
  );
  if (got.getChild("received", NS)) throw new Error("the forged copy came through");
  await orchard.next(); // an honest copy of it
});

spec(XEP, "5", "no copies once they are disabled", async () => {
  await home.asks("set", `<disable xmlns="${NS}"/>`);
  await juliet.sends(`<message id="d" type="chat" to="${orchard.jid}"><body>alone</body></message>`);
  await orchard.receives(`<message id="d" type="chat" from="*" to="*"><body>alone</body></message>`, { extra: true });
  await home.receivesNothing({ from: juliet });
});
