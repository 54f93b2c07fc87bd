/** XEP-0363: HTTP File Upload, v1.2.0, §9: the way to the files, from pages of any site — https://xmpp.org/extensions/xep-0363.html */
import type { Env } from "./env.ts";

const ANYBODY = ["access-control-allow-origin", "*"] as const;
const PREFLIGHT = {
  [ANYBODY[0]]: ANYBODY[1],
  "access-control-allow-methods": "GET, HEAD, PUT, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type, Range",
  "access-control-max-age": "86400",
};

/** Every file is an object of its own, named by its id. */
export async function upload(request: Request, env: Env, id: string): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: PREFLIGHT });
  const answer = await env.FILE.getByName(id).fetch(request);
  const response = new Response(answer.body, answer);
  response.headers.set(...ANYBODY);
  return response;
}
