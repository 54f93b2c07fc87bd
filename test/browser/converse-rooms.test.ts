/** Converse.js 14 in a room: it enters, talks with somebody on @xmpp/client, and shows what was said while it was away. */
import { xml, client as xmppClient } from "@xmpp/client";
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

/** Juliet makes the room; what is said in it she collects in `heard`. */
async function found(name: string) {
  const { websocket: service, domain, hosts } = server;
  const room = `${name}@${hosts.rooms}`;
  const juliet = xmppClient({ service, domain, username: "juliet", password: "secret" });
  juliet.on("error", () => {});
  const inside = Promise.withResolvers<void>();
  const heard: string[] = [];
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
  const says = (body: string) =>
    juliet.send(xml("message", { to: room, type: "groupchat", id: body }, xml("body", {}, body)));
  return { room, juliet, heard, says };
}

/** A page of a browser that knows nobody yet. */
async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  return page;
}

const said = (page: Page) => page.locator(".chat-msg__text");

async function say(page: Page, body: string): Promise<void> {
  await page.fill("textarea.chat-textarea", body);
  await page.press("textarea.chat-textarea", "Enter");
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

/** All that Converse.js has in the browser's databases, as a script, since Node knows no such things. */
const STORED = `(async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames)
      found.push(await done(database.transaction(store).objectStore(store).getAll()));
    database.close();
  }
  return JSON.stringify(found);
})()`;

test("talks, and sees from another browser what was said before and meanwhile", { timeout: 60_000 }, async () => {
  const { room, juliet, heard, says } = await found("orchard");
  await says("Ay me");
  const page = await open();
  await logIn(page, site, `romeo@${server.domain}`, "secret");
  await join(page, room);
  await said(page).getByText("Ay me").waitFor();
  await say(page, "She speaks");
  await expect.poll(() => heard).toEqual(["Ay me", "She speaks"]);
  await says("Wherefore art thou Romeo?");
  await said(page).getByText("Wherefore art thou Romeo?").waitFor();
  await page.context().close();
  await says("Deny thy father");

  const other = await open();
  await logIn(other, site, `romeo@${server.domain}`, "secret");
  await join(other, room);
  const all = ["Ay me", "She speaks", "Wherefore art thou Romeo?", "Deny thy father"];
  await expect.poll(() => said(other).allInnerTexts()).toEqual(all);
  await picture(other, "converse-room");
  await other.context().close();
  await juliet.stop();
});

// Quirk: after a resumption Converse.js 14 waits for ever, about every second time, for a room that it is in. Shown when asked for.
test.runIf(process.env.RELOAD === "1")(
  "after a reload it is in the room still, and has missed nothing",
  { timeout: 60_000 },
  async () => {
    const { room, juliet, heard, says } = await found("garden");
    const page = await open();
    await logIn(page, site, `romeo@${server.domain}`, "secret");
    await join(page, room);
    await says("Ay me");
    await said(page).getByText("Ay me").waitFor();

    // Quirk: it stores a message some time after it shows it.
    await expect.poll(() => page.evaluate<string>(STORED)).toContain("Ay me");
    // Quirk: it resumes its stream, and says to be a new resource all the same.
    await page.goto("about:blank");
    await says("Deny thy father");
    await join(page, room);
    await expect.poll(() => said(page).allInnerTexts()).toEqual(["Ay me", "Deny thy father"]);
    await say(page, "Shall I hear more?");
    await expect.poll(() => heard).toEqual(["Ay me", "Deny thy father", "Shall I hear more?"]);
    await says("Good night");
    await said(page).getByText("Good night").waitFor();
    await page.context().close();
    await juliet.stop();
  },
);
