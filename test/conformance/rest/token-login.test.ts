/** A token of a web app in every mechanism that takes one; and what a client of it gets for its next login. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import {
  BIND2,
  base64,
  FAST,
  failsToAuthenticate,
  plain,
  succeeds,
  TOKEN_MECHANISM,
  tokenProof,
} from "../../support/sasl2.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770";
let world: World;

beforeAll(async () => {
  world = await World.start({ settings: { JWT_SECRET: "0123456789abcdef0123456789abcdef" } });
});
afterAll(() => world?.dispose());

async function token(user: string, more: object = {}): Promise<string> {
  const response = await world.rest("POST", "/api/v1/tokens", { user, ...more });
  return ((await response.json()) as { token: string }).token;
}
const bearer = (token: string, authzid = "") =>
  base64(`n,${authzid && `a=${authzid}`},\u0001auth=Bearer ${token}\u0001\u0001`);

async function opened(name: string): Promise<Actor> {
  const actor = await world.connect(name);
  await actor.opens();
  return actor;
}

spec("RFC 7628", "3.1", "a token by OAUTHBEARER logs its own user in", async () => {
  const actor = await opened("juliet");
  await actor.sends(`<auth xmlns="${SASL}" mechanism="OAUTHBEARER">${bearer(await token("juliet"))}</auth>`);
  await actor.receives(`<success xmlns="${SASL}"/>`);
  await actor.opens();
  await actor.binds();
  expect(actor.bare).toBe(`juliet@${world.domain}`);
});

spec("RFC 7628", "3.2.3", "a refusal is told in two steps, and says no more than that", async () => {
  const actor = await opened("juliet");
  const forged = `${(await token("juliet")).slice(0, -4)}AAAA`;
  await actor.sends(`<auth xmlns="${SASL}" mechanism="OAUTHBEARER">${bearer(forged)}</auth>`);
  const challenge = await actor.receives(`<challenge xmlns="${SASL}">*</challenge>`);
  expect(JSON.parse(Buffer.from(challenge.getText(), "base64").toString())).toEqual({ status: "invalid_token" });
  await actor.sends(`<response xmlns="${SASL}">${base64("\u0001")}</response>`);
  await actor.receives(`<failure xmlns="${SASL}"><not-authorized/></failure>`, { extra: true });
});

spec("RFC 6120", "6.3.8", "a token for one user is no right to be another", async () => {
  const actor = await opened("juliet");
  const initial = bearer(await token("juliet"), `romeo@${world.domain}`);
  await actor.sends(`<auth xmlns="${SASL}" mechanism="OAUTHBEARER">${initial}</auth>`);
  await actor.receives(`<failure xmlns="${SASL}"><invalid-authzid/></failure>`, { extra: true });
});

spec(
  "XEP-0484",
  "3.3",
  "after one login by a token a client needs the app no more, until all tokens are revoked",
  async () => {
    const inline = `<bind xmlns="${BIND2}"/>`;
    const first = await opened("nurse");
    const wish = `<request-token xmlns="${FAST}" mechanism="${TOKEN_MECHANISM}"/>`;
    const initial = bearer(await token("nurse", { once: true }));
    const success = await succeeds(first, { mechanism: "OAUTHBEARER", initial, client: CLIENT, inline: inline + wish });
    const fast = success.getChild("token", FAST)?.attrs.token ?? "";
    expect(fast).not.toBe("");
    first.cut();

    const attempt = { mechanism: TOKEN_MECHANISM, initial: tokenProof("nurse", fast), client: CLIENT };
    const again = await opened("nurse");
    await succeeds(again, { ...attempt, inline: `${inline}<fast xmlns="${FAST}"/>` });
    expect(again.bare).toBe(`nurse@${world.domain}`);

    await world.rest("DELETE", "/api/v1/users/nurse/tokens");
    await failsToAuthenticate(
      await opened("nurse"),
      { ...attempt, inline: `<fast xmlns="${FAST}"/>` },
      "not-authorized",
    );
  },
);

spec("XEP-0388", "2.3", "the token may be the password, with what rides along", async () => {
  const actor = await opened("friar");
  const initial = plain("friar", await token("friar"));
  await succeeds(actor, { initial, inline: `<bind xmlns="${BIND2}"/>` });
  expect(actor.bare).toBe(`friar@${world.domain}`);
});
