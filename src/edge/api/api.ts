/** The REST API, `/api/v1`: every operation behind the same door. */
import { type Context, Hono } from "hono";
import { settingsOf } from "../../settings.ts";
import type { Env } from "../env.ts";
import { type Caller, callerOf, paced } from "./authorise.ts";
import { invites } from "./invites.ts";
import { keys } from "./keys.ts";
import { messages } from "./messages.ts";
import type { Operation } from "./operation.ts";
import { problem } from "./problem.ts";
import { readBody, readQuery } from "./receive.ts";
import { rooms } from "./rooms.ts";
import { scopeOf } from "./scopes.ts";
import { sessions } from "./sessions.ts";
import { tokens } from "./tokens.ts";
import { users } from "./users.ts";

export const OPERATIONS: readonly Operation[] = [
  ...users,
  ...sessions,
  ...tokens,
  ...rooms,
  ...messages,
  ...invites,
  ...keys,
];

type Variables = { Variables: { requestId: string; caller: Caller }; Bindings: Env };

export const api = new Hono<Variables>();

api.use(async (c, next) => {
  const given = c.req.header("x-request-id") ?? "";
  c.set("requestId", /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID());
  const settings = settingsOf(c.env);
  const caller = await callerOf(c.req.raw, c.env, settings);
  if (caller instanceof Response) c.res = caller;
  else {
    c.set("caller", caller);
    const { headers, refusal } = paced(caller, settings);
    if (refusal) c.res = refusal;
    else await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
  }
  c.res.headers.set("cache-control", "no-store");
  c.res.headers.set("x-request-id", c.get("requestId"));
});

for (const operation of OPERATIONS)
  api.on(operation.method.toUpperCase(), operation.path, (c) => perform(c, operation));

for (const [path, operations] of Map.groupBy(OPERATIONS, (operation) => operation.path)) {
  const allow = operations.map(({ method }) => method.toUpperCase()).join(", ");
  api.all(path, () => problem("method-not-allowed", `Here one can ${allow}.`, { headers: { allow } }));
}

async function perform(c: Context<Variables>, operation: Operation): Promise<Response> {
  const { scopes } = c.get("caller");
  const scope = scopeOf(operation);
  if (scopes && !scopes.includes(scope)) return problem("forbidden", `This key may not do that: it lacks ${scope}.`);
  const query = readQuery(new URL(c.req.url), operation);
  if (query instanceof Response) return query;
  const body = await readBody(c.req.raw, operation);
  if (body instanceof Response) return body;
  const key = operation.repeatable ? c.req.header("idempotency-key") : undefined;
  if (key !== undefined && !/^[!-~]{1,255}$/.test(key))
    return problem("bad-request", "An Idempotency-Key has 1 to 255 printable characters.");
  const call = {
    env: c.env,
    settings: settingsOf(c.env),
    param: (name: string) => c.req.param(name) ?? "",
    query: query.value as never,
    body: body.value as never,
    key,
  };
  return operation.run(call);
}
