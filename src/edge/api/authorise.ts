/** RFC 6750: the bearer tokens of the REST API — https://www.rfc-editor.org/rfc/rfc6750. There are no cookies, so no page can borrow a visitor's right. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Settings } from "../../settings.ts";
import { Buckets } from "../buckets.ts";
import { clientAddress } from "../client.ts";
import type { Env } from "../env.ts";
import { problem } from "./problem.ts";

/** Who is let in. */
export interface Caller {
  /** A key's id, or "admin". */
  id: string;
  /** Undefined: all there are. */
  scopes: readonly string[] | undefined;
}

/** Requests of one caller; and wrong tokens from one address, in an hour. */
const requests = new Buckets(600, 10);
const failures = new Buckets(20, 20 / 3600);

/** Lets a request pass that carries ADMIN_TOKEN, or a key. @returns the refusal of any other */
export async function callerOf(request: Request, env: Env, settings: Settings): Promise<Caller | Response> {
  const { adminToken, limits } = settings;
  if (adminToken === undefined) return problem("api-off", "The API is off: ADMIN_TOKEN is not set.");
  const token = /^Bearer +([!-~]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const headers = { "www-authenticate": 'Bearer realm="admin"' };
  if (token === undefined)
    return problem("unauthorized", "Send the header Authorization: Bearer <ADMIN_TOKEN>.", { headers });
  if (isSame(token, adminToken)) return { id: "admin", scopes: undefined };
  // Behind a proxy everybody may have one address, so a stranger there must not shut the door for who has the token.
  const address = clientAddress(request, settings);
  const wait = limits ? failures.take(address, Date.now(), 0).wait : 0;
  if (wait > 0) return tooMany("Too many wrong tokens came from this address.", wait);
  const id = /^enj_([a-z2-7]{13})_[a-z2-7]{26}$/.exec(token)?.[1];
  const scopes = id && (await env.DIRECTORY.getByName(settings.domain).scopesOf(id, digest(token)));
  if (id && scopes) return { id, scopes };
  if (limits) failures.take(address, Date.now());
  return problem("unauthorized", "This is not the admin token, nor a key.", { headers });
}

/** Counts a request of a caller. @returns headers that tell how many are left, and the refusal when none is */
export function paced({ id }: Caller, { limits }: Settings): { headers: Record<string, string>; refusal?: Response } {
  if (!limits) return { headers: {} };
  const { wait, remaining, full } = requests.take(id, Date.now());
  const headers = {
    "ratelimit-limit": String(requests.burst),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(full),
  };
  return wait > 0 ? { headers, refusal: tooMany("Slow down.", wait) } : { headers };
}

const tooMany = (detail: string, wait: number) =>
  problem("rate-limited", `${detail} Try again in ${wait} s.`, { headers: { "retry-after": String(wait) } });

const digest = (text: string) => createHash("sha256").update(text).digest("base64url");

/** Compares digests, so that neither length nor content shows in the time. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(digest(a)), Buffer.from(digest(b)));
