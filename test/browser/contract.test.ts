/** What a page may count on of `<xmpp-chat>`: its attributes, properties, methods, events, slots, parts and variables. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { complaints, launch } from "./chromium.ts";
import { admitGuests, enter, type Person } from "./people.ts";
import { type Site, serve } from "./site.ts";
import { openWidget, widgetSite } from "./widget.ts";

let server: Server;
let widget: Site;
/** A page of which each test says what is in it; the widget is loaded from the other site. */
let host: Site;
let body = "";
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  widget = await widgetSite(server);
  host = await serve(
    async (path) =>
      path === "/" ? `<!doctype html><title>A page</title><link rel="icon" href="data:,">${body}` : undefined,
    "",
  );
  await server.addUsers(["ada"], "secret");
});
afterAll(async () => {
  await Promise.all([browser?.close(), widget?.stop(), host?.stop()]);
  await server?.stop();
});

let rooms = 0;
const owned = async (): Promise<{ name: string; ada: Person }> => {
  const name = `contract${++rooms}`;
  const ada = await enter(server, name, "Ada", "secret");
  await admitGuests(ada);
  return { name, ada };
};

/** Opens a page with this in it, behind a script that runs before the widget's. */
async function open(content: string, early = ""): Promise<{ page: Page; said: string[] }> {
  body = `${content}<script>${early}</script><script type="module" src="${widget.url}embed.js"></script>`;
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  const said = complaints(page);
  await page.goto(host.url);
  return { page, said };
}

const EVENTS = ["ready", "state", "message", "unread", "error", "join", "leave"];
/** Keeps what each event says, where all events of a page can be heard. */
const LISTEN = `globalThis.heard = []; for (const name of ${JSON.stringify(EVENTS)})
  addEventListener("chat-" + name, ({ detail, composed }) => heard.push([name, composed, JSON.parse(JSON.stringify(detail))]));`;
type Heard = [name: string, composed: boolean, detail: Record<string, unknown>];
const heard = (page: Page) => page.evaluate<Heard[]>("heard");
const hears = (page: Page, name: string, detail: object = {}) =>
  expect.poll(() => heard(page), { timeout: 10_000 }).toContainEqual([name, true, expect.objectContaining(detail)]);
const chat = (what: string) => `document.querySelector("xmpp-chat").${what}`;

test("events bubble out of whatever they happen in, and say what happened; methods do what they are called", async () => {
  const { name, ada } = await owned();
  const { page, said } = await open(`<xmpp-chat src="${widget.url}" room="${name}" nick="Mira"></xmpp-chat>`, LISTEN);
  await hears(page, "ready", { nick: "Mira" });
  await hears(page, "state", { state: "online" });
  await page.evaluate(chat(`send("from a script")`));
  await hears(page, "message", { nick: "Mira", body: "from a script", own: true, private: false });
  const entry = await ada.until(() => ada.room.timeline.entries.find((each) => each.body === "from a script"));
  expect((await heard(page)).find(([event]) => event === "message")?.[2].id).toBe(entry.ref);
  const guest = await enter(server, name, "Noor");
  await hears(page, "join", { nick: "Noor" });
  guest.leave();
  await hears(page, "leave", { nick: "Noor" });
  // Nobody looks at a page that scrolled away from the end.
  for (let i = 0; i < 30; i++) ada.room.say(`line ${i}`);
  await page.locator(".b", { hasText: "line 29" }).waitFor();
  await page.locator(".log").evaluate((log) => log.scrollTo(0, 0));
  await page.locator(".latest").waitFor();
  await ada.say("Mira, look");
  await hears(page, "unread", { count: 1, mentions: 1 });
  expect(await page.title()).toBe("(1) A page");
  await page.getByRole("button", { name: "New messages: 1" }).click();
  await hears(page, "unread", { count: 0, mentions: 0 });
  expect(await page.title()).toBe("A page");
  await page.evaluate(chat("disconnect()"));
  await ada.until(() => !ada.room.occupants.has("Mira"));
  await page.evaluate(chat("connect()"));
  await ada.until(() => ada.room.occupants.has("Mira"));
  expect(said).toEqual([]);
  await page.close();
  ada.leave();
});

test("chat-error says why there is no way in", async () => {
  const { page } = await open(`<xmpp-chat src="${widget.url}" token-url="/nowhere"></xmpp-chat>`, LISTEN);
  await hears(page, "error");
  await hears(page, "state", { state: "ended" });
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await page.close();
});

