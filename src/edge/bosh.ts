/** XEP-0124: BOSH, v1.11.2. The poll is held here, so that the gate may be forgotten meanwhile — https://xmpp.org/extensions/xep-0124.html */
import { BOSH_HEADERS, GATE_HEADERS } from "../gate/upgrade.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { clientAddress, isPrivate, region } from "./client.ts";
import type { Env } from "./env.ts";
import { isAllowedOrigin } from "./origin.ts";
import { secondsToWait } from "./upgrade-rate.ts";
import { atGate } from "./websocket.ts";

export const BOSH_PATH = "/http-bind";

/** A wrapper may bring several stanzas, but no more than one of the largest size is of use. */
const WRAPPER = 4096;
/** The gate is named in the sid; a name that no gate has would make one. */
const SID = /^[^>]{0,2048}?\ssid=["'](((?:local|[ew]nam|sam|[ew]eur|apac|oc|afr|me):\d{1,3})\.[a-z2-7]{32})["']/;
const HAS_SID = /^[^>]{0,2048}?\ssid=/;
const NOT_FOUND = '<body xmlns="http://jabber.org/protocol/httpbind" type="terminate" condition="item-not-found"/>';

export async function bosh(request: Request, env: Env): Promise<Response> {
  const settings = settingsOf(env);
  const origin = request.headers.get("origin");
  if (!isAllowedOrigin(origin, request, settings)) {
    const text = `Pages of ${origin} may not connect here. The operator can add them to ALLOWED_ORIGINS.\n`;
    return new Response(text, { status: 403 });
  }
  const cors: Record<string, string> = origin === null ? {} : { "access-control-allow-origin": origin, vary: "origin" };
  if (request.method === "OPTIONS") {
    const allowed = { "access-control-allow-methods": "POST, OPTIONS", "access-control-allow-headers": "content-type" };
    return new Response(null, { status: 204, headers: { ...cors, ...allowed, "access-control-max-age": "86400" } });
  }
  if (request.method !== "POST") return new Response("This address is for XMPP clients (XEP-0124).\n", { headers: cors });
  const text = await read(request, settings.maxStanzaBytes + WRAPPER);
  if (text instanceof Response) return text;
  const response = await toGate(request, env, settings, text);
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(cors)) headers.set(name, value);
  headers.set("cache-control", "no-store");
  if (response.webSocket) return new Response(await answer(response.webSocket, headers), { headers });
  return new Response(response.body, { status: response.status, headers });
}

/** The body as text; a response when it is too long (security.md E4) or not UTF-8. */
async function read(request: Request, limit: number): Promise<string | Response> {
  const tooLong = () => new Response(`At most ${limit} bytes.\n`, { status: 413 });
  if (Number(request.headers.get("content-length") ?? 0) > limit) return tooLong();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let size = 0;
  let text = "";
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > limit) return tooLong();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return new Response("This is not UTF-8.\n", { status: 400 });
  }
}

async function toGate(request: Request, env: Env, settings: Settings, text: string): Promise<Response> {
  const address = clientAddress(request, settings);
  const headers = new Headers({
    [GATE_HEADERS.address]: address,
    [GATE_HEADERS.private]: isPrivate(request, settings) ? "1" : "0",
  });
  const [, sid, gate] = SID.exec(text) ?? [];
  const init = { method: "POST", headers, body: text };
  if (sid && gate) {
    headers.set(BOSH_HEADERS.sid, sid);
    return env.GATE.getByName(gate).fetch(new Request(request.url, { ...init, headers }));
  }
  if (HAS_SID.test(text)) return new Response(NOT_FOUND, { headers: { "content-type": "text/xml; charset=utf-8" } });
  const wait = settings.limits ? secondsToWait(address, Date.now()) : 0;
  if (wait > 0) {
    const after = { "retry-after": String(wait) };
    return new Response("Too many sessions from this address.\n", { status: 429, headers: after });
  }
  return atGate(() => new Request(request.url, init), env, region(request));
}

/** The response that comes on a gate's socket; when the client has waited for long enough, the gate is asked for an empty one. */
function answer(socket: WebSocket, headers: Headers): Promise<string> {
  const wait = Number(headers.get(BOSH_HEADERS.wait));
  headers.delete(BOSH_HEADERS.wait);
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.accept();
  const timer = setTimeout(() => socket.send("wait"), wait * 1000);
  socket.addEventListener("message", ({ data }) => resolve(String(data)));
  // A gate that is gone, or has given the request's place to another: the client is to ask again.
  socket.addEventListener("close", () => resolve(RECOVERABLE));
  socket.addEventListener("error", () => resolve(RECOVERABLE));
  return promise.finally(() => clearTimeout(timer));
}

const RECOVERABLE = '<body xmlns="http://jabber.org/protocol/httpbind" type="error"/>';
