/** The page at `/`: a newcomer makes two accounts and chats between them. */
import AxeBuilder from "axe-core";
import type { Browser, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { TARGET } from "../interop/server.ts";
import { complaints, picture } from "./chromium.ts";
import { siteOf } from "./site.ts";
import { stage } from "./stage.ts";

const on = stage(siteOf);

async function open(options: Parameters<Browser["newContext"]>[0] = {}): Promise<{ page: Page; said: string[] }> {
  const page = await (await on.browser.newContext(options)).newPage();
  const said = complaints(page);
  await page.goto(on.site.url);
  await page.waitForSelector(".ready");
  return { page, said };
}

async function makeBoth(page: Page): Promise<void> {
  await page.click("#both");
  for (const side of ["left", "right"]) await page.waitForSelector(`.${side} .line:not(:disabled)`);
}

async function say(page: Page, side: "left" | "right", text: string): Promise<void> {
  await page.fill(`.${side} .line`, text);
  await page.press(`.${side} .line`, "Enter");
  const other = side === "left" ? "right" : "left";
  await page.locator(`.${other} .other p`).getByText(text, { exact: true }).last().waitFor();
}

const scheme = ["light", "dark"] as const;

describe("the landing page", () => {
  test("two accounts are made with one click, and talk to each other", async () => {
    const { page, said } = await open();
    await picture(page, "landing");
    await makeBoth(page);
    await say(page, "left", "Shall I compare thee to a summer’s day?");
    await say(page, "right", "Thou art more lovely and more temperate:");
    await page.waitForSelector(".left .own.sent");
    await page.fill(".left .line", "Rough winds do sh");
    await page.waitForSelector(".right .typing");
    expect(await page.locator(".left .hint").textContent()).toContain("is online");
    await picture(page, "landing-chat");
    expect(said).toEqual([]);
    await page.context().close();
  });

  test("what is written as markup is shown as text", async () => {
    const { page, said } = await open();
    await makeBoth(page);
    await say(page, "left", `<img src=x onerror="alert(1)"> & ]]> 𝄞 \u202e`);
    expect(await page.locator(".log img").count()).toBe(0);
    expect(said).toEqual([]);
    await page.context().close();
  });

  test("a name that is taken is said to be taken", async () => {
    await on.server.addUser("romeo", "secret");
    const { page } = await open();
    await page.fill("#left-name", "romeo");
    await page.click(".left .primary");
    await page.waitForSelector(".left .error:has-text('taken')");
    await page.fill("#left-password", "secret");
    await page.click(".left .secondary");
    await page.waitForSelector(".left .state:has-text('online')");
    await page.context().close();
  });

  test.each(scheme)("axe finds nothing in %s mode, on a phone either", async (colorScheme) => {
    const { page } = await open({ colorScheme, bypassCSP: true, viewport: { width: 390, height: 844 } });
    await page.addScriptTag({ content: AxeBuilder.source });
    const audit = () =>
      page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof AxeBuilder }).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      });
    expect(await audit()).toEqual([]);
    await makeBoth(page);
    await say(page, "left", "hello");
    await say(page, "right", "hello yourself");
    expect(await audit()).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await picture(page, `landing-phone-${colorScheme}`);
    await page.context().close();
  });

  test.runIf(TARGET === "ours")("a reload keeps both logged in", async () => {
    const { page } = await open();
    await makeBoth(page);
    await say(page, "left", "before");
    await page.reload();
    for (const side of ["left", "right"]) await page.waitForSelector(`.${side} .line:not(:disabled)`);
    await say(page, "right", "after");
    await page.context().close();
  });
});

test("closed registration is said, and login offered instead", async () => {
  const page = await on.browser.newPage();
  await page.route("**/info.json", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), registration: "closed" } });
  });
  await page.goto(on.site.url);
  await page.waitForSelector(".ready");
  expect(await page.locator("#registration").textContent()).toContain("closed");
  expect(await page.locator("#both").isVisible()).toBe(false);
  expect(await page.locator(".left .primary").textContent()).toBe("Log in");
  await page.close();
});
