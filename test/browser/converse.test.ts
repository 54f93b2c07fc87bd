/** Converse.js 14, the client most sites use today, against our server: it logs in and chats. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../../src/web/client/client.ts";
import { Contacts, type Said } from "../../src/web/client/contacts.ts";
import { withPassword } from "../../src/web/client/scram.ts";
import { type Server, startServer } from "../interop/server.ts";
import { launch, picture } from "./chromium.ts";
import { converseSite, logIn } from "./converse-site.ts";
import type { Site } from "./site.ts";

let server: Server;
let site: Site;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  site = await converseSite(server);
  await server.addUsers(["romeo", "juliet"], "secret");
});
afterAll(async () => {
  await Promise.all([browser?.close(), site?.stop()]);
  await server?.stop();
});

test("logs in, is written to, and answers", async () => {
  const { promise: answered, resolve } = Promise.withResolvers<Said>();
  const juliet = new Client({
    address: server.websocket,
    domain: server.domain,
    credentials: withPassword("juliet", "secret"),
  });
  const contacts = new Contacts(
    juliet,
    () => {},
    (said) => {
      if (said.body) resolve(said);
    },
  );
  juliet.connect();

  const page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
  await logIn(page, site, `romeo@${server.domain}`, "secret");
  contacts.say(`romeo@${server.domain}`, "Wherefore art thou Romeo?");
  // Its roster shows an unread message; one click opens it.
  await page.locator("converse-roster .open-chat, converse-roster a").getByText("juliet").first().click();
  await page.locator(".chat-msg__text").getByText("Wherefore art thou Romeo?").waitFor();
  await page.fill("textarea.chat-textarea", "Shall I hear more, or shall I speak at this?");
  await page.press("textarea.chat-textarea", "Enter");
  expect((await answered).body).toBe("Shall I hear more, or shall I speak at this?");
  await picture(page, "converse");
  juliet.disconnect();
});
