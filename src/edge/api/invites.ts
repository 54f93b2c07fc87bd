/** REST: invitations to register (XEP-0445). */
import * as v from "valibot";
import { type Operation, operation } from "./operation.ts";
import { TIME } from "./schemas.ts";

export const invites: readonly Operation[] = [
  operation({
    method: "post",
    path: "/invites",
    summary: "Makes an invitation to register one account, good for a week.",
    answers: {
      201: { about: "The invitation.", schema: v.object({ token: v.string(), uri: v.string(), expires: TIME }) },
    },
    async run({ env, settings: { domain } }) {
      const { token, expires } = await env.DIRECTORY.getByName(domain).invite();
      // XEP-0445 §3
      const uri = `xmpp:${domain}?register;preauth=${token}`;
      return Response.json({ token, uri, expires: new Date(expires).toISOString() }, { status: 201 });
    },
  }),
];
