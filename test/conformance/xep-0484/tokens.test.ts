/** XEP-0484: Fast Authentication Streamlining Tokens — https://xmpp.org/extensions/xep-0484.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import {
  type Attempt,
  BIND2,
  FAST,
  failsToAuthenticate,
  SASL2,
  succeeds,
  TOKEN_MECHANISM,
  tokenProof,
} from "../../support/sasl2.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0484";
const CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770";
const REQUEST = `<request-token xmlns="${FAST}" mechanism="${TOKEN_MECHANISM}"/>`;
const BIND = `<bind xmlns="${BIND2}"/>`;
const SM = "urn:xmpp:sm:3";
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

let users = 0;
/** A stream of a user of its own, so that no test has another's tokens. */
async function newcomer(): Promise<Actor> {
  const name = `romeo${++users}`;
  await world.user(name);
  return again(name);
}

async function again(name: string): Promise<Actor> {
  const actor = await world.connect(name);
  await actor.opens();
  return actor;
}

/** Logs in by password. @returns the token that comes with it */
async function token(actor: Actor, attempt: Attempt = {}): Promise<string> {
  const success = await succeeds(actor, { client: CLIENT, inline: REQUEST + BIND, ...attempt });
  const { token = "", expiry = "" } = success.getChild("token", FAST)?.attrs ?? {};
  expect(Date.parse(expiry)).toBeGreaterThan(Date.now() + 86_400_000);
  return token;
}

const byToken = (name: string, secret: string, fast = "", inline = BIND): Attempt => ({
  mechanism: TOKEN_MECHANISM,
  initial: tokenProof(name, secret),
  client: CLIENT,
  inline: `<fast xmlns="${FAST}"${fast}/>${inline}`,
});

spec(XEP, "4.1", "is offered inline with the mechanism that needs no channel binding", async () => {
  const actor = await world.connect();
  const features = await actor.opens();
  const fast = features.getChild("authentication", SASL2)?.getChild("inline")?.getChild("fast", FAST);
  expect(fast?.getChildren("mechanism").map((el) => el.getText())).toEqual([TOKEN_MECHANISM]);
});

spec(XEP, "4.4", "a token logs in, in one step, and the server proves that it knows it", async () => {
  const actor = await newcomer();
  const secret = await token(actor);
  const back = await again(actor.name);
  const success = await succeeds(back, byToken(actor.name, secret));
  expect(success.getChildText("additional-data")).toBeTruthy();
  expect(success.getChild("bound", BIND2)).toBeDefined();
  await actor.next();
  await actor.fails("conflict");
});

spec(XEP, "4.4", "a token is good for its own client and user only, by <fast/> only", async () => {
  const actor = await newcomer();
  const secret = await token(actor);
  const other = await newcomer();
  await failsToAuthenticate(other, byToken(other.name, secret), "not-authorized");
  const stranger = await again(actor.name);
  await failsToAuthenticate(stranger, { ...byToken(actor.name, secret), client: "somebody-else" }, "not-authorized");
  const silent = await again(actor.name);
  await failsToAuthenticate(silent, { ...byToken(actor.name, secret), inline: BIND }, "not-authorized");
  const wrong = await again(actor.name);
  await failsToAuthenticate(wrong, byToken(actor.name, `${secret}x`), "not-authorized");
});

spec(XEP, "4.3", "without an id of the client there is no token", async () => {
  const actor = await newcomer();
  const success = await succeeds(actor, { inline: REQUEST + BIND });
  expect(success.getChild("token", FAST)).toBeUndefined();
});

spec(XEP, "4.2", "there is no token for a mechanism that was not offered", async () => {
  const actor = await newcomer();
  const success = await succeeds(actor, {
    client: CLIENT,
    inline: `<request-token xmlns="${FAST}" mechanism="HT-SHA-256-EXPR"/>${BIND}`,
  });
  expect(success.getChild("token", FAST)).toBeUndefined();
});

spec(XEP, "4.2", "a token is given without binding, too", async () => {
  const actor = await newcomer();
  const secret = await token(actor, { inline: REQUEST });
  await succeeds(await again(actor.name), byToken(actor.name, secret));
});

spec(XEP, "4.2", "a token is given with a resumption, too", async () => {
  const actor = await newcomer();
  const success = await succeeds(actor, {
    client: CLIENT,
    inline: `<bind xmlns="${BIND2}"><enable xmlns="${SM}" resume="true"/></bind>`,
  });
  const id = success.getChild("bound", BIND2)?.getChild("enabled", SM)?.attrs.id;
  actor.cut();
  const back = await again(actor.name);
  const secret = await token(back, { inline: `${REQUEST}<resume xmlns="${SM}" previd="${id}" h="0"/>` });
  await succeeds(await again(actor.name), byToken(actor.name, secret));
});

spec(XEP, "4.5", "the old token is good until the new one is used, and not after", async () => {
  const actor = await newcomer();
  const old = await token(actor);
  const renewed = await token(await again(actor.name), byToken(actor.name, old, "", REQUEST + BIND));
  expect(renewed).not.toBe(old);
  await succeeds(await again(actor.name), byToken(actor.name, old));
  await succeeds(await again(actor.name), byToken(actor.name, renewed));
  await failsToAuthenticate(await again(actor.name), byToken(actor.name, old), "not-authorized");
});

spec(XEP, "4.6", "a token that its client has invalidated is good once more, for that", async () => {
  const actor = await newcomer();
  const secret = await token(actor);
  await succeeds(await again(actor.name), byToken(actor.name, secret, ` invalidate="true"`));
  await failsToAuthenticate(await again(actor.name), byToken(actor.name, secret), "not-authorized");
});

spec(XEP, "4.4", "a count that was seen before is a replay", async () => {
  const actor = await newcomer();
  const secret = await token(actor);
  await succeeds(await again(actor.name), byToken(actor.name, secret, ` count="5"`));
  for (const count of ["5", "4", "0", "-1", "x"])
    await failsToAuthenticate(
      await again(actor.name),
      byToken(actor.name, secret, ` count="${count}"`),
      "not-authorized",
    );
  await succeeds(await again(actor.name), byToken(actor.name, secret, ` count="6"`));
});

spec(XEP, "6", "no token outlives a change of password", async () => {
  const actor = await newcomer();
  const secret = await token(actor);
  await world.user(actor.name, "another secret");
  await failsToAuthenticate(await again(actor.name), byToken(actor.name, secret), "not-authorized");
});
