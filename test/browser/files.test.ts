/** `<xmpp-chat upload>`: files go up, and are seen by those who are there; what goes wrong is said. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { xml } from "../../src/web/client/element.ts";
import { setRole } from "../../src/web/client/moderation.ts";
import { TARGET } from "../interop/server.ts";
import { admitGuests, enter, type Person } from "./people.ts";
import { stage } from "./stage.ts";
import { openWidget, type Widget, widgetSite } from "./widget.ts";

/** One red point. */
const POINT = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);
const picture = (name: string) => ({ name, mimeType: "image/png", buffer: POINT });
const letter = (name: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from("Dear Mira") });
/** Drops or pastes a file or a text, or drags it over; whether anybody took it. */
const GIVE = `(type, target, file, text) => {
  const node = document.querySelector("xmpp-chat").root.querySelector(target);
  const data = new DataTransfer();
  if (file) data.items.add(new File(["x"], file, { type: "text/plain" }));
  if (text) data.setData("text/plain", text);
  const init = { bubbles: true, cancelable: true, composed: true, clipboardData: data, dataTransfer: data };
  return !node.dispatchEvent(type === "paste" ? new ClipboardEvent(type, init) : new DragEvent(type, init));
}`;
const OOB = "jabber:x:oob";

const on = stage(widgetSite, ["ada", "grace"]);

let rooms = 0;
async function owned(): Promise<{ name: string; ada: Person }> {
  const name = `files${++rooms}`;
  const ada = await enter(on.server, name, "Ada", "secret");
  await admitGuests(ada);
  return { name, ada };
}

const grace = (room: string, more: Record<string, string> = {}, options = {}) =>
  openWidget(on.browser, on.site, { room, nick: "Grace", "token-url": "/login/grace", upload: "", ...more }, options);

const button = ({ page }: Widget) => page.getByRole("button", { name: "Send a file", exact: true });

async function choose(widget: Widget, ...files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> {
  const [chooser] = await Promise.all([widget.page.waitForEvent("filechooser"), button(widget).click()]);
  await chooser.setFiles(files);
}

/** The file of that name, as a room was told of it. */
const told = (ada: Person, name: string) =>
  ada.until(() => ada.room.timeline.entries.find(({ body, file }) => file && body.endsWith(`/${encodeURI(name)}`)));

const width = (page: Page, alt: string) =>
  page.getByAltText(alt).evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);

/** What becomes of files on their way up: each waits until it is let through, or is refused with a status. */
async function gate(page: Page): Promise<(status?: number) => Promise<void>> {
  const waiting: ((status?: number) => Promise<void>)[] = [];
  let come: (() => void) | undefined;
  await page.route(`${on.server.http}/upload/**`, async (route) => {
    if (route.request().method() !== "PUT") await route.continue();
    else waiting.push((status) => (status ? route.fulfill({ status, body: "No room." }) : route.continue()));
    come?.();
  });
  return async (status) => {
    while (!waiting.length)
      await new Promise<void>((resolve) => {
        come = resolve;
      });
    await waiting.shift()!(status);
  };
}

