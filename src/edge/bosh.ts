/** XEP-0124: BOSH, v1.11.2. The poll is held here, so that the gate may be forgotten meanwhile — https://xmpp.org/extensions/xep-0124.html */
import { BOSH_LEG, type BoshResponse } from "../gate/upgrade.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { clientAddress, isPrivate, region } from "./client.ts";
import type { Env, GateCalls } from "./env.ts";
import { isAllowedOrigin } from "./origin.ts";
import { secondsToWait } from "./upgrade-rate.ts";
import { atGate, gateNamed } from "./websocket.ts";

export const BOSH_PATH = "/http-bind";

/** A wrapper may bring several stanzas, but no more than one of the largest size is of use. */
const WRAPPER = 4096;
/** The gate is named in the sid; a name that no gate has would make one. */
const SID =
  /^(?:<\?xml[^>]{0,128}>\s*)?[^>]{0,2048}?\ssid=["']((?:local|[ew]nam|sam|[ew]eur|apac|oc|afr|me):\d{1,3})\.[a-z2-7]{32}["']/;
const HAS_SID = /^(?:<\?xml[^>]{0,128}>\s*)?[^>]{0,2048}?\ssid=/;
const STRICT = { fatal: true, ignoreBOM: true };
const UTF8 = new TextDecoder("utf-8", STRICT);
const XML = { "content-type": "text/xml; charset=utf-8" };
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
  if (request.method !== "POST")
    return new Response("This address is for XMPP clients (XEP-0124).\n", { headers: cors });
  const text = await read(request, settings.maxStanzaBytes + WRAPPER);
  const response = text instanceof Response ? text : await answered(request, env, settings, text);
  const { headers } = response;
  for (const [name, value] of Object.entries(cors)) headers.set(name, value);
  headers.set("cache-control", "no-store");
  return response;
}

/** The body as text; a response when it is too long (security.md E4) or not UTF-8. */
async function read(request: Request, limit: number): Promise<string | Response> {
  const tooLong = () => new Response(`At most ${limit} bytes.\n`, { status: 413 });
  const length = request.headers.get("content-length");
  if (Number(length) > limit) return tooLong();
  try {
    // A body that says its length has no more than that; to read it piece by piece costs as much as the call to the gate.
    if (length !== null) return UTF8.decode(await request.arrayBuffer());
    const decoder = new TextDecoder("utf-8", STRICT);
    let size = 0;
    let text = "";
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

async function answered(request: Request, env: Env, settings: Settings, text: string): Promise<Response> {
  const secure = isPrivate(request, settings);
  const name = SID.exec(text)?.[1];
  if (name) {
    const gate = gateNamed(env, name);
    return finish(gate, await gate.bosh({ text, secure }), request);
  }
  if (HAS_SID.test(text)) return new Response(NOT_FOUND, { headers: XML });
  const address = clientAddress(request, settings);
  const wait = settings.limits ? secondsToWait(address, Date.now()) : 0;
  if (wait > 0) {
    const headers = { "retry-after": String(wait) };
    return new Response("Too many sessions from this address.\n", { status: 429, headers });
  }
  const newcomer = { address, secure, site: new URL(request.url).origin };
  const response = await atGate(env, region(request), async (gate) => {
    const answer = await gate.bosh({ text, secure, newcomer });
    return answer === "full" ? answer : finish(gate, answer, request);
  });
  return response ?? new Response("Every gate is full.\n", { status: 503, headers: { "retry-after": "60" } });
}

async function finish(gate: GateCalls, answer: BoshResponse, { url }: Request): Promise<Response> {
  if (answer === "full") return new Response(NOT_FOUND, { headers: XML });
  const headers = { "content-type": answer.content };
  if ("text" in answer) return new Response(answer.text, { headers });
  const { leg, wait } = answer;
  const { webSocket } = await gate.fetch(new Request(url, { headers: { upgrade: "websocket", [BOSH_LEG]: leg } }));
  const text = webSocket ? await awaited(webSocket, wait) : undefined;
  if (text !== undefined) return new Response(text, { headers });
  // §17.3 has a response for this. COMPAT Strophe.js, StanzaJS: they take it for the one they wait for, and ask no more.
  return new Response("Ask again.\n", { status: 503, headers: { "retry-after": "1" } });
}

/**
 * The response that comes on a gate's socket; when the client has waited for long enough, the gate is asked for an empty one.
 * Undefined from a gate that is gone.
 */
function awaited(socket: WebSocket, seconds: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  socket.accept();
  const timer = setTimeout(() => socket.send("wait"), seconds * 1000);
  socket.addEventListener("message", ({ data }) => resolve(String(data)));
  socket.addEventListener("close", () => resolve(undefined));
  socket.addEventListener("error", () => resolve(undefined));
  return promise.finally(() => clearTimeout(timer));
}
