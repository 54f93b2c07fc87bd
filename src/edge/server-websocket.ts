/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html. The upgrade: judged here, held by a door. */
import { settingsOf } from "../settings.ts";
import { clientAddress, isPrivate, region } from "./client.ts";
import type { Env } from "./env.ts";
import { secondsToWait } from "./upgrade-rate.ts";

export const SERVER_WEBSOCKET_PATH = "/s2s-xmpp-websocket";

export async function serverWebsocket(request: Request, env: Env): Promise<Response> {
  const settings = settingsOf(env);
  const refuse = (status: number, text: string, headers: HeadersInit = {}) =>
    new Response(`${text}\n`, { status, headers });
  if (!settings.s2sWebsocket) return refuse(404, "This server does not speak with others by WebSocket.");
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return refuse(426, "This address is for other XMPP servers (XEP-0468).", { upgrade: "websocket" });
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  if (!offered.split(",").some((protocol) => protocol.trim() === "xmpp"))
    return refuse(400, "An XMPP WebSocket needs the header Sec-WebSocket-Protocol: xmpp");
  // A page in somebody's browser is no server.
  if (request.headers.has("origin")) return refuse(403, "Web pages do not speak for servers.");
  if (!isPrivate(request, settings)) return refuse(403, "Servers are spoken with over TLS only."); // §2
  // Apart from clients: on Cloudflare all servers there may call from one address.
  const wait = settings.limits ? secondsToWait(`s2s ${clientAddress(request, settings)}`, Date.now()) : 0;
  if (wait > 0) return refuse(429, "Too many connections from this address.", { "retry-after": String(wait) });
  const place = region(request);
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  const door = env.DOOR.getByName(place ?? "local", place && { locationHint: place });
  return door.fetch(new Request(request, { headers }));
}