describe.skipIf(TARGET !== "ours")("files", () => {
  test("a picture goes up, and is seen by a guest; another file is a link", async () => {
    const { name, ada } = await owned();
    const guest = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await guest.page.locator("textarea").waitFor();
    const widget = await grace(name);
    await choose(widget, picture("a lady.png"), letter("très cher.txt"));
    await told(ada, "a lady.png");
    await told(ada, "très cher.txt");
    expect(ada.room.timeline.entries.map(({ nick }) => nick)).toEqual(["Grace", "Grace"]);
    for (const { page } of [widget, guest]) {
      await page.getByAltText("Picture: a lady.png").waitFor();
      await expect.poll(() => width(page, "Picture: a lady.png"), { timeout: 10_000 }).toBe(1);
      const link = page.getByRole("link", { name: "très cher.txt" });
      expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow ugc");
      expect(await (await fetch((await link.getAttribute("href")) ?? "")).text()).toBe("Dear Mira");
    }
    await guest.page.locator(".vh[role=status]", { hasText: /Grace: \S*a%20lady\.png/ }).waitFor({ state: "attached" });
    expect([...widget.said, ...guest.said]).toEqual([]);
    await widget.close();
    await guest.close();
    // Who comes later sees it in the history.
    const late = await openWidget(on.browser, on.site, { room: name, nick: "Noor" });
    await expect.poll(() => width(late.page, "Picture: a lady.png"), { timeout: 10_000 }).toBe(1);
    await late.close();
    ada.leave();
  });

  test("what is dropped on the chat, or pasted where one writes, is sent, too", async () => {
    const { name, ada } = await owned();
    const widget = await grace(name);
    await button(widget).waitFor();
    const give = (type: string, target: string, file: string, text = "") =>
      widget.page.evaluate<boolean>(`(${GIVE})(...${JSON.stringify([type, target, file, text])})`);
    expect(await give("dragover", ".log", "dropped.txt")).toBe(true);
    expect(await give("drop", ".log", "dropped.txt")).toBe(true);
    expect(await give("paste", "textarea", "pasted.txt")).toBe(true);
    // Text is text, and what is pasted elsewhere is nobody's.
    expect(await give("dragover", ".log", "")).toBe(false);
    expect(await give("paste", "textarea", "of-text.txt", "text")).toBe(false);
    expect(await give("paste", ".log", "elsewhere.txt")).toBe(false);
    await told(ada, "pasted.txt");
    expect(ada.room.timeline.entries.map(({ body }) => body.replace(/.*\//, ""))).toEqual([
      "dropped.txt",
      "pasted.txt",
    ]);
    await widget.close();
    ada.leave();
  });

  test("a file for one person goes to nobody else, and may be an answer", async () => {
    const { name, ada } = await owned();
    const question = await ada.say("How do you look?");
    const widget = await grace(name);
    await widget.act("How do you look", "Write privately");
    await choose(widget, picture("secret.png"));
    expect((await told(ada, "secret.png")).to).toBe("Ada");
    await widget.page.getByRole("button", { name: "Cancel" }).click();
    await widget.message("How do you look").hover();
    await widget.page.getByRole("button", { name: "Reply" }).first().click();
    await choose(widget, picture("open.png"));
    const answer = await told(ada, "open.png");
    expect([answer.to, answer.reply?.ref]).toEqual([undefined, question.ref]);
    expect(widget.said).toEqual([]);
    await widget.close();
    ada.leave();
  });

  test("there is no button for guests, nor without the attribute, and then nothing is loaded for it", async () => {
    const { name, ada } = await owned();
    const guest = await openWidget(on.browser, on.site, { room: name, nick: "Mira", upload: "" });
    const frames: string[] = [];
    guest.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
    await guest.page.reload();
    const refused = () => frames.some((frame) => frame.includes("upload.") && frame.includes("not-allowed"));
    await expect.poll(refused, { timeout: 10_000 }).toBe(true);
    const plain = await openWidget(on.browser, on.site, { room: name, nick: "Grace", "token-url": "/login/grace" });
    await plain.say("hello, too");
    await guest.message("hello, too").waitFor();
    for (const widget of [guest, plain]) expect(await button(widget).count()).toBe(0);
    expect(
      await plain.page.evaluate(`performance.getEntriesByType("resource").map(({ name }) => name).join()`),
    ).not.toContain("embed-files");
    await guest.close();
    await plain.close();
    ada.leave();
  });

  test.each(["light", "dark"] as const)(
    "how far it has come is told, and what went wrong; axe finds nothing, %s",
    async (colorScheme) => {
      const { name, ada } = await owned();
      const widget = await grace(name, {}, { bypassCSP: true, colorScheme, viewport: { width: 390, height: 720 } });
      const { page } = widget;
      const pass = await gate(page);
      await page.addScriptTag({ content: axe.source });
      const audit = () =>
        page.evaluate(async () => {
          const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
        });
      const long = `${"c".repeat(100)}.png`;
      await choose(widget, picture("a.png"), picture("b.png"), picture(long));
      await page.locator(".status", { hasText: "Sending a.png" }).waitFor();
      expect(await page.getByRole("progressbar", { name: "Sending b.png" }).count()).toBe(1);
      expect(await audit()).toEqual([]);

      await pass(507);
      const alert = page.getByRole("alert");
      await alert.filter({ hasText: "a.png" }).filter({ hasText: "Not sent: No room." }).waitFor();
      expect(await audit()).toEqual([]);
      // The next one goes on; that one is given up.
      await page.locator(".status", { hasText: "Sending b.png" }).waitFor();
      await page.getByRole("button", { name: "Cancel: b.png" }).click();
      await page.locator(".status", { hasText: `Sending ${long}` }).waitFor();
      const edge = async (what: string) => {
        const { x = 0, width = 0 } = (await page.locator(what).boundingBox()) ?? {};
        return x + width;
      };
      expect(await edge(".go")).toBeLessThan(await edge(".panel"));
      await page.getByRole("button", { name: "Try again" }).click();
      await pass();
      await pass();
      await pass();
      await told(ada, long);
      await told(ada, "a.png");
      await page.locator(".up").first().waitFor({ state: "detached" });
      await page.getByAltText("Picture: a.png").waitFor();
      expect(ada.room.timeline.entries.map(({ body }) => body.replace(/.*\//, ""))).toEqual([long, "a.png"]);
      expect(await audit()).toEqual([]);
      await widget.close();
      ada.leave();
    },
  );

  test("one that was refused is still a file when it is said again", async () => {
    const { name, ada } = await owned();
    const noor = await enter(on.server, name, "Noor");
    await ada.until(() => ada.room.occupants.has("Noor"));
    await setRole(ada.client, ada.room, "Noor", "visitor");
    await noor.until(() => noor.room.self?.role === "visitor");
    noor.room.say(`${on.server.http}/upload/id/again.png`, { file: true });
    const refused = await noor.until(() => noor.room.timeline.entries.find(({ state }) => state === "failed"));
    await setRole(ada.client, ada.room, "Noor", "participant");
    await noor.until(() => noor.room.self?.role === "participant");
    noor.room.retry(refused);
    expect((await told(ada, "again.png")).nick).toBe("Noor");
    noor.leave();
    ada.leave();
  });

  test("a file that is too large is not even begun", async () => {
    const { name, ada } = await owned();
    const widget = await grace(name);
    await choose(widget, { name: "huge.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(10_485_761) });
    const alert = widget.page.getByRole("alert");
    await alert.filter({ hasText: "A file may have 10.5 MB at most." }).waitFor();
    expect(await widget.page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    await widget.page.getByRole("button", { name: "Cancel: huge.bin" }).click();
    await alert.waitFor({ state: "detached" });
    await widget.say("still there");
    expect(ada.room.timeline.entries.every(({ file }) => !file)).toBe(true);
    await widget.close();
    ada.leave();
  });

  test("nothing is loaded from elsewhere, nor what is not there, nor where the page forbids it", async () => {
    const { name, ada } = await owned();
    const widget = await grace(name);
    const elsewhere: string[] = [];
    widget.page.on("request", (request) => {
      if (!request.url().startsWith(on.site.url) && !request.url().startsWith(`${on.server.http}/upload/`))
        elsewhere.push(request.url());
    });
    const shares = (url: string, body = url) =>
      ada.room.post(xml("body", null, body), xml("x", { xmlns: OOB }, xml("url", null, url)));
    const { host } = new URL(on.server.http);
    const stranger = [
      "https://evil.example/a.png",
      `${on.server.http}@evil.example/upload/a.png`,
      `${on.server.http}.evil.example/upload/a.png`,
      `https://evil.example/${on.server.http}/upload/a.png`,
      `${on.server.http}/upload/../info.json?a.png`,
      `${on.server.http}/upload/%2e%2e/info.json#a.png`,
      `//${host}/upload/a.png`,
      "javascript:alert(1)//a.png",
      "data:image/png;base64,iVBORw0KGgo=",
    ];
    for (const url of stranger) shares(url);
    shares("https://evil.example/b.png", "look at this");
    shares(`${on.server.http}/upload/nowhere/gone.png`);
    shares(`${on.server.http}/upload/nowhere/x%E2%80%AEgnp.exe`);
    await ada.say("the end");
    await widget.message("the end").waitFor();
    await widget.page.getByRole("link", { name: "gone.png", exact: true }).waitFor();
    await widget.page.getByRole("link", { name: "xgnp.exe", exact: true }).waitFor();
    await expect.poll(() => widget.page.locator(".log img").count(), { timeout: 10_000 }).toBe(0);
    expect(await widget.page.locator(".file").count()).toBe(2);
    expect(elsewhere).toEqual([]);
    await widget.close();

    const strict = await widgetSite(on.server, on.server.websocket, { pictures: false });
    const other = await openWidget(on.browser, strict, {
      room: name,
      nick: "Grace",
      "token-url": "/login/grace",
      upload: "",
    });
    await choose(other, picture("hidden.png"));
    await other.page.getByRole("link", { name: "hidden.png", exact: true }).waitFor();
    await other.close();
    await strict.stop();
    ada.leave();
  });

  test("what moves is a link where less motion is wanted", async () => {
    const { name, ada } = await owned();
    const widget = await grace(name, {}, { reducedMotion: "reduce" });
    await choose(widget, { ...picture("dance.gif"), mimeType: "image/gif" }, picture("still.png"));
    await widget.page.getByRole("link", { name: "dance.gif", exact: true }).waitFor();
    await widget.page.getByAltText("Picture: still.png").waitFor();
    await widget.close();
    ada.leave();
  });
});
