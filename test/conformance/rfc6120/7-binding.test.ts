/** RFC 6120 §7: resource binding — https://www.rfc-editor.org/rfc/rfc6120#section-7 */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const RFC = "RFC 6120";
let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
});
afterAll(() => world.dispose());

/** Authenticated and opened again, not bound. */
async function authenticated(name = "romeo"): Promise<Actor> {
  const actor = await world.connect(name);
  await actor.opens();
  const plain = Buffer.from(`\0${name}\0${name}'s secret`).toString("base64");
  await actor.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
  await actor.receives(`<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`);
  await actor.opens();
  return actor;
}

const bind = (actor: Actor, inner: string) =>
  actor.sends(`<iq type="set" id="bind"><bind xmlns="${BIND}">${inner}</bind></iq>`);

spec(RFC, "7.6", "a resource of the server's making is as hard to guess as 128 bits", async () => {
  const actor = await authenticated();
  await bind(actor, "");
  const answer = await actor.receives(`<iq type="result" id="bind"><bind xmlns="${BIND}"><jid>*</jid></bind></iq>`);
  expect(answer.getChild("bind")?.getChildText("jid")).toMatch(/^romeo@capulet\.example\/\S{22,}$/);
});

spec(RFC, "7.6.1", "an empty <resource/> asks for one of the server's making", async () => {
  const actor = await authenticated();
  await bind(actor, "<resource/>");
  await actor.receives(`<iq type="result" id="bind"><bind xmlns="${BIND}"><jid>*</jid></bind></iq>`);
});

spec(RFC, "7.7", "a resource of the client's choice is given, prepared as RFC 7622 says", async () => {
  const actor = await authenticated();
  await bind(actor, "<resource>orchard\u3000wall</resource>");
  await actor.receives(
    `<iq type="result" id="bind"><bind xmlns="${BIND}"><jid>romeo@capulet.example/orchard wall</jid></bind></iq>`,
  );
});

for (const [what, resource] of [
  ["a control character", "a&#9;b"],
  ["too many bytes", "x".repeat(1024)],
] as const) {
  spec(RFC, "7.7.2.1", `a resource of ${what} is bad-request, and another try is possible`, async () => {
    const actor = await authenticated();
    await bind(actor, `<resource>${resource}</resource>`);
    await actor.receives(
      `<iq type="error" id="bind"><error type="modify"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`,
      { extra: true },
    );
    await bind(actor, "<resource>garden</resource>");
    await actor.receives(
      `<iq type="result" id="bind"><bind xmlns="${BIND}"><jid>romeo@capulet.example/garden</jid></bind></iq>`,
    );
  });
}

spec(RFC, "7.6.2.1", "the eleventh resource is resource-constraint", async () => {
  await world.user("mercutio");
  const friends: Actor[] = [];
  for (let i = 0; i < 10; i++) friends.push(await world.login("mercutio", { resource: `r${i}` }));
  const actor = await authenticated("mercutio");
  await bind(actor, "<resource>r10</resource>");
  await actor.receives(
    `<iq type="error" id="bind"><error type="wait"><resource-constraint xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`,
    { extra: true },
  );
  await bind(actor, "<resource>r3</resource>");
  await actor.receives(
    `<iq type="result" id="bind"><bind xmlns="${BIND}"><jid>mercutio@capulet.example/r3</jid></bind></iq>`,
  );
  await friends[3]?.fails("conflict");
});

for (const stanza of [
  `<message to="romeo@capulet.example"><body>early</body></message>`,
  "<presence/>",
  `<iq type="get" id="1"><query xmlns="jabber:iq:roster"/></iq>`,
  `<iq type="get" id="1"><bind xmlns="${BIND}"/></iq>`,
]) {
  spec(RFC, "7.1", `before binding, ${stanza.slice(0, 32)}… is not-authorized`, async () => {
    const actor = await authenticated();
    await actor.sends(stanza);
    await actor.fails("not-authorized");
  });
}

spec(RFC, "7.1", "an IQ that is none is bad-request before binding as well as after", async () => {
  const actor = await authenticated();
  await actor.sends(`<iq type="set" id="two"><bind xmlns="${BIND}"/><bind xmlns="${BIND}"/></iq>`);
  await actor.receives(
    `<iq type="error" id="two"><error type="modify"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`,
    { extra: true },
  );
});

spec(RFC, "7.1", "a bound stream has its one resource", async () => {
  const actor = await world.login("romeo", { resource: "only" });
  const answer = await actor.asks("set", `<bind xmlns="${BIND}"><resource>another</resource></bind>`);
  expect(answer.attrs.type).toBe("error");
});
