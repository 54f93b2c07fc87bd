/** REST: keys for programs that should do less than ADMIN_TOKEN may. */
import * as v from "valibot";
import { type Operation, operation } from "./operation.ts";
import { problem } from "./problem.ts";
import { TEXT, TIME } from "./schemas.ts";
import { SCOPES } from "./scopes.ts";

const SCOPE_LIST = v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length));
const KEY = { id: v.string(), name: v.string(), scopes: v.array(v.string()), created: TIME };

export const keys: readonly Operation[] = [
  operation({
    method: "get",
    path: "/keys",
    summary: "Lists keys, without the secrets, which are kept nowhere.",
    answers: { 200: { about: "All of them.", schema: v.object({ keys: v.array(v.object(KEY)) }) } },
    async run({ env, settings }) {
      const found = await env.DIRECTORY.getByName(settings.domain).keys();
      const keys = found.map(({ created, ...key }) => ({ ...key, created: new Date(created).toISOString() }));
      return Response.json({ keys });
    },
  }),
  operation({
    method: "post",
    path: "/keys",
    summary: "Makes a key that may do what its scopes say. tokens:write and users:write let their holder be any user.",
    body: v.strictObject({ name: TEXT(100), scopes: SCOPE_LIST }),
    answers: {
      201: {
        about: "The key, shown this once.",
        schema: v.object({ id: v.string(), key: v.pipe(v.string(), v.description("Goes where ADMIN_TOKEN would.")) }),
      },
    },
    async run({ env, settings, body: { name, scopes } }) {
      const made = await env.DIRECTORY.getByName(settings.domain).makeKey(name, [...new Set(scopes)]);
      return made ? Response.json(made, { status: 201 }) : problem("conflict", "There are 100 keys: delete one first.");
    },
  }),
  operation({
    method: "delete",
    path: "/keys/:key",
    summary: "Makes a key worthless, by its id.",
    answers: { 204: { about: "It is gone." } },
    async run({ env, settings, param }) {
      const gone = await env.DIRECTORY.getByName(settings.domain).removeKey(param("key"));
      return gone ? new Response(null, { status: 204 }) : problem("not-found", "There is no such key.");
    },
  }),
];
