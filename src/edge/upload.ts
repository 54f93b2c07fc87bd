/** XEP-0363: HTTP File Upload, v1.2.0, §9: the way to the files, from pages of any site — https://xmpp.org/extensions/xep-0363.html */
import type { Env } from "./env.ts";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, PUT, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type, Range",
  "access-control-max-age": "86400",
};

/** Every file is an object of its own, named by its id. */
export async function upload(request: Request, env: Env, id: string): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  const answer = await env.FILE.getByName(id).fetch(request);
  const response = new Response(answer.body, answer);
  for (const [name, value] of Object.entries(CORS).slice(0, 1)) response.headers.set(name, value);
  return response;
}
