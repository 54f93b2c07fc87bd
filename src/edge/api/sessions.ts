/** REST: the connected clients of an account. */
import * as v from "valibot";
import { withAccount } from "./address.ts";
import { answer, done, type Operation, operation } from "./operation.ts";

const SESSION = v.object({
  resource: v.string(),
  priority: v.pipe(v.number(), v.integer()),
  available: v.pipe(v.boolean(), v.description("Whether it has sent presence.")),
  client: v.optional(v.pipe(v.string(), v.description("The client's own id across its sessions."))),
});

export const sessions: readonly Operation[] = [
  operation({
    method: "get",
    path: "/users/:user/sessions",
    summary: "Lists an account's sessions.",
    answers: { 200: { about: "All of them.", schema: v.object({ sessions: v.array(SESSION) }) } },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) =>
        answer(await object.sessions(jid), (sessions) => ({ sessions })),
      ),
  }),
  operation({
    method: "delete",
    path: "/users/:user/sessions",
    summary:
      "Ends an account's sessions. A client that may log in comes back: revoke its tokens or disable the account first.",
    answers: { 204: { about: "There are none." } },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) => done(await object.endSessions(jid))),
  }),
  operation({
    method: "delete",
    path: "/users/:user/sessions/:resource",
    summary: "Ends one session.",
    answers: { 204: { about: "It has ended." } },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) =>
        done(await object.endSessions(jid, call.param("resource"))),
      ),
  }),
];
