/** RFC 6750: the bearer token of the REST API — https://www.rfc-editor.org/rfc/rfc6750 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createMiddleware } from "hono/factory";
import { settingsOf } from "../../settings.ts";
import type { Env } from "../env.ts";
import { problem } from "./problem.ts";

/** Lets a request pass that carries ADMIN_TOKEN. There are no cookies, so no page can borrow a visitor's right. */
export const authorise = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const { adminToken } = settingsOf(c.env);
  if (adminToken === undefined) return problem(403, "The API is off: ADMIN_TOKEN is not set.");
  const token = /^Bearer +([!-~]+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const challenge = { "www-authenticate": 'Bearer realm="admin"' };
  if (token === undefined) return problem(401, "Send the header Authorization: Bearer <ADMIN_TOKEN>.", challenge);
  if (!isSame(token, adminToken)) return problem(401, "This is not the admin token.", challenge);
  await next();
  c.res.headers.set("cache-control", "no-store");
  return undefined;
});

/** Compares digests, so that neither length nor content shows in the time. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
