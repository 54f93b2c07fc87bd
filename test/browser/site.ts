/** The pages of src/web as a browser gets them: from our own server, or, before a peer, from a small one that stands in for it. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Server } from "../interop/server.ts";

export interface Site {
  url: string;
  stop: () => Promise<void>;
}

/** A file by its path on the site, and the query; undefined = 404. */
export type Files = (path: string, query: URLSearchParams) => Promise<string | Uint8Array | undefined>;

const PAGES = join(import.meta.dirname, "..", "..", "dist", "web");
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:";

export function siteOf(server: Server): Promise<Site> {
  if (server.name === "ours") return Promise.resolve({ url: `${server.http}/`, stop: async () => {} });
  const info = JSON.stringify({
    domain: server.domain,
    guestDomain: server.hosts.guest,
    roomsDomain: server.hosts.rooms,
    websocket: server.websocket,
    registration: "open",
    anonymous: true,
    siteName: server.domain,
    defaultRoom: "lobby",
  });
  const hostMeta = JSON.stringify({
    links: [{ rel: "urn:xmpp:alt-connections:websocket", href: server.websocket }],
  });
  return serve(async (path) => {
    if (path === "/info.json") return info;
    if (path === "/.well-known/host-meta.json") return hostMeta;
    return readFile(join(PAGES, path === "/" ? "/landing.html" : path)).catch(() => undefined);
  });
}

/** Serves files on loopback, under the policy our server gives its pages. */
export async function serve(files: Files, policy = POLICY): Promise<Site> {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const body = await files(pathname, searchParams);
    // As any site would serve them.
    const packed =
      body !== undefined && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "") ? gzipSync(body) : undefined;
    response.writeHead(body === undefined ? 404 : 200, {
      ...(packed ? { "content-encoding": "gzip" } : {}),
      "content-type": TYPES[extname(pathname) || ".html"] ?? "application/octet-stream",
      "access-control-allow-origin": "*",
      ...(policy ? { "content-security-policy": policy } : {}),
    });
    response.end(packed ?? body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
