/** Converse.js 14, the client most sites use today, against our server: it logs in and chats. */
import { expect, test } from "vitest";
import { Client } from "../../src/web/client/client.ts";
import { Contacts, type Said } from "../../src/web/client/contacts.ts";
import { withPassword } from "../../src/web/client/scram.ts";
import { picture } from "./chromium.ts";
import { converse, logIn } from "./converse-site.ts";

const on = converse();

test("logs in, is written to, and answers", async () => {
  const { promise: answered, resolve } = Promise.withResolvers<Said>();
  const juliet = new Client({
    address: on.server.websocket,
    domain: on.server.domain,
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

  const page = await on.browser.newPage({ viewport: { width: 1200, height: 760 } });
  await logIn(page, on.site, `romeo@${on.server.domain}`, "secret");
  contacts.say(`romeo@${on.server.domain}`, "Wherefore art thou Romeo?");
  // Its roster shows an unread message; one click opens it.
  await page.locator("converse-roster .open-chat, converse-roster a").getByText("juliet").first().click();
  await page.locator(".chat-msg__text").getByText("Wherefore art thou Romeo?").waitFor();
  await page.fill("textarea.chat-textarea", "Shall I hear more, or shall I speak at this?");
  await page.press("textarea.chat-textarea", "Enter");
  expect((await answered).body).toBe("Shall I hear more, or shall I speak at this?");
  await picture(page, "converse");
  juliet.disconnect();
});
