/** RFC 7395 §3.1: the WebSocket upgrade. Judged here, held by a gate — https://www.rfc-editor.org/rfc/rfc7395 */
import { BRIDGE_HEADERS, GATE_FULL, GATE_HEADERS } from "../gate/upgrade.ts";
import { gateHome } from "../kernel/placement.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { bridgedAddress, isBridge } from "./bridge.ts";
import { clientAddress, isPrivate, region } from "./client.ts";
import type { Env, GateCalls, LocationHint } from "./env.ts";
import { isAllowedOrigin, refusalOf } from "./origin.ts";
import { secondsToWait } from "./upgrade-rate.ts";

/** XEP-0156's example path first, then those of other servers and of habit. */
export const WEBSOCKET_PATHS = ["/xmpp-websocket", "/ws", "/xmpp"] as const;

/** More gates per region than this is more than the region has users for. */
const MOST_GATES = 1_000;
/** After this a gate that was full is asked again. */
const HINT_SECONDS = 60;
/** Region → the first gate that had room when last asked. A hint only: each isolate has its own. */
const hints = new Map<string, { index: number; until: number }>();

export async function websocket(request: Request, env: Env): Promise<Response> {
  const settings = settingsOf(env);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return explain(settings);
  if (!offersXmpp(request)) {
    // RFC 7395 §3.1: without the subprotocol this is no XMPP client, and it would understand nothing.
    return new Response("An XMPP WebSocket needs the header Sec-WebSocket-Protocol: xmpp\n", { status: 400 });
  }
  const origin = request.headers.get("origin");
  if (!isAllowedOrigin(origin, request, settings)) {
    return new Response(`${refusalOf(origin)}\n`, { status: 403 });
  }
  const bridged = isBridge(request, settings);
  const address = bridged ? bridgedAddress(request) : clientAddress(request, settings);
  const wait = settings.limits ? secondsToWait(address, Date.now()) : 0;
  if (wait > 0) {
    const headers = { "retry-after": String(wait) };
    return new Response("Too many connections from this address.\n", { status: 429, headers });
  }
  // The gate is told these, and nothing that the client sent.
  const headers = {
    upgrade: "websocket",
    [GATE_HEADERS.address]: address,
    [GATE_HEADERS.private]: bridged || isPrivate(request, settings) ? "1" : "0",
    [GATE_HEADERS.bindings]: (bridged && request.headers.get(BRIDGE_HEADERS.bindings)) || "[]",
    // A bridge comes by an address that its clients may not reach.
    [GATE_HEADERS.site]: bridged ? "" : new URL(request.url).origin,
  };
  const response = await atGate(env, region(request), async (gate) => {
    const answer = await gate.fetch(new Request(request.url, { headers }));
    return answer.status === 503 && answer.headers.has(GATE_FULL) ? "full" : answer;
  });
  return response ?? new Response("Every gate is full.\n", { status: 503, headers: { "retry-after": "60" } });
}

function offersXmpp(request: Request): boolean {
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  return offered.split(",").some((protocol) => protocol.trim() === "xmpp");
}

/** The object that a gate is in; `place`: near where it is made. */
export function gateNamed(env: Env, gate: string, place?: LocationHint): GateCalls {
  const { kind, name } = gateHome(settingsOf(env), gate);
  return (kind === "USER" ? env.USER : env.GATE).getByName(name, place && { locationHint: place });
}

/** Asks gates in turn until one has room. */
export async function atGate<T>(
  env: Env,
  place: LocationHint | undefined,
  ask: (gate: GateCalls) => Promise<T | "full">,
): Promise<T | undefined> {
  const region = place ?? "local";
  const now = Date.now();
  const hint = hints.get(region);
  const first = hint !== undefined && hint.until > now ? hint.index : 0;
  for (let index = first; index < MOST_GATES; index++) {
    const answer = await ask(gateNamed(env, `${region}:${index}`, place));
    if (answer !== "full") return answer;
    hints.set(region, { index: index + 1, until: now + HINT_SECONDS * 1000 });
  }
  hints.delete(region);
  return undefined;
}

/** What a person sees who opens the address in a browser. */
function explain({ siteName, domain }: Settings): Response {
  const name = siteName.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}: XMPP over WebSocket</title>
<h1>It works</h1>
<p>This address is for XMPP clients (RFC 7395): give it to yours, with an address that ends in <b>@${domain}</b>.</p>
<p><a href="/">${name}</a></p>
</html>
`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}
