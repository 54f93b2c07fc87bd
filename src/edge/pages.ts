/** The web pages, embedded in the worker by the build, and the facts they need. */
import { files } from "enjamb:web";
import type { Settings } from "../settings.ts";
import { UPLOAD_PATH } from "../upload/slot.ts";
import { isAllowedOrigin, refusalOf } from "./origin.ts";
import { WEBSOCKET_PATHS } from "./websocket.ts";

/** Scripts, styles and connections of our own only; a page with inline code would not run. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** `/embed/<room>`: a room that fills its page, for the frames of those sites that may connect. */
export function roomPage({ allowedOrigins }: Settings): Response {
  const file = files["/room.html"];
  if (file === undefined) return new Response("This build has no pages.\n", { status: 404 });
  const ancestors = allowedOrigins === "*" ? "*" : ["'self'", ...allowedOrigins].join(" ");
  const policy = POLICY.replace("frame-ancestors 'none'", `frame-ancestors ${ancestors}`);
  const headers = { "content-type": file.type, "cache-control": "no-cache", "content-security-policy": policy };
  return new Response(file.text, { headers });
}

/** The file of a path, a page without its `.html` included; undefined when there is none. */
export function page(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  const path = pathname === "/" ? "/landing.html" : pathname;
  const file = files[path] ?? files[`${path}.html`];
  if (file === undefined) return undefined;
  const headers = new Headers({ "content-type": file.type, etag: file.etag, "cache-control": "no-cache" });
  if (file.type.startsWith("text/html")) headers.set("content-security-policy", POLICY);
  if (path.startsWith("/embed")) {
    // What other sites load into their pages.
    headers.set("access-control-allow-origin", "*");
    headers.set("cross-origin-resource-policy", "cross-origin");
    headers.set("cache-control", "public, max-age=300");
  }
  const same = request.headers.get("if-none-match")?.replace(/^W\//, "") === file.etag;
  return same ? new Response(null, { status: 304, headers }) : new Response(file.text, { headers });
}

/** `/info.json`: what a page of ours must know of this deployment. */
export function info(request: Request, settings: Settings): Response {
  const { domain, guestDomain, mucDomain, registration, anonymous, siteName, defaultRoom, publicUrl } = settings;
  const origin = request.headers.get("origin");
  const facts = {
    domain,
    guestDomain,
    roomsDomain: mucDomain,
    websocket: WEBSOCKET_PATHS[0],
    registration,
    anonymous,
    siteName,
    defaultRoom,
    // Where a slot's URL may begin (features/upload.ts): by these a page knows the server's own files.
    files: [publicUrl ?? new URL(request.url).origin, `https://${domain}`].map((site) => `${site}${UPLOAD_PATH}/`),
    // A page cannot see why its WebSocket was refused.
    ...(!isAllowedOrigin(origin, request, settings) && { refused: refusalOf(origin) }),
  };
  const headers = { "access-control-allow-origin": "*", "cache-control": "no-cache", vary: "origin" };
  return Response.json(facts, { headers });
}
