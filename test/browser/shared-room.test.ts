/** One room, clients of every kind: the widget in two browsers, Converse.js 14, and @xmpp/client. */
import { xml, client as xmppClient } from "@xmpp/client";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { launch, picture } from "./chromium.ts";
import { converseSite, logIn } from "./converse-site.ts";
import { admitGuests, enter } from "./people.ts";
import type { Site } from "./site.ts";
import { openWidget, widgetSite } from "./widget.ts";

let server: Server;
let site: Site;
let converse: Site;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  [site, converse] = await Promise.all([widgetSite(server), converseSite(server)]);
  await server.addUsers(["ada", "romeo", "robot"], "secret");
});
afterAll(async () => {
  await Promise.all([browser?.close(), site?.stop(), converse?.stop()]);
  await server?.stop();
});

test("they all hear each other, and nobody hears anything twice", { timeout: 60_000 }, async () => {
  const ada = await enter(server, "square", "Ada", "secret");
  await admitGuests(ada);
  const room = `square@${server.hosts.rooms}`;

  const robot = xmppClient({ service: server.websocket, domain: server.domain, username: "robot", password: "secret" });
  const heard: string[] = [];
  robot.on("stanza", (stanza) => {
    const text = stanza.is("message") && stanza.getChildText("body");
    if (text) heard.push(text);
  });
  robot.on("error", () => {});
  await robot.start();
  await robot.send(xml("presence", { to: `${room}/Robot` }, xml("x", { xmlns: "http://jabber.org/protocol/muc" })));

  const [one, two] = await Promise.all([
    openWidget(browser, site, { room: "square", nick: "Mira" }),
    openWidget(browser, site, { room: "square", nick: "Noor" }),
  ]);
  const page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
  await logIn(page, converse, `romeo@${server.domain}`, "secret");
  await page.goto(`${converse.url}#converse/room?jid=${room}`);
  const nick = page.locator("input[name=nick]");
  const line = page.locator("textarea.chat-textarea");
  await nick.or(line).first().waitFor();
  if (await nick.isVisible()) {
    await nick.fill("Romeo");
    await nick.press("Enter");
  }
  await line.waitFor();

  const texts = ["from Ada", "from Mira", "from Noor", "from Robot", "from Romeo"];
  await ada.say("from Ada");
  await one.say("from Mira");
  await two.say("from Noor");
  await robot.send(xml("message", { to: room, type: "groupchat", id: "r1" }, xml("body", {}, "from Robot")));
  await one.message("from Robot").waitFor();
  await line.fill("from Romeo");
  await line.press("Enter");

  for (const { message, texts: shown } of [one, two]) {
    await message("from Romeo").waitFor();
    expect((await shown()).filter((text) => text.startsWith("from"))).toEqual(texts);
  }
  await expect.poll(() => heard.filter((text) => text.startsWith("from"))).toEqual(texts);
  await expect
    .poll(async () => (await page.locator(".chat-msg__text").allInnerTexts()).filter((text) => text.startsWith("from")))
    .toEqual(texts);
  await picture(one.page, "square-widget");
  await picture(page, "square-converse");
  await robot.stop();
  await Promise.all([one.close(), two.close(), page.close()]);
  ada.leave();
});
