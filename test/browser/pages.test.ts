/** The pages for who embeds a room: the builder at `/embed`, the room as a page at `/embed/<room>`, and that page in a frame. */
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer, TARGET } from "../interop/server.ts";
import { complaints, launch } from "./chromium.ts";
import { enter } from "./people.ts";
import { type Site, serve } from "./site.ts";

let server: Server;
let browser: Browser;
/** Somebody's page, by what is in its body. */
let body = "";
let policy = "";
let friend: Site;
let stranger: Site;

beforeAll(async () => {
  const page = async (path: string) => (path === "/" ? `<!doctype html><title>A page</title>${body}` : undefined);
  [friend, stranger] = await Promise.all([serve(page, ""), serve(page, "")]);
  // Pages on loopback may connect in any case; this is about frames.
  const settings = { ALLOWED_ORIGINS: new URL(friend.url).origin };
  [server, browser] = await Promise.all([startServer({ settings }), launch()]);
});
afterAll(async () => {
  await Promise.all([browser?.close(), friend?.stop(), stranger?.stop()]);
  await server?.stop();
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; said: string[] }> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(10_000);
  const said = complaints(page);
  await page.goto(new URL(path, server.http).href);
  return { page, said };
}

async function audit(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe.source });
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

const ready = (page: Page) =>
  expect.poll(() => page.evaluate(`document.querySelector("xmpp-chat")?.loaded`), { timeout: 10_000 }).toBe(true);
const colorSchemes = ["light", "dark"] as const;

describe.skipIf(TARGET !== "ours")("the builder", () => {
  test("shows the room as it will look, and the lines for it", async () => {
    const { page, said } = await open("/embed");
    await ready(page);
    const snippet = page.locator("#snippet");
    const tag = `<script type="module" src="${server.http}/embed.js"></script>\n`;
    await expect
      .poll(() => snippet.textContent(), { timeout: 10_000 })
      .toBe(`${tag}<xmpp-chat src="${server.http}" room="lobby"></xmpp-chat>`);
    await page.fill("#room", `a"&b`);
    await page.selectOption("#theme", "dark");
    await page.selectOption("#lang", "ar");
    await page.selectOption("#mode", "bubble");
    await page.selectOption("#token-url", "/api/chat-token");
    await page.check("[name=readonly]");
    await page.fill("#accent", "#aa0044");
    expect(await snippet.textContent()).toBe(
      `${tag}<xmpp-chat src="${server.http}" room="a&quot;&amp;b" mode="bubble" theme="dark" lang="ar" token-url="/api/chat-token" readonly></xmpp-chat>\n<style>xmpp-chat { --chat-accent: #aa0044 }</style>`,
    );
    expect(await page.locator("#frame").getAttribute("href")).toBe("/embed/a%22%26b");
    await page.fill("#room", "lobby");
    await page.locator(".launch").click();
    await page.locator("textarea").or(page.locator(".panel footer .status")).first().waitFor();
    expect(await page.locator(".panel").getAttribute("dir")).toBe("rtl");
    expect(said).toEqual([]);
    await page.context().close();
  });

  test("copies lines that work in somebody's page, under the policy it names", async () => {
    const { page, said } = await open("/embed", { permissions: ["clipboard-read", "clipboard-write"] });
    await ready(page);
    await page.click("#copy");
    await page.locator("#copy", { hasText: "Copied" }).waitFor();
    body = await page.evaluate<string>(`navigator.clipboard.readText()`);
    policy = (await page.locator("#policy").textContent()) ?? "";
    const lines = policy.split("\n").map((line) => line.replace(/ *\(.*\)$/, ""));
    const strict = await serve(
      async (path) => (path === "/" ? `<!doctype html><title>A page</title>${body}` : undefined),
      ["default-src 'none'", ...lines, "require-trusted-types-for 'script'"].join("; "),
    );
    const other = await browser.newPage();
    const heard = complaints(other);
    await other.goto(strict.url);
    await ready(other);
    await other.locator("textarea").fill("from my own page");
    await other.locator("textarea").press("Enter");
    await other.locator(".own.sent", { hasText: "from my own page" }).waitFor();
    // The browser asks every site for an icon.
    expect(heard.filter((line) => !line.includes("favicon") && !line.includes("404"))).toEqual([]);
    expect(said).toEqual([]);
    await Promise.all([page.context().close(), other.close()]);
    await strict.stop();
  });

  test.each(colorSchemes)("axe finds nothing, %s", async (colorScheme) => {
    const { page } = await open("/embed", { colorScheme, bypassCSP: true, viewport: { width: 390, height: 800 } });
    await page.locator("#preview").scrollIntoViewIfNeeded();
    await ready(page);
    expect(await audit(page)).toEqual([]);
    await page.context().close();
  });
});

