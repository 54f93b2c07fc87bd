/** The example app in a browser, whose users are in the chat as themselves; and the API's documentation. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPERATIONS } from "../../src/edge/api/api.ts";
import { type Server, startServer, TARGET } from "../interop/server.ts";
import { complaints, launch } from "./chromium.ts";

const JWT_SECRET = "0123456789abcdef0123456789abcdef";
let server: Server;
let browser: Browser;
let app: ChildProcess;
let url: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ settings: { JWT_SECRET } }), launch()]);
  const example = join(import.meta.dirname, "../../examples/login/server.ts");
  const env = { ...process.env, PORT: "0", ENJAMB_URL: server.http, XMPP_DOMAIN: server.domain, JWT_SECRET };
  app = spawn(process.execPath, [example], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: app.stdout as NodeJS.ReadableStream }), "line")) as [string];
  url = line.replace(/^Open (.*)\/$/, "$1");
});
afterAll(async () => {
  app?.kill();
  await browser?.close();
  await server?.stop();
});

describe.skipIf(TARGET !== "ours")("a page of somebody's app", () => {
  test("has its users in the room by the names that the app knows them by, and again after a reload", async () => {
    const page = await (await browser.newContext()).newPage();
    const said = complaints(page);
    await page.goto(`${url}/login?as=juliet`);
    const occupants = async () => {
      const headers = { authorization: "Bearer interop-admin-token-0123456789abcdef" };
      const response = await fetch(`${server.http}/api/v1/rooms/lobby/occupants`, { headers });
      const { occupants = [] } = (await response.json()) as {
        occupants?: { nick: string; jid: string; affiliation: string }[];
      };
      return occupants.map(({ nick, jid, affiliation }) => ({ nick, jid, affiliation }));
    };
    const juliet = [{ nick: "juliet", jid: `juliet@${server.domain}`, affiliation: "member" }];
    await expect.poll(occupants, { timeout: 10_000 }).toEqual(juliet);
    await page.reload();
    await expect.poll(occupants, { timeout: 10_000 }).toEqual(juliet);
    expect(said).toEqual([]);
  });

  test("the API's documentation shows every operation, under a strict policy", async () => {
    const page = await (await browser.newContext()).newPage();
    const said = complaints(page);
    const response = await page.goto(`${server.http}/docs`);
    expect(response?.headers()["content-security-policy"]).toContain("script-src 'self'");
    await page.waitForSelector("article");
    expect(await page.locator("article").count()).toBe(OPERATIONS.length);
    expect(await page.locator("nav a").count()).toBe(OPERATIONS.length);
    expect(said).toEqual([]);
  });
});
