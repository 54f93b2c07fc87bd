/** REST: accounts. `{user}` is a local part or a bare JID of this host. */
import * as v from "valibot";
import type { AccountFacts } from "../../account/operator.ts";
import { withAccount } from "./address.ts";
import { answer, done, type Operation, operation } from "./operation.ts";
import { PAGE, PASSWORD, TIME } from "./schemas.ts";

const USER = v.object({
  jid: v.string(),
  created: TIME,
  disabled: v.boolean(),
  password: v.pipe(v.boolean(), v.description("Whether it has one; without, only tokens open it.")),
  sessions: v.pipe(v.number(), v.integer()),
});

const shown = ({ created, ...facts }: AccountFacts): v.InferOutput<typeof USER> => ({
  ...facts,
  created: new Date(created).toISOString(),
});

export const users: readonly Operation[] = [
  operation({
    method: "get",
    path: "/users",
    summary: "Lists accounts, in the order of their addresses.",
    query: PAGE,
    answers: {
      200: { about: "A page.", schema: v.object({ users: v.array(v.string()), next: v.optional(v.string()) }) },
    },
    async run({ env, settings, query: { after, limit } }) {
      const found = await env.DIRECTORY.getByName(settings.domain).accounts(after, limit);
      return Response.json({ users: found, ...(found.length === limit && { next: found.at(-1) }) });
    },
  }),
  operation({
    method: "get",
    path: "/users/:user",
    summary: "Shows an account.",
    answers: { 200: { about: "The account.", schema: USER } },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) => answer(await object.account(jid), shown)),
  }),
  operation({
    method: "put",
    path: "/users/:user",
    summary: "Makes an account, or sets its password, which ends its sessions.",
    body: v.strictObject({ password: v.optional(PASSWORD) }),
    answers: {
      200: { about: "It was there.", schema: v.object({ jid: v.string() }) },
      201: { about: "It was made.", schema: v.object({ jid: v.string() }) },
    },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) => {
        const outcome = await object.putAccount(jid, call.body.password);
        return answer(outcome, () => ({ jid }), outcome.ok && outcome.value.created ? 201 : 200);
      }),
  }),
  operation({
    method: "delete",
    path: "/users/:user",
    summary: "Deletes an account and all that it has.",
    answers: { 204: { about: "It is gone." } },
    run: async (call) =>
      withAccount(call, call.param("user"), async (jid, object) => done(await object.removeAccount(jid))),
  }),
  ...[true, false].map((disabled) =>
    operation({
      method: "post",
      path: `/users/:user/${disabled ? "disable" : "enable"}`,
      summary: disabled
        ? "Ends an account's sessions and lets nobody log in; what it has stays."
        : "Lets an account log in again.",
      answers: { 204: { about: "So it is." } },
      run: async (call) =>
        withAccount(call, call.param("user"), async (jid, object) => done(await object.disable(jid, disabled))),
    }),
  ),
];
