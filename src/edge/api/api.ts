/** The REST API, `/api/v1`: every operation behind the same door. */
import { type Context, Hono } from "hono";
import { settingsOf } from "../../settings.ts";
import type { Env } from "../env.ts";
import { refuseStranger } from "./authorise.ts";
import { invites } from "./invites.ts";
import { messages } from "./messages.ts";
import type { Operation } from "./operation.ts";
import { problem } from "./problem.ts";
import { readBody, readQuery } from "./receive.ts";
import { rooms } from "./rooms.ts";
import { sessions } from "./sessions.ts";
import { tokens } from "./tokens.ts";
import { users } from "./users.ts";

export const OPERATIONS: readonly Operation[] = [...users, ...sessions, ...tokens, ...rooms, ...messages, ...invites];

type Variables = { Variables: { requestId: string }; Bindings: Env };

export const api = new Hono<Variables>();

api.use(async (c, next) => {
  const given = c.req.header("x-request-id") ?? "";
  c.set("requestId", /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID());
  const refused = refuseStranger(c.req.header("authorization") ?? null, settingsOf(c.env));
  if (refused) c.res = refused;
  else await next();
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
