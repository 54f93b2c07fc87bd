/** A page with `<xmpp-chat>` in it, under the strictest policy such a page can have. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import type { Server } from "../interop/server.ts";
import { complaints } from "./chromium.ts";
import { type Site, serve } from "./site.ts";

const PAGES = join(import.meta.dirname, "..", "..", "dist", "web");
const policyFor = ({ http }: Server, pictures: boolean) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ws: wss: ${http}`,
    ...(pictures ? [`img-src ${http}`] : []),
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
  ].join("; ");

/**
 * Serves the widget's files and any number of pages: `/?<attributes>` is a page whose element has these attributes. An application
 * that knows everybody answers at `/login/<name>`.
 */
export function widgetSite(
  server: Server,
  websocket: string = server.websocket,
  { pictures = true } = {},
): Promise<Site> {
  const { domain, hosts, http } = server;
  const files = [`${http}/upload/`];
  const info = { domain, guestDomain: hosts.guest, roomsDomain: hosts.rooms, websocket, files };
  return serve(
    async (path, query) => {
      const [, name] = /^\/login\/(\w+)$/.exec(path) ?? [];
      if (name) return JSON.stringify({ jid: `${name}@${domain}`, password: "secret" });
      if (path === "/info.json") return JSON.stringify(info);
      if (path === "/page.css")
        return "html { color-scheme: light dark } body { margin: 0; padding: 12px } h1 { margin: 0 0 12px; font: 600 16px sans-serif } xmpp-chat { height: calc(100vh - 60px) }";
      if (path !== "/") return readFile(join(PAGES, path)).catch(() => undefined);
      const attributes = [...query].map(([name, value]) => `${name}="${value.replace(/[<&"]/g, "")}"`).join(" ");
      const language = query.get("lang") ?? "en";
      return `<!doctype html><html lang="${language}" dir="${language === "ar" ? "rtl" : "ltr"}"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width"><title>A page</title><link rel="stylesheet" href="/page.css">
      <script type="module" src="/embed.js"></script></head><body><main><h1>A page</h1><xmpp-chat src="/" ${attributes}></xmpp-chat></main></body></html>`;
    },
    policyFor(server, pictures),
  );
}

export interface Widget {
  page: Page;
  /** What the page complained of, which should be nothing. */
  said: string[];
  /** A message by its text. */
  message: (text: string) => Locator;
  /** The texts of all messages, in order. */
  texts: () => Promise<string[]>;
  say: (text: string) => Promise<void>;
  /** Opens what can be done to a message, and does it. */
  act: (text: string, action: string) => Promise<void>;
  close: () => Promise<void>;
}

export async function openWidget(
  browser: Browser,
  site: Site,
  attributes: Record<string, string>,
  options: BrowserContextOptions = {},
): Promise<Widget> {
  const context = await browser.newContext({ viewport: { width: 760, height: 640 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const said = complaints(page);
  await page.goto(`${site.url}?${new URLSearchParams(attributes)}`);
  const message = (text: string) => page.locator(".m").filter({ has: page.locator(".b", { hasText: text }) });
  return {
    page,
    said,
    message,
    texts: () => page.locator(".m .b").allInnerTexts(),
    async say(text) {
      await page.fill("textarea", text);
      await page.press("textarea", "Enter");
      await page.locator(".own.sent").filter({ hasText: text }).last().waitFor();
    },
    async act(text, action) {
      await message(text).hover();
      await message(text).locator(".tools > .icon").last().click();
      await page.getByRole("menuitem", { name: action, exact: true }).click();
    },
    close: () => context.close(),
  };
}
