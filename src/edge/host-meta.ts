/** XEP-0156: Discovering Alternative XMPP Connection Methods, v1.4 — https://xmpp.org/extensions/xep-0156.html */
import type { Settings } from "../settings.ts";
import { BOSH_PATH } from "./bosh.ts";
import { SERVER_WEBSOCKET_PATH } from "./server-websocket.ts";
import { WEBSOCKET_PATHS } from "./websocket.ts";

/** Pages of any origin may read where to connect; §6 wants this header on these files only. */
const CORS = { "access-control-allow-origin": "*", "cache-control": "no-cache" };

interface Link {
  readonly rel: string;
  readonly href: string;
}

/** The ways in. §7 wants TLS; plain addresses are given only by a server that has itself been asked without it. */
export function links(request: { readonly url: string }, settings: Settings): Link[] {
  const base = settings.publicUrl ?? new URL(request.url).origin;
  const sockets = base.replace(/^http/, "ws");
  const servers = { rel: "urn:xmpp:alt-connections:s2s-websocket", href: sockets + SERVER_WEBSOCKET_PATH };
  return [
    { rel: "urn:xmpp:alt-connections:websocket", href: sockets + WEBSOCKET_PATHS[0] },
    { rel: "urn:xmpp:alt-connections:xbosh", href: base + BOSH_PATH },
    ...(settings.s2sWebsocket ? [servers] : []),
  ];
}

export function hostMetaXml(request: { readonly url: string }, settings: Settings): Response {
  const rows = links(request, settings).map(({ rel, href }) => `  <Link rel="${rel}" href="${attribute(href)}"/>\n`);
  const xrd = `<?xml version="1.0" encoding="utf-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
${rows.join("")}</XRD>
`;
  return new Response(xrd, { headers: { ...CORS, "content-type": "application/xrd+xml; charset=utf-8" } });
}

export function hostMetaJson(request: { readonly url: string }, settings: Settings): Response {
  return Response.json({ links: links(request, settings) }, { headers: CORS });
}

const attribute = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
