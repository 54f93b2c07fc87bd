/** Converse.js 14 in a room: it enters, talks with somebody on @xmpp/client, and shows what was said while it was away. */
import { xml, client as xmppClient } from "@xmpp/client";
import type { Element } from "ltx";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { picture } from "./chromium.ts";
import { converse, logIn } from "./converse-site.ts";

const MUC = "http://jabber.org/protocol/muc";
const PATIENT = { timeout: 15_000 };
const on = converse();

/** Juliet makes the room; what is said in it she collects in `heard`. */
async function found(name: string) {
  const { websocket: service, domain, hosts } = on.server;
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
  const context = await on.browser.newContext({ viewport: { width: 1200, height: 760 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  return page;
}

/** What it shows of one room: it may be in others, too, since it enters those that it finds bookmarked. */
const inRoom = (page: Page, room: string) => page.locator(`converse-muc[jid="${room}"]`);
const said = (page: Page, room: string) => inRoom(page, room).locator(".chat-msg__text");

async function say(page: Page, room: string, body: string): Promise<void> {
  const line = inRoom(page, room).locator("textarea.chat-textarea");
  await line.fill(body);
  await line.press("Enter");
}

/** Opens the room as a link to it does, and chooses a nick where it asks for one. */
async function join(page: Page, room: string): Promise<void> {
  await page.goto(`${on.site.url}#converse/room?jid=${room}`);
  const nick = inRoom(page, room).locator("input[name=nick]");
  const line = inRoom(page, room).locator("textarea.chat-textarea");
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
  await logIn(page, on.site, `romeo@${on.server.domain}`, "secret");
  await join(page, room);
  await said(page, room).getByText("Ay me").waitFor();
  await say(page, room, "She speaks");
  await expect.poll(() => heard, PATIENT).toEqual(["Ay me", "She speaks"]);
  await says("Wherefore art thou Romeo?");
  await said(page, room).getByText("Wherefore art thou Romeo?").waitFor();
  await page.context().close();
  await says("Deny thy father");

  const other = await open();
  await logIn(other, on.site, `romeo@${on.server.domain}`, "secret");
  await join(other, room);
  const all = ["Ay me", "She speaks", "Wherefore art thou Romeo?", "Deny thy father"];
  await expect.poll(() => said(other, room).allInnerTexts(), PATIENT).toEqual(all);
  await picture(other, "converse-room");
  await other.context().close();
  await juliet.stop();
});

test("after a reload it is in the room still, and has missed nothing", { timeout: 60_000 }, async () => {
  const { room, juliet, heard, says } = await found("garden");
  const page = await open();
  const frames: string[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => void frames.push(String(payload))));
  await logIn(page, on.site, `romeo@${on.server.domain}`, "secret");
  await join(page, room);
  await says("Good even");
  await said(page, room).getByText("Good even").waitFor();

  // Quirk: it acknowledges a message before it has stored it.
  await expect.poll(() => page.evaluate<string>(STORED), PATIENT).toContain("Good even");
  await page.goto("about:blank");
  frames.length = 0;
  await says("What sorrow");
  await join(page, room);
  await expect.poll(() => said(page, room).allInnerTexts(), PATIENT).toEqual(["Good even", "What sorrow"]);
  // Quirk: it resumes its stream, and says to be a new resource all the same.
  if (on.server.name === "ours") expect(frames.some((frame) => frame.startsWith("<resumed "))).toBe(true);
  await say(page, room, "Not having that");
  await expect.poll(() => heard, PATIENT).toEqual(["Good even", "What sorrow", "Not having that"]);
  await says("In love?");
  await said(page, room).getByText("In love?").waitFor();
  await page.context().close();
  await juliet.stop();
});
