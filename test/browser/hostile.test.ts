/** What people send to a page to make it do something: nothing of it runs, loads or leaves its place (security.md E6, E8). */
import { expect, test } from "vitest";
import { xml } from "../../src/web/client/element.ts";
import { configure, settings } from "../../src/web/client/room-config.ts";
import { admitGuests, enter } from "./people.ts";
import { stage } from "./stage.ts";
import { openWidget, widgetSite } from "./widget.ts";

const on = stage(widgetSite, ["ada"]);

const RUN = "globalThis.owned=1";
const TAGS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<svg onload="${RUN}">`,
  `<iframe srcdoc="<script>parent.owned=1</script>"></iframe>`,
  `<math><mtext></p><img src onerror=${RUN}>`,
  `<details open ontoggle="${RUN}">`,
  `<a href="javascript:${RUN}">x</a>`,
  `<style>@import 'https://evil.example/a.css'</style>`,
  `<link rel=stylesheet href=https://evil.example/b.css>`,
  `<base href=https://evil.example/>`,
  `<form action=https://evil.example><input autofocus onfocus=${RUN}>`,
  `<object data="data:text/html,<script>${RUN}</script>">`,
  `<template><img src=x onerror=${RUN}></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<!--><img src=x onerror=${RUN}>-->`,
  `<![CDATA[<script>${RUN}</script>]]>`,
  `</textarea><script>${RUN}</script>`,
  `</p></li></ol><h1>outside</h1>`,
];
const DOLLAR = "$";
const TEMPLATES = [
  `${DOLLAR}{owned=1}`,
  "{{constructor.constructor('owned=1')()}}",
  "<!--?lit$1-->",
  "<?lit$1$?>",
  "{0} {1}",
  "%s%n",
  "$&$1$`",
];
const URLS = [
  `javascript:${RUN}`,
  "JaVaScRiPt://%0aowned=1",
  "data:text/html,<script>owned=1</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://evil.example/1",
  "https://",
  "https://[",
  "https://evil.example/\u202egpj.exe",
  `https://evil.example/"onmouseover="${RUN}`,
  "https://evil.example/<script>",
  "http://user:password@evil.example:99999/",
  `https://evil.example/${"a".repeat(2000)}`,
  "xmpp:ada@localhost?remove",
];
const STYLES = [
  "*",
  "**",
  "***",
  "*a",
  "a*",
  "_*a_*",
  "`",
  "``",
  "```",
  "```\n```",
  "```js\n*x*",
  "> ",
  ">>>>>>>>>>",
  "> ```\n> x",
  "*\n*",
  "~_*`x`*_~",
  "*".repeat(3000),
  "_a".repeat(1500),
  "`".repeat(2999),
  " *a".repeat(1000),
  "> ".repeat(1500),
  "(".repeat(3000),
  "https://a".repeat(400),
  "@".repeat(3000),
];
const UNICODE = [
  "\u202ereversed\u202c",
  "\u2066\u2067\u2068",
  "a\u0300".repeat(500),
  "\ufeff",
  "\u200b",
  "\u2028\u2029",
  "👨‍👩‍👧‍👦".repeat(50),
  "𝕬𝖉𝖒𝖎𝖓",
  "ʇxǝʇ",
  "ﷺ".repeat(100),
  "\ud7ff\ue000\ufffd",
  "\u{10ffff}",
  "Ａｄａ",
  "Ada\u200b",
  "\u0007bell".replace("\u0007", ""),
  "\t\t\t",
  "\n".repeat(200),
  " ",
];
const OTHERS = [
  "/me <img src=x onerror=owned=1>",
  "/me",
  "constructor",
  "__proto__",
  "toString",
  "undefined",
  "null",
  "NaN",
  "0",
  "-1e999",
  "]]>",
  "&lt;b&gt;",
  "&#x3c;",
  "<b>bold</b>",
  "&lt;script&gt;",
  "[x](javascript:owned=1)",
  "![x](https://evil.example/x.png)",
  "BEGIN:VCARD",
  '{"token":1}',
  "\\u003cscript\\u003e",
];
const CORPUS = [...TAGS, ...TEMPLATES, ...URLS, ...STYLES, ...UNICODE, ...OTHERS];

