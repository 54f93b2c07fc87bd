/** Converse.js 14 as its users deploy it: its own files, and a page that initialises it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Server } from "../interop/server.ts";
import { type Site, serve } from "./site.ts";
import { type Stage, stage } from "./stage.ts";

const DIST = join(import.meta.dirname, "..", "..", "node_modules", "converse.js", "dist");

/** Converse between a browser and a server with Romeo and Juliet. */
export const converse = (settings?: Record<string, unknown>): Stage =>
  stage((server) => converseSite(server, settings), ["romeo", "juliet"]);

export function converseSite(server: Server, more: Record<string, unknown> = {}): Promise<Site> {
  const settings = {
    websocket_url: server.websocket,
    discover_connection_methods: false,
    assets_path: "/dist/",
    view_mode: "fullscreen",
    i18n: "en",
    clear_cache_on_logout: true,
    allow_non_roster_messaging: true,
    auto_subscribe: true,
    muc_domain: server.hosts.rooms,
    loglevel: "error",
    ...more,
  };
  const page = `<!doctype html><html><head><meta charset="utf-8"><title>Converse</title>
<link rel="stylesheet" href="/dist/converse.min.css"></head><body class="converse-fullscreen">
<script type="module">
import "/dist/converse.min.js";
converse.initialize(${JSON.stringify(settings)});
</script></body></html>`;
  return serve(
    async (path) =>
      path === "/"
        ? page
        : readFile(join(DIST, path.replace(/^\/dist\//, "/").replaceAll("..", ""))).catch(() => undefined),
    "",
  );
}

/** Fills in the form and waits until the roster is there. */
export async function logIn(page: Page, site: Site, jid: string, password: string): Promise<void> {
  // Its front page shows sponsors from elsewhere; nothing leaves this machine.
  await page.route("**", (route) => (route.request().url().startsWith(site.url) ? route.continue() : route.abort()));
  await page.goto(site.url);
  await page.fill('input[name="jid"]', jid);
  await page.fill('input[name="password"]', password);
  await page.click('input[type="submit"], button[type="submit"]');
  await page.waitForSelector("#controlbox .controlbox-padded, converse-user-profile", { timeout: 20_000 });
}
