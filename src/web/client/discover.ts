/** XEP-0156: Discovering Alternative XMPP Connection Methods, v1.4 — https://xmpp.org/extensions/xep-0156.html */

const WEBSOCKET = "urn:xmpp:alt-connections:websocket";

/**
 * The WebSocket URL for an address a site owner would type: `ws:` and `wss:` URLs are taken as they are, an `https:` origin is
 * asked for its host-meta, and one that has none is assumed to answer at `/xmpp-websocket`. Only encrypted URLs are followed
 * from an encrypted origin.
 */
export async function discover(address: string): Promise<string> {
  const origin = new URL(address);
  if (/^wss?:$/.test(origin.protocol)) return origin.href;
  const fallback = new URL("/xmpp-websocket", origin);
  fallback.protocol = origin.protocol.replace("http", "ws");
  try {
    const response = await fetch(new URL("/.well-known/host-meta.json", origin));
    const { links } = (await response.json()) as { links: { rel: string; href: string }[] };
    const found = links.find(({ rel, href }) => rel === WEBSOCKET && href.startsWith(fallback.protocol));
    return found?.href ?? fallback.href;
  } catch {
    return fallback.href;
  }
}
