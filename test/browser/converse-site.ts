/** Converse.js 14 as its users deploy it: its own files, and a page that initialises it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { launch } from "./chromium.ts";
import { type Site, serve } from "./site.ts";

const DIST = join(import.meta.dirname, "..", "..", "node_modules", "converse.js", "dist");

/** A server with Romeo and Juliet, a browser, and Converse between them, for the tests of a file. */
export function converse(settings?: Record<string, unknown>): { server: Server; browser: Browser; site: Site } {
  const on = {} as ReturnType<typeof converse>;
  beforeAll(async () => {
    [on.server, on.browser] = await Promise.all([startServer(), launch()]);
    on.site = await converseSite(on.server, settings);
    await on.server.addUsers(["romeo", "juliet"], "secret");
  });
  afterAll(async () => {
    await Promise.all([on.browser?.close(), on.site?.stop()]);
    await on.server?.stop();
  });
  return on;
}

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