test("properties count that were set before the widget was loaded, and attributes that change after", async () => {
  const { name, ada } = await owned();
  const { name: second, ada: other } = await owned();
  await ada.say("*hello*");
  const { page, said } = await open(
    `<xmpp-chat src="${widget.url}"></xmpp-chat>`,
    `const early = document.querySelector("xmpp-chat");
     early.room = "${name}"; early.nick = "Mira"; early.theme = "dark"; early.maxHistory = "7";
     early.strings = { write: "Say it here" };
     early.messageRenderer = ({ body, own }) => {
       const node = document.createElement("u"); node.textContent = "<" + body + ">" + own; return body === "plain" ? undefined : node; };`,
  );
  await page.getByRole("textbox", { name: "Say it here" }).waitFor();
  await page.locator(".b u", { hasText: "<*hello*>false" }).waitFor();
  await ada.say("plain");
  await page.locator(".b", { hasText: /^plain$/ }).waitFor();
  expect(await page.getAttribute("xmpp-chat", "max-history")).toBe("7");
  expect(await page.evaluate(`getComputedStyle(${chat("root")}.querySelector(".panel")).colorScheme`)).toBe("dark");
  await other.say("in the other room");
  // Two at once: the one that came first has not even begun.
  await page.evaluate(`${chat(`setAttribute("src", location.href + "x")`)}; ${chat(`setAttribute("src", "${widget.url}")`)};
    ${chat(`room = "${second}"`)}`);
  await page.locator(".b", { hasText: "in the other room" }).waitFor();
  await other.until(() => other.room.occupants.has("Mira"));
  await ada.until(() => !ada.room.occupants.has("Mira"));
  await page.evaluate(chat(`strings = { write: "And here" }`));
  await page.getByRole("textbox", { name: "And here" }).waitFor();
  await page.evaluate(`${chat("readonly = true")}`);
  await page.locator("textarea").waitFor({ state: "detached" });
  expect(said.filter((line) => !line.includes("404"))).toEqual([]);
  await page.close();
  ada.leave();
  other.leave();
});

test.each([
  ["a token endpoint that answers {jid, password}", `{"jid":"ada@DOMAIN","password":"secret"}`],
  ["one that gives no way in", `{"token":"x.y.z"}`],
])("%s", async (_, answer) => {
  const page = await browser.newPage();
  await page.route("**/token", (route) => route.fulfill({ body: answer.replace("DOMAIN", server.domain) }));
  body = `<script>${LISTEN}</script><xmpp-chat src="${widget.url}" token-url="/token"></xmpp-chat><script type="module" src="${widget.url}embed.js"></script>`;
  await page.goto(host.url);
  if (answer.includes("secret")) await hears(page, "ready", { nick: "ada" });
  else await hears(page, "error");
  await page.close();
});

test("an element that is moved in its page goes on, and one that is taken out leaves", async () => {
  const { name, ada } = await owned();
  const { page } = await open(
    `<div id="a"><xmpp-chat src="${widget.url}" room="${name}" nick="Mira"></xmpp-chat></div><div id="b"></div>`,
    LISTEN,
  );
  await hears(page, "ready");
  await page.evaluate(`b.append(document.querySelector("xmpp-chat"))`);
  await page.locator("textarea").fill("moved");
  await page.locator("textarea").press("Enter");
  await page.locator(".own.sent", { hasText: "moved" }).waitFor();
  expect((await heard(page)).filter(([event]) => event === "ready")).toHaveLength(1);
  await page.evaluate(`document.querySelector("xmpp-chat").remove()`);
  await ada.until(() => !ada.room.occupants.has("Mira"));
  await page.close();
  ada.leave();
});

test("nothing is connected before it is scrolled to", async () => {
  const { page } = await open(
    `<div style="height: 5000px"></div><xmpp-chat src="${widget.url}" room="lobby"></xmpp-chat>`,
    `globalThis.sockets = 0; globalThis.WebSocket = class extends WebSocket { constructor(...all) { super(...all); sockets++; } };`,
  );
  await page.waitForFunction(`customElements.get("xmpp-chat")`);
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  expect(await page.evaluate("sockets")).toBe(0);
  await page.evaluate("scrollTo(0, 5000)");
  await expect.poll(() => page.evaluate("sockets"), { timeout: 10_000 }).toBe(1);
  await page.close();
});

