/** RFC 6120 §6: SASL negotiation — https://www.rfc-editor.org/rfc/rfc6120#section-6 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { type ScramMechanism, scramClient } from "../../support/scram.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const RFC = "RFC 6120";
let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
  await world.user("juliet");
});
afterAll(() => world.dispose());

const base64 = (text: string) => Buffer.from(text).toString("base64");
const auth = (actor: Actor, mechanism: string, data: string) =>
  actor.sends(`<auth xmlns="${SASL}" mechanism="${mechanism}">${data}</auth>`);
const fails = (actor: Actor, condition: string) =>
  actor.receives(`<failure xmlns="${SASL}"><${condition}/></failure>`, { extra: true });

async function opened(name = "romeo", host?: string): Promise<Actor> {
  const actor = await world.connect(name);
  await actor.opens(host);
  return actor;
}

spec(RFC, "6.3.3", "mechanisms are offered in order of preference", async () => {
  const actor = await opened();
  const offered = actor.features?.getChild("mechanisms", SASL)?.getChildElements();
  expect(offered?.map((el) => el.getText())).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
});

spec(RFC, "6.3.3", "guests are offered ANONYMOUS and nothing else", async () => {
  const actor = await opened("somebody", world.settings.guestDomain);
  const offered = actor.features?.getChild("mechanisms", SASL)?.getChildElements();
  expect(offered?.map((el) => el.getText())).toEqual(["ANONYMOUS"]);
  await auth(actor, "ANONYMOUS", "");
  await actor.receives(`<success xmlns="${SASL}"/>`);
});

for (const mechanism of ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
  spec(RFC, "6.4", `${mechanism} logs in, and proves that the server knows the password`, async () => {
    const actor = await world.login("romeo", { mechanism, resource: mechanism });
    expect(actor.jid).toBe(`romeo@capulet.example/${mechanism}`);
  });
}

spec(RFC, "6.4.2", "without an initial response an empty challenge asks for it", async () => {
  const actor = await opened();
  await auth(actor, "PLAIN", "");
  await actor.receives(`<challenge xmlns="${SASL}"/>`);
  await actor.sends(`<response xmlns="${SASL}">${base64("\0romeo\0romeo's secret")}</response>`);
  await actor.receives(`<success xmlns="${SASL}"/>`);
});

spec(RFC, "6.4.2", '"=" is an initial response of no length', async () => {
  const actor = await opened();
  await auth(actor, "PLAIN", "=");
  await fails(actor, "malformed-request");
});

spec(RFC, "6.4.4", "an <abort/> is answered by aborted, and another try is possible", async () => {
  const actor = await opened();
  await auth(actor, "SCRAM-SHA-256", base64("n,,n=romeo,r=abcdefgh"));
  await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
  await actor.sends(`<abort xmlns="${SASL}"/>`);
  await fails(actor, "aborted");
  await auth(actor, "PLAIN", base64("\0romeo\0romeo's secret"));
  await actor.receives(`<success xmlns="${SASL}"/>`);
});

spec(RFC, "6.4.5", "the third failure ends the stream", async () => {
  const actor = await opened();
  for (let i = 0; i < 3; i++) {
    await auth(actor, "PLAIN", base64(`\0romeo\0wrong ${i}`));
    await fails(actor, "not-authorized");
  }
  await actor.fails("policy-violation");
});

spec(RFC, "6.4.5", "a right password after two wrong ones is let in", async () => {
  const actor = await opened();
  for (let i = 0; i < 2; i++) {
    await auth(actor, "PLAIN", base64(`\0romeo\0wrong ${i}`));
    await fails(actor, "not-authorized");
  }
  await auth(actor, "PLAIN", base64("\0romeo\0romeo's secret"));
  await actor.receives(`<success xmlns="${SASL}"/>`);
});

spec(RFC, "6.4.6", "a client that is authenticated does not authenticate again", async () => {
  const actor = await opened();
  const plain = base64("\0romeo\0romeo's secret");
  await auth(actor, "PLAIN", plain);
  await actor.receives(`<success xmlns="${SASL}"/>`);
  await auth(actor, "PLAIN", plain);
  await actor.fails("not-authorized");
});

spec(RFC, "6.4.6", "before the stream is opened again, nothing but a header is expected to work", async () => {
  const actor = await opened();
  await auth(actor, "PLAIN", base64("\0romeo\0romeo's secret"));
  await actor.receives(`<success xmlns="${SASL}"/>`);
  await actor.sends(`<message to="juliet@capulet.example"><body>too early</body></message>`);
  await actor.fails("not-authorized");
});

for (const [what, data] of [
  ["is no base64", "this is no base64!"],
  ["has no padding", base64("\0romeo\0x").replace(/=+$/, "")],
  [
    "has white space",
    `${base64("\0romeo\0romeo's secret").slice(0, 8)}\n${base64("\0romeo\0romeo's secret").slice(8)}`,
  ],
] as const) {
  spec(RFC, "6.5.5", `data that ${what} is incorrect-encoding`, async () => {
    const actor = await opened();
    await auth(actor, "PLAIN", data);
    await fails(actor, "incorrect-encoding");
  });
}

spec(RFC, "6.5.6", "an authzid of one's own is accepted", async () => {
  const actor = await opened();
  await auth(actor, "PLAIN", base64("romeo@capulet.example\0romeo\0romeo's secret"));
  await actor.receives(`<success xmlns="${SASL}"/>`);
});

for (const authzid of ["juliet@capulet.example", "romeo@elsewhere.example", "capulet.example", "juliet", "@"]) {
  spec(RFC, "6.5.6", `authzid "${authzid}" of somebody else is invalid-authzid`, async () => {
    const actor = await opened();
    await auth(actor, "PLAIN", base64(`${authzid}\0romeo\0romeo's secret`));
    await fails(actor, "invalid-authzid");
  });
}

spec(RFC, "6.5.6", "an authzid of somebody else in SCRAM is invalid-authzid", async () => {
  const actor = await opened();
  const scram = scramClient("SCRAM-SHA-256", "romeo", "romeo's secret", "juliet@capulet.example");
  await auth(actor, "SCRAM-SHA-256", base64(scram.first));
  const challenge = await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
  const final = scram.final(Buffer.from(challenge.getText(), "base64").toString());
  await actor.sends(`<response xmlns="${SASL}">${base64(final)}</response>`);
  await fails(actor, "invalid-authzid");
});

for (const mechanism of ["ANONYMOUS", "SCRAM-SHA-256-PLUS", "EXTERNAL", "HT-SHA-256-NONE", "DIGEST-MD5", "plain", ""]) {
  spec(RFC, "6.5.7", `mechanism "${mechanism}", which was not offered, is invalid-mechanism`, async () => {
    const actor = await opened();
    await auth(actor, mechanism, base64("\0romeo\0romeo's secret"));
    await fails(actor, "invalid-mechanism");
  });
}

for (const [mechanism, message] of [
  ["PLAIN", "romeo"],
  ["PLAIN", "\0\0romeo's secret"],
  ["PLAIN", "\0romeo\0"],
  ["PLAIN", "\0romeo\0a\0b"],
  ["SCRAM-SHA-256", "n=romeo,r=abc"],
  ["SCRAM-SHA-256", "p=tls-exporter,,n=romeo,r=abcdefgh"],
  ["SCRAM-SHA-256", "n,,m=ext,n=romeo,r=abcdefgh"],
] as const) {
  spec(RFC, "6.5.8", `${mechanism} of ${JSON.stringify(message)} is malformed-request`, async () => {
    const actor = await opened();
    await auth(actor, mechanism, base64(message));
    await fails(actor, "malformed-request");
  });
}

spec(RFC, "6.5.8", "a response that nobody asked for is malformed-request", async () => {
  const actor = await opened();
  await actor.sends(`<response xmlns="${SASL}">${base64("c=biws")}</response>`);
  await fails(actor, "malformed-request");
});

spec(RFC, "6.5.8", "a response of the other profile is malformed-request", async () => {
  const actor = await opened();
  await auth(actor, "SCRAM-SHA-256", base64("n,,n=romeo,r=abcdefgh"));
  await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
  await actor.sends(`<response xmlns="urn:xmpp:sasl:2">${base64("c=biws,r=abcdefgh,p=AAAA")}</response>`);
  await actor.receives(
    `<failure xmlns="urn:xmpp:sasl:2"><malformed-request xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>`,
    { extra: true },
  );
});

for (const mechanism of ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
  for (const name of ["romeo", "nobody", "no body"]) {
    spec(RFC, "6.5.10", `${mechanism} with a wrong password for "${name}" is not-authorized`, async () => {
      const actor = await opened();
      if (mechanism === "PLAIN") await auth(actor, mechanism, base64(`\0${name}\0wrong`));
      else {
        const scram = scramClient(mechanism, name, "wrong");
        await auth(actor, mechanism, base64(scram.first));
        const challenge = await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
        const final = scram.final(Buffer.from(challenge.getText(), "base64").toString());
        await actor.sends(`<response xmlns="${SASL}">${base64(final)}</response>`);
      }
      const failure = await fails(actor, "not-authorized");
      expect(failure.getChildElements()).toHaveLength(1);
    });
  }
}

/** Salt and iterations of two first steps. */
async function firsts(mechanism: ScramMechanism, name: string): Promise<string[]> {
  const actor = await opened();
  const found = [];
  for (let i = 0; i < 2; i++) {
    await auth(actor, mechanism, base64(`n,,n=${name},r=${randomBytes(9).toString("base64")}`));
    const challenge = await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
    const text = Buffer.from(challenge.getText(), "base64").toString();
    found.push(text.slice(text.indexOf(",s=")));
  }
  return found;
}

