/** RFC 6750: the bearer token of the REST API — https://www.rfc-editor.org/rfc/rfc6750 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Settings } from "../../settings.ts";
import { problem } from "./problem.ts";

/**
 * Lets a request pass that carries ADMIN_TOKEN. There are no cookies, so no page can borrow a visitor's right.
 * @returns the refusal of any other
 */
export function refuseStranger(authorization: string | null, { adminToken }: Settings): Response | undefined {
  if (adminToken === undefined) return problem("api-off", "The API is off: ADMIN_TOKEN is not set.");
  const token = /^Bearer +([!-~]+)$/i.exec(authorization ?? "")?.[1];
  const headers = { "www-authenticate": 'Bearer realm="admin"' };
  if (token === undefined)
    return problem("unauthorized", "Send the header Authorization: Bearer <ADMIN_TOKEN>.", { headers });
  return isSame(token, adminToken) ? undefined : problem("unauthorized", "This is not the admin token.", { headers });
}

/** Compares digests, so that neither length nor content shows in the time. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