test(`${CORPUS.length} hostile texts in the body`, { timeout: 60_000 }, async () => {
  const ada = await enter(on.server, "bodies", "Ada", "secret");
  await admitGuests(ada);
  for (const text of CORPUS) ada.room.say(text || " ");
  await ada.until(() => ada.room.timeline.entries.every(({ state }) => state === "sent"));
  const { page, said, message, close } = await openWidget(on.browser, on.site, {
    room: "bodies",
    nick: "Mira",
    "max-history": "200",
  });
  const elsewhere: string[] = [];
  page.on("request", (request) => !request.url().startsWith(on.site.url) && elsewhere.push(request.url()));
  page.on("dialog", (dialog) => elsewhere.push(dialog.message()));
  await message("u003cscript")
    .waitFor()
    .catch((error) => {
      throw new Error(`${error} ${said}`);
    });
  // The same while it arrives live, and while it is answered and quoted.
  for (const entry of ada.room.timeline.entries.slice(0, 20)) ada.room.say("answer", { reply: entry });
  await ada.say("the end");
  await message("the end").waitFor();
  await page.mouse.move(200, 300);
  expect(await page.evaluate("globalThis.owned")).toBeUndefined();
  expect(
    await page.locator(".log :is(script, img, iframe, style, link, base, form, object, h1, input, details)").count(),
  ).toBe(0);
  const links = await page.locator(".log a").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
  expect(links.filter((href) => !/^https?:\/\//.test(href))).toEqual([]);
  expect(elsewhere).toEqual([]);
  expect(said).toEqual([]);
  expect(await page.evaluate("document.body.scrollWidth <= innerWidth")).toBe(true);
  await close();
  ada.leave();
});

test("hostile names, subjects, room names, reactions and ids", { timeout: 60_000 }, async () => {
  const ada = await enter(on.server, "names", "Ada", "secret");
  await admitGuests(ada);
  const fields = await settings(ada.client, ada.room);
  for (const field of fields) if (/roomname|roomdesc/.test(field.name)) field.values = [`${TAGS[1]}${TEMPLATES[0]}`];
  await configure(ada.client, ada.room, fields);
  const { page, said, message, close } = await openWidget(on.browser, on.site, { room: "names", nick: "Mira" });
  await page.locator("textarea").waitFor();
  const nicks = [TAGS[0]!, TAGS[1]!, TEMPLATES[0]!, "\u202eadA", "__proto__", "constructor"];
  const others = [];
  for (const nick of nicks) {
    const other = await enter(on.server, "names", nick).catch(() => undefined);
    if (!other) continue;
    others.push(other);
    other.room.typing.press();
    await other.say(`from ${others.length}`);
  }
  ada.client.send(xml("message", { to: ada.room.jid, type: "groupchat" }, xml("subject", null, TAGS.join(" "))));
  const target = await ada.say("target");
  ada.room.post(
    xml(
      "reactions",
      { xmlns: "urn:xmpp:reactions:0", id: target.ref },
      ...TAGS.map((tag) => xml("reaction", null, tag)),
    ),
  );
  ada.room.post(xml("body", null, "odd"), xml("reply", { xmlns: "urn:xmpp:reply:0", id: "__proto__", to: TAGS[1] }));
  await ada.say("the end");
  await message("the end").waitFor();
  await page.getByRole("button", { name: /^People/ }).click();
  await page.locator(".person").nth(others.length).waitFor();
  expect(others.length).toBeGreaterThan(2);
  expect(await page.locator(".reacts button").count()).toBe(0);
  expect(await page.evaluate("globalThis.owned")).toBeUndefined();
  expect(await page.locator(".panel :is(script, img, iframe)").count()).toBe(0);
  expect(said).toEqual([]);
  for (const other of others) other.leave();
  await close();
  ada.leave();
});
