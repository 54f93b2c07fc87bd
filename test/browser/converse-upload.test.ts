/** Converse.js 14 shares a picture (XEP-0363): its contact is sent the address, and sees it. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { converse, logIn } from "./converse-site.ts";

/** One red point. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

const on = converse({ render_media: true, auto_join_private_chats: [] });

async function enters(name: string): Promise<Page> {
  const page = await (await on.browser.newContext()).newPage();
  await logIn(page, on.site, `${name}@${on.server.domain}`, "secret");
  await page.route(`${on.server.http}/**`, (route) => route.continue());
  return page;
}

test("a picture goes up, and comes down at the other end", async () => {
  const [romeo, juliet] = [await enters("romeo"), await enters("juliet")];
  await romeo.evaluate(`location.hash = "#converse/chat?jid=juliet@${on.server.domain}"`);
  await romeo.locator("textarea.chat-textarea").waitFor();
  await romeo.locator('input[type="file"]').setInputFiles({ name: "lady.png", mimeType: "image/png", buffer: PICTURE });
  await romeo.locator(`converse-chat-message img[src^="${on.server.http}/upload/"]`).waitFor();
  await juliet.locator("converse-roster .open-chat, converse-roster a").getByText("romeo").first().click();
  const shown = juliet.locator(`converse-chat-message img[src^="${on.server.http}/upload/"]`);
  await shown.waitFor();
  await expect
    .poll(() => shown.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
    .toBe(1);
});