describe.skipIf(TARGET !== "ours")("a page that may not connect", () => {
  test.each([
    ["of a site that nobody let in", "", "Pages of https://site.example may not connect here."],
    ["that has no origin", "sandbox", "A page that is a file, or in a sandboxed frame"],
  ])("%s says so", async (_, kind, why) => {
    const tag = `<script type="module" src="${server.http}/embed.js"></script><xmpp-chat src="${server.http}" room="lobby"></xmpp-chat>`;
    const frame = `<iframe sandbox="allow-scripts" title="Chat" srcdoc="${tag.replaceAll('"', "&quot;")}"></iframe>`;
    // A site of the internet may not ask anything of this machine, unless its visitor says so.
    const page = await (await browser.newContext({ permissions: ["local-network-access"] })).newPage();
    page.setDefaultTimeout(10_000);
    const html = `<!doctype html><title>A page</title>${kind ? frame : tag}`;
    await page.route("https://site.example/", (route) => route.fulfill({ contentType: "text/html", body: html }));
    await page.goto("https://site.example/");
    const content = kind ? page.frameLocator("iframe") : page;
    await content.locator(".bar", { hasText: why }).waitFor();
    await page.context().close();
  });
});

describe.skipIf(TARGET !== "ours")("the room as a page", () => {
  test("fills its page as its address says, and complains of nothing", async () => {
    const { page, said } = await open("/embed/lobby?theme=dark&lang=de&nick=Mira&max-history=5");
    await ready(page);
    expect([await page.title(), await page.getAttribute("html", "lang")]).toEqual(["lobby", "de"]);
    await page.getByRole("textbox", { name: "Nachricht" }).fill("Guten Tag");
    await page.locator("textarea").press("Enter");
    await page.locator(".own.sent", { hasText: "Guten Tag" }).waitFor();
    expect(await page.locator(".as bdi").textContent()).toBe("Mira");
    const { height } = page.viewportSize() ?? { height: 0 };
    expect(await page.evaluate(`document.querySelector("xmpp-chat").getBoundingClientRect().height`)).toBe(height);
    expect(await page.evaluate(`document.documentElement.scrollHeight`)).toBe(height);
    expect(said).toEqual([]);
    await page.context().close();
  });

  test("is for readers only with ?readonly=1", async () => {
    const { page, said } = await open("/embed/lobby?readonly=1");
    await ready(page);
    const ada = await enter(server, "lobby", "Ada");
    await ada.say("to whom it may concern");
    await page.locator(".b", { hasText: "to whom it may concern" }).waitFor();
    expect(await page.locator("textarea, .tools, .as").count()).toBe(0);
    ada.leave();
    expect(said).toEqual([]);
    await page.context().close();
  });

  test.each(colorSchemes)("axe finds nothing, %s", async (colorScheme) => {
    const { page } = await open("/embed/lobby", {
      colorScheme,
      bypassCSP: true,
      viewport: { width: 390, height: 800 },
    });
    await ready(page);
    expect(await audit(page)).toEqual([]);
    await page.context().close();
  });

  test("is framed by those sites that may connect, and by no others", async () => {
    body = `<iframe src="${server.http}/embed/lobby" title="Chat" width="400" height="500"></iframe>`;
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(friend.url);
    await page.frameLocator("iframe").locator("textarea").fill("from a frame");
    await page.frameLocator("iframe").locator("textarea").press("Enter");
    await page.frameLocator("iframe").locator(".own.sent", { hasText: "from a frame" }).waitFor();
    const said = complaints(page);
    await page.goto(stranger.url);
    await expect.poll(() => said.join(), { timeout: 10_000 }).toContain("frame-ancestors");
    await page.close();
  });
});