test("slots, parts and variables are where a page can reach them", async () => {
  const { name, ada } = await owned();
  const variables = { accent: 1, bg: 2, fg: 3, muted: 4, border: 5, bubble: 6 };
  const css = Object.entries(variables).map(([key, n]) => `--chat-${key}: rgb(${n} ${n} ${n});`);
  const { page } = await open(
    `<style>xmpp-chat { ${css.join(" ")} --chat-radius: 7px; --chat-font: 13px serif }
       xmpp-chat::part(body) { text-transform: uppercase }</style>
     <xmpp-chat src="${widget.url}" room="${name}" nick="Mira">
       <b slot="header">Above</b><b slot="empty">Nothing yet</b><b slot="footer">Below</b></xmpp-chat>`,
    LISTEN,
  );
  for (const text of ["Above", "Nothing yet", "Below"])
    await page.locator("xmpp-chat > b", { hasText: text }).waitFor({ state: "visible" });
  await page.locator("textarea").fill("mine");
  await page.locator("textarea").press("Enter");
  await ada.say("theirs");
  await page.locator(".b", { hasText: "theirs" }).waitFor();
  await page.locator("header .icon").first().click();
  await page.locator(".person").first().waitFor();
  const parts = await page.evaluate<string[]>(
    `[...${chat("root")}.querySelectorAll("[part]")].flatMap((one) => [...one.part])`,
  );
  expect([...new Set(parts)].sort()).toEqual(
    ["body", "composer", "header", "log", "message", "nick", "own", "people", "send"].sort(),
  );
  const style = (selector: string, property: string) =>
    page.evaluate(`getComputedStyle(${chat("root")}.querySelector("${selector}")).getPropertyValue("${property}")`);
  expect(await style(".b", "text-transform")).toBe("uppercase");
  expect(await style(".panel", "background-color")).toBe("rgb(2, 2, 2)");
  expect(await style(".panel", "color")).toBe("rgb(3, 3, 3)");
  expect(await style(".panel", "border-top-color")).toBe("rgb(5, 5, 5)");
  expect(await style(".panel", "border-radius")).toBe("7px");
  expect(await style(".panel", "font-family")).toBe("serif");
  expect(await style(".go", "background-color")).toBe("rgb(1, 1, 1)");
  expect(await style(".status", "color")).toBe("rgb(4, 4, 4)");
  expect(await style(".m:not(.own) .b", "background-color")).toBe("rgb(6, 6, 6)");
  await page.close();
  ada.leave();
});

test.each([
  ["en", "Send"],
  ["de", "Senden"],
  ["fr", "Envoyer"],
  ["es", "Enviar"],
  ["ar", "إرسال"],
  ["zh", "发送"],
  ["tlh", "Send"],
])("it speaks %s", async (lang, send) => {
  const { page, said, close } = await openWidget(browser, widget, { lang, room: "lobby" });
  await page.getByRole("button", { name: send, exact: true }).waitFor();
  expect(await page.locator(".panel").getAttribute("dir")).toBe(lang === "ar" ? "rtl" : null);
  expect(said).toEqual([]);
  await close();
});

test("a screen reader hears what is new, once, and a number when it is too much; never history, nor ourselves", async () => {
  const { name, ada } = await owned();
  for (const text of ["old 1", "old 2"]) await ada.say(text);
  const { page, said } = await open(`<xmpp-chat src="${widget.url}" room="${name}" nick="Mira"></xmpp-chat>`, LISTEN);
  await hears(page, "ready");
  await page.evaluate(`globalThis.spoken = []; new MutationObserver(() => spoken.push(voice.textContent)).observe(
    globalThis.voice = ${chat("root")}.querySelector(".vh[role=status]"), { childList: true, characterData: true, subtree: true })`);
  const spoken = () => page.evaluate<string[]>("spoken.filter(Boolean)");
  await page.evaluate(chat(`send("mine")`));
  await ada.say("one");
  await expect.poll(spoken, { timeout: 10_000 }).toEqual(["Ada: one"]);
  for (let i = 0; i < 30; i++) ada.room.say(`many ${i}`);
  await page.locator(".b", { hasText: "many 29" }).waitFor();
  await expect.poll(async () => (await spoken()).join(), { timeout: 10_000 }).toMatch(/New messages: \d/);
  await ada.say("last");
  await expect.poll(async () => (await spoken()).at(-1), { timeout: 10_000 }).toContain("Ada: last");
  expect((await spoken()).join()).not.toMatch(/old|mine/);
  expect(said).toEqual([]);
  await page.close();
  ada.leave();
});
