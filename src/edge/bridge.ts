/** What the bridge says of a stream whose TLS it ended; believed only with BRIDGE_TOKEN. */
import { createHash, timingSafeEqual } from "node:crypto";
import { BRIDGE_HEADERS } from "../gate/upgrade.ts";
import type { BridgeFacts } from "../peer/frames.ts";
import { domainpart } from "../protocol/domain.ts";
import { type Settings, settingsOf } from "../settings.ts";
import type { Env } from "./env.ts";

/** Whether the request comes from a bridge of ours. */
export function isBridge({ headers }: Request, { bridgeToken }: Settings): boolean {
  const token = /^Bearer +([!-~]+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (token === undefined || bridgeToken === undefined) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(token), digest(bridgeToken));
}

/** The address of the client behind the bridge. */
export const bridgedAddress = ({ headers }: Request) => headers.get(BRIDGE_HEADERS.address) ?? "";

/** What only a bridge asks for: the facts it works by, its socket, and its links to other servers' objects. */
export async function bridge(request: Request, env: Env): Promise<Response> {
  const settings = settingsOf(env);
  if (!isBridge(request, settings)) return new Response("This is for bridges, with BRIDGE_TOKEN.\n", { status: 401 });
  const directory = env.DIRECTORY.getByName(settings.domain);
  const [, , what, name] = new URL(request.url).pathname.split("/");
  if (what === "facts") {
    const { domain, mucDomain, pubsubDomain, uploadDomain, components } = settings;
    const { dialback } = await directory.secrets();
    const hosts = [domain, mucDomain, pubsubDomain, uploadDomain, ...Object.keys(components)];
    return Response.json({ domain, hosts, dialback, components } satisfies BridgeFacts, { headers: NO_STORE });
  }
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
  if (what === "wait") return directory.fetch(request);
  const peer = what === "peer" ? domainpart(decodeURIComponent(name ?? "")) : undefined;
  if (peer === undefined) return new Response("There is nothing here.\n", { status: 404 });
  return env.PEER.getByName(peer).fetch(request);
}

const NO_STORE = { "cache-control": "no-store" };
