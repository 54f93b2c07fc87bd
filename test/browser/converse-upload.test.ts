/** Converse.js 14 shares a picture (XEP-0363): its contact is sent the address, and sees it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { launch } from "./chromium.ts";
import { converseSite, logIn } from "./converse-site.ts";
import type { Site } from "./site.ts";

/** One red point. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

let server: Server;
let site: Site;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  site = await converseSite(server, { render_media: true, auto_join_private_chats: [] });
  await server.addUsers(["romeo", "juliet"], "secret");
});
afterAll(async () => {
  await Promise.all([browser?.close(), site?.stop()]);
  await server?.stop();
});

async function enters(name: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await logIn(page, site, `${name}@${server.domain}`, "secret");
  await page.route(`${server.http}/**`, (route) => route.continue());
  return page;
}

test("a picture goes up, and comes down at the other end", async () => {
  const [romeo, juliet] = [await enters("romeo"), await enters("juliet")];
  await romeo.evaluate(`location.hash = "#converse/chat?jid=juliet@${server.domain}"`);
  await romeo.locator("textarea.chat-textarea").waitFor();
  await romeo.locator('input[type="file"]').setInputFiles({ name: "lady.png", mimeType: "image/png", buffer: PICTURE });
  await romeo.locator(`converse-chat-message img[src^="${server.http}/upload/"]`).waitFor();
  await juliet.locator("converse-roster .open-chat, converse-roster a").getByText("romeo").first().click();
  const shown = juliet.locator(`converse-chat-message img[src^="${server.http}/upload/"]`);
  await shown.waitFor();
  await expect
    .poll(() => shown.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
    .toBe(1);
});
