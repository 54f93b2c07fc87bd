/** REST: tokens to log in with, for an app that would rather not sign its own (RFC 7519). */
import { SignJWT } from "jose";
import * as v from "valibot";
import { withAccount } from "./address.ts";
import { done, type Operation, operation } from "./operation.ts";
import { problem } from "./problem.ts";
import { AFFILIATION, NAME, TEXT, TIME } from "./schemas.ts";

const DAY = 86_400;

const CLAIMS = v.strictObject({
  user: NAME,
  name: v.optional(v.pipe(TEXT(255), v.description("What the user is called, unless they have said so themselves."))),
  rooms: v.optional(
    v.pipe(
      v.array(v.strictObject({ room: NAME, affiliation: v.optional(AFFILIATION, "member") })),
      v.maxLength(50),
      v.description("What the user is in rooms, from their login on."),
    ),
  ),
  seconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(DAY)), 600),
  once: v.optional(v.pipe(v.boolean(), v.description("Good for one login."))),
});

export const tokens: readonly Operation[] = [
  operation({
    method: "post",
    path: "/tokens",
    summary:
      "Issues a token that logs a user in, as a password or by OAUTHBEARER; the account is made at its first use.",
    body: CLAIMS,
    answers: { 201: { about: "The token.", schema: v.object({ token: v.string(), jid: v.string(), expires: TIME }) } },
    run: async (call) =>
      withAccount(call, call.body.user, async (jid) => {
        const { jwtAudience, jwtIssuer, jwtUserClaim } = call.settings;
        const [secret] = call.settings.jwtSecrets;
        if (secret === undefined)
          return problem("no-signing-key", "Set JWT_SECRET, which these tokens are signed with.");
        const { name, rooms, seconds, once } = call.body;
        const now = Date.now();
        const expires = Math.ceil(now / 1000) + seconds;
        const claims = { ...(name && { name }), ...(rooms && { rooms }), [jwtUserClaim]: jid };
        const token = new SignJWT(claims)
          .setProtectedHeader({ alg: "HS256", typ: "JWT" })
          .setAudience(jwtAudience)
          .setExpirationTime(expires)
          // To the millisecond: it may be issued right after all others were revoked.
          .setIssuedAt(now / 1000);
        if (jwtIssuer !== undefined) token.setIssuer(jwtIssuer);
        if (once) token.setJti(crypto.randomUUID());
        const text = await token.sign(new TextEncoder().encode(secret));
        return Response.json({ token: text, jid, expires: new Date(expires * 1000).toISOString() }, { status: 201 });
      }),
  }),
  operation({
    method: "delete",
    path: "/users/:user/tokens",
    summary:
      "Makes every token worthless that was issued before for this account, signed here or by an app. Sessions go on.",
    answers: { 204: { about: "None is good any more." } },
    run: async (call) => withAccount(call, call.param("user"), async (jid, object) => done(await object.revoke(jid))),
  }),
];
