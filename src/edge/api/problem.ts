/** RFC 9457: errors of the REST API — https://www.rfc-editor.org/rfc/rfc9457 */
const TITLES = {
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  500: "Internal error",
  503: "Unavailable",
} as const;

export type ProblemStatus = keyof typeof TITLES;

export function problem(status: ProblemStatus, detail: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ type: "about:blank", title: TITLES[status], status, detail }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
