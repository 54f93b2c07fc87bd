/** Converse.js 14 in a room: it enters, talks with somebody on @xmpp/client, and after a reload shows what was said. */
import { type XmppClient, xml, client as xmppClient } from "@xmpp/client";
import type { Element } from "ltx";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { launch, picture } from "./chromium.ts";
import { converseSite, logIn } from "./converse-site.ts";
import type { Site } from "./site.ts";

const MUC = "http://jabber.org/protocol/muc";
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

/** Juliet makes the room; what it says to her is collected in `heard`. */
async function found(room: string, heard: string[]): Promise<XmppClient> {
  const { websocket: service, domain } = server;
  const juliet = xmppClient({ service, domain, username: "juliet", password: "secret" });
  juliet.on("error", () => {});
  const inside = Promise.withResolvers<void>();
  juliet.on("stanza", (stanza: Element) => {
    if (stanza.is("presence") && stanza.attrs.from === `${room}/Juliet`) inside.resolve();
    const body = stanza.is("message") && stanza.getChildText("body");
    if (body) heard.push(body);
  });
  await juliet.start();
  await juliet.send(xml("presence", { to: `${room}/Juliet` }, xml("x", { xmlns: MUC })));
  await inside.promise;
  const form = xml("x", { xmlns: "jabber:x:data", type: "submit" });
  await juliet.iqCaller.set(xml("query", { xmlns: `${MUC}#owner` }, form), room);
  return juliet;
}

/** Opens the room as a link to it does, and chooses a nick where it asks for one. */
async function join(page: Page, room: string): Promise<void> {
  await page.goto(`${site.url}#converse/room?jid=${room}`);
  const nick = page.locator("input[name=nick]");
  const line = page.locator("textarea.chat-textarea");
  await nick.or(line).first().waitFor();
  if (await nick.isVisible()) {
    await nick.fill("Romeo");
    await nick.press("Enter");
  }
  await line.waitFor();
}

test("talks, and sees after a reload what was said before and meanwhile", { timeout: 60_000 }, async () => {
  const room = `orchard@${server.hosts.rooms}`;
  const heard: string[] = [];
  const juliet = await found(room, heard);
  const says = (body: string) =>
    juliet.send(xml("message", { to: room, type: "groupchat", id: body }, xml("body", {}, body)));
  await says("Ay me");

  const page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
  await logIn(page, site, `romeo@${server.domain}`, "secret");
  await join(page, room);
  const shown = page.locator(".chat-msg__text");
  await shown.getByText("Ay me").waitFor();
  await page.fill("textarea.chat-textarea", "She speaks");
  await page.press("textarea.chat-textarea", "Enter");
  await expect.poll(() => heard).toEqual(["Ay me", "She speaks"]);
  await says("Wherefore art thou Romeo?");
  await shown.getByText("Wherefore art thou Romeo?").waitFor();

  // It logs in by itself when its page is loaded again.
  await page.goto("about:blank");
  await says("Deny thy father");
  await join(page, room);
  await shown.getByText("Deny thy father").waitFor();
  const all = ["Ay me", "She speaks", "Wherefore art thou Romeo?", "Deny thy father"];
  await expect.poll(() => shown.allInnerTexts()).toEqual(all);
  await picture(page, "converse-room");
  await says("Good night");
  await shown.getByText("Good night").waitFor();
  expect(heard).toEqual([...all, "Good night"]);
  await juliet.stop();
  await page.close();
});
