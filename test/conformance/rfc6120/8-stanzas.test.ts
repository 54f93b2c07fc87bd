/** RFC 6120 §8: XML stanzas — https://www.rfc-editor.org/rfc/rfc6120#section-8 */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const RFC = "RFC 6120";
let world: World;
let romeo: Actor;
let juliet: Actor;
beforeAll(async () => {
  world = await World.start();
  romeo = await world.login("romeo", { resource: "orchard", presence: true });
  juliet = await world.login("juliet", { resource: "chamber", presence: true });
});
afterAll(() => world.dispose());

const error = (stanza: string, type: string, condition: string) =>
  romeo.receives(
    stanza.replace(
      "/>",
      `><error type="${type}"><${condition} xmlns="${STANZAS}"/></error></${stanza.slice(1).split(" ")[0]}>`,
    ),
    { extra: true },
  );

spec(RFC, "8.1.2.1", "the server says who a stanza is from", async () => {
  await romeo.sends(`<message to="${juliet.jid}" type="chat" id="m"><body>It is my lady.</body></message>`);
  await juliet.receives(
    `<message from="${romeo.jid}" to="${juliet.jid}" type="chat" id="m"><body>It is my lady.</body></message>`,
    { extra: true },
  );
});

for (const from of ["romeo@capulet.example", "romeo@capulet.example/orchard", "ROMEO@Capulet.Example/orchard"]) {
  spec(RFC, "8.1.2.1", `from="${from}" of one's own is replaced by the full address`, async () => {
    await romeo.sends(`<message to="${juliet.jid}" from="${from}" type="headline"><body>O!</body></message>`);
    await juliet.receives(`<message from="${romeo.jid}" to="${juliet.jid}" type="headline"><body>O!</body></message>`);
  });
}

spec(RFC, "8.1.1.1", "without an address a message is for the account, an IQ is answered by it", async () => {
  await romeo.sends(`<message type="chat"><body>note to self</body></message>`);
  await romeo.receives(
    `<message type="chat" from="${romeo.jid}" to="${romeo.bare}"><body>note to self</body></message>`,
    {
      extra: true,
    },
  );
  const answer = await romeo.asks("get", `<query xmlns="jabber:iq:roster"/>`);
  expect(answer.attrs.type).toBe("result");
});

for (const to of ["@@", "ju liet@capulet.example", "juliet@capulet.example/", "a@b@c", "juliet@"]) {
  spec(RFC, "8.3.3.8", `to="${to}" is jid-malformed`, async () => {
    await romeo.sends(`<message to="${to}" id="bad"><body>?</body></message>`);
    await error(`<message type="error" id="bad" to="${romeo.jid}"/>`, "modify", "jid-malformed");
    await romeo.sends(`<iq to="${to}" id="bad" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await error(`<iq type="error" id="bad" to="${romeo.jid}"/>`, "modify", "jid-malformed");
    await romeo.sends(`<message to="${to}" type="error" id="bad"/>`);
    await romeo.receivesNothing();
  });
}

spec(RFC, "8.1.3", "an id comes back as it was written", async () => {
  const id = `a&lt;b&gt;&quot;'&amp;#10; ü`;
  await romeo.sends(`<iq to="capulet.example" id="${id}" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await romeo.receives(`<iq type="result" id="${id}" from="capulet.example" to="${romeo.jid}"/>`);
});

for (const [what, iq] of [
  ["without a type", `<iq id="q"><ping xmlns="urn:xmpp:ping"/></iq>`],
  ["of an unknown type", `<iq id="q" type="ask"><ping xmlns="urn:xmpp:ping"/></iq>`],
  ["without a child", `<iq id="q" type="get"/>`],
  ["with two children", `<iq id="q" type="set"><ping xmlns="urn:xmpp:ping"/><ping xmlns="urn:xmpp:ping"/></iq>`],
] as const) {
  spec(RFC, "8.2.3", `an IQ ${what} is bad-request`, async () => {
    for (const to of ["", ` to="${juliet.jid}"`, ` to="capulet.example"`]) {
      await romeo.sends(iq.replace("<iq", `<iq${to}`));
      await error(`<iq type="error" id="q"/>`, "modify", "bad-request");
    }
    await juliet.receivesNothing();
  });
}

spec(RFC, "8.2.3", "an IQ without an id is bad-request", async () => {
  await romeo.sends(`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await error(`<iq type="error"/>`, "modify", "bad-request");
});

spec(RFC, "8.2.3", "an answer that nobody asked for is not answered", async () => {
  for (const type of ["result", "error"]) {
    for (const to of ["", ` to="capulet.example"`, ` to="nobody@capulet.example/x"`, ` to="${romeo.bare}"`]) {
      await romeo.sends(`<iq${to} type="${type}" id="unasked"/>`);
    }
  }
  await romeo.receivesNothing();
});

spec(RFC, "8.3.1", "an error is not answered by an error", async () => {
  await romeo.sends(`<message to="nobody@capulet.example" type="error"/>`);
  await romeo.sends(`<message to="nobody@capulet.example/x" type="error"/>`);
  await romeo.sends(`<presence to="nobody@capulet.example/x" type="error"/>`);
  await romeo.sends(`<message to="capulet.example" type="error"/>`);
  await romeo.receivesNothing();
});

spec(RFC, "8.4", "a payload that nobody knows is service-unavailable", async () => {
  for (const to of ["", ` to="capulet.example"`, ` to="${romeo.bare}"`]) {
    await romeo.sends(`<iq type="get" id="x"${to}><query xmlns="urn:example:unknown"/></iq>`);
    await error(`<iq type="error" id="x"/>`, "cancel", "service-unavailable");
  }
});

spec(RFC, "8.4", "unknown children of messages and presence are passed on", async () => {
  await romeo.sends(
    `<message to="${juliet.jid}"><x xmlns="urn:example:unknown" a="&lt;" xmlns:p="urn:p" p:b="2"><y>1</y></x></message>`,
  );
  const got = await juliet.next();
  const child = got.getChild("x", "urn:example:unknown");
  expect(child?.attrs).toMatchObject({ a: "<", "p:b": "2" });
  expect(child?.getChildText("y")).toBe("1");
});

spec(RFC, "8.1.5", "the language of a stanza is passed on", async () => {
  await romeo.sends(`<message to="${juliet.jid}" type="headline" xml:lang="it"><body>Ahimè</body></message>`);
  await juliet.receives(
    `<message from="${romeo.jid}" to="${juliet.jid}" type="headline" xml:lang="it"><body>Ahimè</body></message>`,
  );
});

spec(RFC, "8.3.3.19", "a presence type that there is none of is bad-request", async () => {
  await romeo.sends(`<presence type="invisible" id="p"/>`);
  await error(`<presence type="error" id="p"/>`, "modify", "bad-request");
});

spec("RFC 6121", "5.2.2", "an unknown type of message counts as normal", async () => {
  await romeo.sends(`<message to="${juliet.jid}" type="telegram"><body>1</body></message>`);
  await juliet.receives(`<message from="${romeo.jid}" to="${juliet.jid}"><body>1</body></message>`, { extra: true });
});
