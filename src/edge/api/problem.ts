/** RFC 9457: errors of the REST API — https://www.rfc-editor.org/rfc/rfc9457 */
import type { Refusal } from "../../kernel/outcome.ts";
import type { StanzaCondition } from "../../protocol/errors.ts";

/** What programs tell errors apart by: a code never changes its meaning, whatever the words beside it say. */
const PROBLEMS = {
  "bad-request": [400, "Bad request"],
  unauthorized: [401, "Unauthorized"],
  "api-off": [403, "The API is off"],
  forbidden: [403, "Forbidden"],
  "not-found": [404, "Not found"],
  "method-not-allowed": [405, "Method not allowed"],
  conflict: [409, "Conflict"],
  "no-signing-key": [409, "Nothing to sign with"],
  "too-large": [413, "Too large"],
  "unsupported-media-type": [415, "Unsupported media type"],
  "not-acceptable": [422, "Not acceptable"],
  "limit-reached": [429, "Limit reached"],
  "rate-limited": [429, "Too many requests"],
  internal: [500, "Internal error"],
  unavailable: [503, "Unavailable"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
export const statusOf = (code: ProblemCode): number => PROBLEMS[code][0];

/** What the objects' refusals are to a client of this API. */
const CONDITIONS: Partial<Record<StanzaCondition, ProblemCode>> = {
  "bad-request": "bad-request",
  "jid-malformed": "bad-request",
  conflict: "conflict",
  forbidden: "forbidden",
  "not-allowed": "forbidden",
  "item-not-found": "not-found",
  "not-acceptable": "not-acceptable",
  "policy-violation": "limit-reached",
  "resource-constraint": "limit-reached",
  "service-unavailable": "unavailable",
};

/** `more`: other members of the body, and headers. */
export function problem(
  code: ProblemCode,
  detail: string,
  { headers = {}, ...more }: { headers?: Record<string, string>; errors?: readonly object[] } = {},
): Response {
  const [status, title] = PROBLEMS[code];
  return new Response(JSON.stringify({ type: "about:blank", title, status, code, detail, ...more }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

export const refusal = ({ error, text }: Refusal): Response => problem(CONDITIONS[error] ?? "internal", text || error);