for (const mechanism of ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
  spec(RFC, "6.5.10", `${mechanism} looks the same for a user and for nobody`, async () => {
    const [one, same] = await firsts(mechanism, "nobody");
    expect(same).toBe(one);
    const [other] = await firsts(mechanism, "nobody-else");
    expect(other).not.toBe(one);
    const [real, again] = await firsts(mechanism, "romeo");
    expect(again).toBe(real);
    expect(real?.length).toBe(one?.length);
    expect(real?.match(/,i=\d+/)?.[0]).toBe(one?.match(/,i=\d+/)?.[0]);
  });
}

spec(RFC, "6.5.10", "an account made meanwhile has another salt than nobody had", async () => {
  const [before] = await firsts("SCRAM-SHA-256", "mercutio");
  await world.user("mercutio");
  const [after] = await firsts("SCRAM-SHA-256", "mercutio");
  expect(after?.length).toBe(before?.length);
});

spec(RFC, "6.5.11", "too many failures from one address are a temporary-auth-failure", async () => {
  // Warm: who was forgotten has been idle, and idleness forgives.
  const strict = await World.start({ settings: { LIMITS: "on" }, evict: false });
  try {
    await strict.user("romeo");
    let condition: string | undefined;
    for (let stream = 0; stream < 8 && condition !== "temporary-auth-failure"; stream++) {
      const actor = await strict.connect("romeo");
      await actor.opens();
      for (let i = 0; i < 3; i++) {
        await auth(actor, "PLAIN", base64("\0romeo\0wrong"));
        condition = (await actor.next()).getChildElements()[0]?.name;
        if (condition === "temporary-auth-failure") break;
      }
    }
    expect(condition).toBe("temporary-auth-failure");
  } finally {
    await strict.dispose();
  }
});

spec(RFC, "6.5", "guesses at one account are counted, and only those", async () => {
  const strict = await World.start({ settings: { LIMITS: "on" }, evict: false });
  try {
    await strict.user("romeo");
    await strict.user("juliet");
    const plain = (name: string, password: string) => base64(`\0${name}\0${password}`);
    for (let guesses = 0; guesses < 10; ) {
      const actor = await strict.connect("romeo");
      await actor.opens();
      for (let tries = 0; tries < 2 && guesses < 10; tries++, guesses++) {
        await auth(actor, "PLAIN", plain("romeo", "wrong"));
        await fails(actor, "not-authorized");
      }
      actor.cut();
    }
    const romeo = await strict.connect("romeo");
    await romeo.opens();
    await auth(romeo, "PLAIN", plain("romeo", "romeo's secret"));
    await fails(romeo, "temporary-auth-failure");
    const juliet = await strict.connect("juliet");
    await juliet.opens();
    await auth(juliet, "PLAIN", plain("juliet", "juliet's secret"));
    await juliet.receives(`<success xmlns="${SASL}"/>`);
  } finally {
    await strict.dispose();
  }
});
