/** `<xmpp-chat>`: guests in a room, with everything they can do there and everything that can go wrong. */
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { TARGET } from "../interop/server.ts";
import { picture } from "./chromium.ts";
import { wireTo } from "./cut.ts";
import { admitGuests, enter } from "./people.ts";
import { stage } from "./stage.ts";
import { openWidget, widgetSite } from "./widget.ts";

const on = stage(widgetSite, ["ada", "grace"]);

/** A room of its own for each test, made by Ada, who owns it. */
let rooms = 0;
const owned = async () => {
  const name = `room${++rooms}`;
  const ada = await enter(on.server, name, "Ada", "secret");
  await admitGuests(ada);
  return { name, ada };
};

/** What an application's login endpoint answers. */
const loginOf = (name: string) => JSON.stringify({ jid: `${name}@${on.server.domain}`, password: "secret" });

describe("a guest", () => {
  test("joins, reads, talks, and is seen by others", async () => {
    const { name, ada } = await owned();
    await ada.say("It *works*, see https://example.org/a?b=c.");
    const { page, say, message, said, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await message("It works").waitFor();
    expect(await message("It works").locator("strong").textContent()).toBe("works");
    const link = message("It works").locator("a");
    expect([await link.getAttribute("href"), await link.getAttribute("rel")]).toEqual([
      "https://example.org/a?b=c",
      "noopener noreferrer nofollow ugc",
    ]);
    await say("Hello from a page");
    const heard = await ada.until(() => ada.room.timeline.entries.find(({ body }) => body === "Hello from a page"));
    expect(heard.nick).toBe("Mira");
    ada.room.typing.press();
    await page.locator(".status", { hasText: "Ada is typing" }).waitFor();
    await ada.say("Welcome, Mira!", heard);
    await page.locator(".hit .quote", { hasText: "Hello from a page" }).waitFor();
    expect(said).toEqual([]);
    await close();
    ada.leave();
  });

  test("scrolls back through 500 messages: none missing, none twice", { timeout: 60_000 }, async () => {
    const { name, ada } = await owned();
    for (let i = 0; i < 500; i++) ada.room.say(`line ${i}`);
    await ada.until(
      () =>
        ada.room.timeline.entries.length === 500 && ada.room.timeline.entries.every(({ state }) => state === "sent"),
    );
    const { page, texts, message, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await message("line 499").waitFor();
    await ada.say("said meanwhile");
    while (!(await page.locator(".begin").count())) {
      const before = await page.locator(".m").count();
      await page.locator(".log").evaluate((log) => log.scrollTo(0, 0));
      await expect
        .poll(async () => (await page.locator(".m").count()) > before || (await page.locator(".begin").count()) > 0)
        .toBe(true);
    }
    expect(await texts()).toEqual([...Array.from({ length: 500 }, (_, i) => `line ${i}`), "said meanwhile"]);
    await close();
    ada.leave();
  });

  test("reacts, replies, edits and deletes", async () => {
    const { name, ada } = await owned();
    const question = await ada.say("Tea or coffee?");
    const { page, say, message, act, said, close } = await openWidget(on.browser, on.site, {
      room: name,
      nick: "Mira",
    });
    await message("Tea or coffee").hover();
    await page.getByRole("button", { name: "React" }).first().click();
    await page.getByRole("menuitem", { name: "👍" }).click();
    await ada.until(() => question.reactions.get("👍")?.size === 1);
    ada.room.react(question, "👍");
    await page.locator(".reacts button", { hasText: "2" }).waitFor();

    await message("Tea or coffee").hover();
    await page.getByRole("button", { name: "Reply" }).first().click();
    await say("Coffe");
    const reply = await ada.until(() => ada.room.timeline.entries.find(({ body }) => body === "Coffe"));
    expect(reply.reply?.ref).toBe(question.ref);

    await page.press("textarea", "ArrowUp");
    expect(await page.inputValue("textarea")).toBe("Coffe");
    await page.fill("textarea", "Coffee");
    await page.press("textarea", "Enter");
    await ada.until(() => reply.edited && reply.body === "Coffee");

    await act("Coffee (edited)", "Delete");
    await ada.until(() => reply.removed);
    await page.locator(".gone", { hasText: "Message deleted" }).waitFor();
    expect(said).toEqual([]);
    await close();
    ada.leave();
  });

  test("writes to one person only, mentions by completion, and changes the name", async () => {
    const { name, ada } = await owned();
    await ada.say("hello");
    const { page, act, message, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await message("hello").waitFor();
    await act("hello", "Write privately");
    await page.fill("textarea", "just for you");
    await page.press("textarea", "Enter");
    await ada.until(() => ada.room.timeline.entries.find(({ body, to }) => body === "just for you" && to === "Ada"));
    await page.locator(".just").waitFor();

    await page.locator("textarea").pressSequentially("hi @a");
    await page.getByRole("option", { name: "Ada" }).waitFor();
    await page.press("textarea", "Tab");
    expect(await page.inputValue("textarea")).toBe("hi @Ada ");

    await page.getByRole("button", { name: "Change name" }).click();
    await page.getByLabel("Your name").last().fill("Ada");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".status", { hasText: "taken" }).waitFor();
    await page.getByRole("button", { name: "Change name" }).click();
    await page.getByLabel("Your name").last().fill("Miranda");
    await page.getByRole("button", { name: "Save" }).click();
    await ada.until(() => ada.room.occupants.has("Miranda"));
    await close();
    ada.leave();
  });
});

describe("a connection", () => {
  test("that is cut comes back, and what was said meanwhile is there once, both ways", {
    timeout: 60_000,
  }, async () => {
    const { name, ada } = await owned();
    const wire = await wireTo(on.server.http);
    const cuttable = await widgetSite(on.server, `ws://${wire.address}${new URL(on.server.websocket).pathname}`);
    const { page, say, texts, message, close } = await openWidget(on.browser, cuttable, { room: name, nick: "Mira" });
    await say("before");
    wire.cut();
    await page.locator(".status", { hasText: "No connection" }).waitFor();
    await ada.say("said to nobody");
    await page.fill("textarea", "written offline");
    await page.press("textarea", "Enter");
    await page.locator(".sending").waitFor();
    wire.mend();
    await page.evaluate(`dispatchEvent(new Event("online"))`);
    await message("said to nobody").waitFor({ timeout: 30_000 });
    await page.locator(".own.sent", { hasText: "written offline" }).waitFor({ timeout: 30_000 });
    expect(await texts()).toEqual(["before", "said to nobody", "written offline"]);
    await ada.until(() => ada.room.timeline.entries.filter(({ body }) => body === "written offline").length === 1);
    await close();
    await Promise.all([cuttable.stop(), wire.stop()]);
    ada.leave();
  });

  const reloads = { guest: {}, user: { "token-url": "/login" } };
  test.runIf(TARGET === "ours").each(["user", "guest"] as const)(
    "survives a reload as the same %s: nothing lost, nothing twice",
    async (who) => {
      const { name, ada } = await owned();
      const { page, say, texts, message, close } = await openWidget(on.browser, on.site, {
        room: name,
        ...reloads[who],
      });
      await page.route("**/login", (route) => route.fulfill({ body: loginOf("grace") }));
      if (who === "user") await page.reload();
      await say("before");
      const { nick } = await ada.until(() => ada.room.timeline.entries[0]);
      const present: string[] = [];
      const watch = ada.until(() => {
        const names = [...ada.room.occupants.keys()].filter((each) => each !== "Ada").join();
        if (present.at(-1) !== names) present.push(names);
        return ada.room.timeline.entries.some(({ body }) => body === "after");
      });
      await page.reload();
      await ada.say("while it loaded");
      await message("while it loaded").waitFor();
      await say("after");
      await watch;
      expect(await texts()).toEqual(["before", "while it loaded", "after"]);
      expect(await page.locator(".own .b").allInnerTexts()).toEqual(["before", "after"]);
      // Others saw nobody leave or come.
      expect(present).toEqual([nick]);
      await close();
      ada.leave();
    },
  );

  test("of one tab is not disturbed by a second one", async () => {
    const { name, ada } = await owned();
    const first = await openWidget(on.browser, on.site, { room: name });
    await first.say("from one tab");
    const tab = await first.page.context().newPage();
    await tab.goto(first.page.url());
    await tab.locator(".b", { hasText: "from one tab" }).waitFor();
    await tab.fill("textarea", "from the other");
    await tab.press("textarea", "Enter");
    await first.page.locator(".b", { hasText: "from the other" }).waitFor();
    await first.say("still here");
    await tab.locator(".b", { hasText: "still here" }).waitFor();
    if (TARGET === "ours") {
      // Both are one guest to everybody, themselves included.
      expect([...ada.room.occupants.keys()].filter((nick) => nick !== "Ada")).toHaveLength(1);
      expect(await tab.locator(".own .b").allInnerTexts()).toEqual(["from one tab", "from the other", "still here"]);
    }
    await first.close();
    ada.leave();
  });

  test.runIf(TARGET === "ours")(
    "ends with its page; who comes back later is the same guest, in one round trip",
    async () => {
      const { name, ada } = await owned();
      const first = await openWidget(on.browser, on.site, { room: name });
      await first.say("before");
      const { sender, nick } = await ada.until(() => ada.room.timeline.entries[0]);
      const context = first.page.context();
      await first.page.evaluate(`document.querySelector("xmpp-chat").remove()`);
      await ada.until(() => !ada.room.occupants.has(nick));
      await first.page.close();
      const page = await context.newPage();
      const frames: string[] = [];
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => frames.push(`sent ${String(payload).slice(1).split(/[ />]/)[0]}`));
        socket.on("framereceived", ({ payload }) => frames.push(`got ${String(payload).slice(1).split(/[ />]/)[0]}`));
      });
      await page.goto(`${on.site.url}?room=${name}`);
      await page.locator(".b", { hasText: "before" }).waitFor();
      expect(frames.slice(0, 5)).toEqual([
        "sent open",
        "sent authenticate",
        "got open",
        "got stream:features",
        "got success",
      ]);
      await page.fill("textarea", "after");
      await page.press("textarea", "Enter");
      const after = await ada.until(() => ada.room.timeline.entries.find(({ body }) => body === "after"));
      expect([after.sender, after.nick]).toEqual([sender, nick]);
      expect(await page.locator(".own .b").allInnerTexts()).toEqual(["before", "after"]);
      await context.close();
      ada.leave();
    },
  );

  test("outlives the server: killed and restarted, it goes on", { timeout: 60_000 }, async () => {
    const { name, ada } = await owned();
    const { page, say, texts, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await say("before");
    await on.server.kill9();
    await page.locator(".status", { hasText: "No connection" }).waitFor();
    await page.fill("textarea", "written meanwhile");
    await page.press("textarea", "Enter");
    await on.server.restart();
    await page.evaluate(`dispatchEvent(new Event("online"))`);
    await page.locator(".own.sent", { hasText: "written meanwhile" }).waitFor({ timeout: 40_000 });
    expect((await texts()).filter((text) => text === "written meanwhile")).toHaveLength(1);
    await close();
    ada.leave();
  });
});

describe("a moderator", () => {
  test("mutes, lets speak and kicks; whom it concerns is told", async () => {
    const { name, ada } = await owned();
    const { page, say, said, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await say("hello");
    const { setRole } = await import("../../src/web/client/moderation.ts");
    await setRole(ada.client, ada.room, "Mira", "visitor");
    await page.locator(".bar", { hasText: "not write" }).waitFor();
    await setRole(ada.client, ada.room, "Mira", "participant");
    await page.locator("textarea").waitFor();
    await setRole(ada.client, ada.room, "Mira", "none", "flooding");
    await page.locator(".bar", { hasText: "removed from this room. (flooding)" }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    // Ours does not let a guest who was sent out come straight back.
    const again = TARGET === "ours" ? page.locator(".bar", { hasText: "cannot be opened" }) : page.locator("textarea");
    await again.waitFor();
    expect(said).toEqual([]);
    await close();
    ada.leave();
  });

  test.runIf(TARGET === "ours")(
    "removes a message and bans a guest, in the widget; a reload does not bring the guest back",
    async () => {
      const { name, ada } = await owned();
      ada.leave();
      const owner = await openWidget(on.browser, on.site, { room: name, nick: "Ada", "token-url": "/login" }, {});
      await owner.page.route("**/login", (route) => route.fulfill({ body: loginOf("ada") }));
      await owner.page.reload();
      const guest = await openWidget(on.browser, on.site, { room: name, nick: "Mallory" });
      await guest.say("buy cheap pills");
      await owner.act("buy cheap pills", "Remove for everyone");
      await owner.page.getByLabel("Reason").fill("advertising");
      await owner.page.getByRole("button", { name: "Remove for everyone" }).click();
      await guest.page.locator(".gone", { hasText: "Removed by a moderator: advertising" }).waitFor();
      await guest.say("more pills");
      await owner.act("more pills", "Ban");
      await owner.page.getByRole("button", { name: "Ban" }).last().click();
      await guest.page.locator(".bar", { hasText: "banned" }).waitFor();
      await guest.page.reload();
      await guest.page.locator(".bar", { hasText: "banned" }).waitFor();
      // Somebody from the same place with all memory wiped is still the one who was banned.
      const again = await openWidget(on.browser, on.site, { room: name, nick: "Nobody" });
      await again.page.locator(".bar", { hasText: "cannot be opened" }).waitFor();
      await Promise.all([owner.close(), guest.close(), again.close()]);
    },
  );

  test("the owner edits the room's settings", async () => {
    const { name, ada } = await owned();
    ada.leave();
    const { page, close } = await openWidget(on.browser, on.site, { room: name, nick: "Ada", "token-url": "/login" });
    await page.route("**/login", (route) => route.fulfill({ body: loginOf("ada") }));
    await page.reload();
    await page.getByRole("button", { name: "Room settings" }).click();
    await page.locator(".fields label").first().waitFor();
    await page.locator(".fields input[type=text]").first().fill("The Parlour");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("h2", { hasText: "The Parlour" }).waitFor();
    await close();
  });
});

describe("for everybody", () => {
  const looks = { light: { colorScheme: "light" }, dark: { colorScheme: "dark" } } as const;
  const cases = [
    ["light", "en"],
    ["dark", "en"],
    ["light", "ar"],
    ["dark", "de"],
  ] as const;

  test.each(cases)("axe finds nothing: %s, %s", async (look, lang) => {
    const { name, ada } = await owned();
    await ada.say("Good morning, Mira. `code` and *bold*");
    const options = { ...looks[look], bypassCSP: true, viewport: { width: 390, height: 720 } };
    const { page, say, message, close } = await openWidget(
      on.browser,
      on.site,
      { room: name, nick: "Mira", lang },
      options,
    );
    await say("Hello");
    await message("Good morning").hover();
    await message("Good morning").locator(".tools > .icon").last().click();
    await page.getByRole("menuitem").first().waitFor();
    await page.addScriptTag({ content: axe.source });
    const audit = () =>
      page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join(" ")}`,
        );
      });
    expect(await audit()).toEqual([]);
    await page.keyboard.press("Escape");
    await page.locator("header .icon").first().click();
    await page.locator(".person").first().waitFor();
    expect(await audit()).toEqual([]);
    await page.locator(".side .icon").click();
    await picture(page, `widget-${look}-${lang}`);
    await close();
    ada.leave();
  });

  test("everything is reached by keyboard, and new messages are announced once", async () => {
    const { name, ada } = await owned();
    for (const text of ["one", "two", "three"]) await ada.say(text);
    const { page, message, close } = await openWidget(on.browser, on.site, { room: name, nick: "Mira" });
    await message("three").waitFor();
    const focused = () => page.evaluate(`document.activeElement.shadowRoot.activeElement?.innerText ?? ""`);
    await page.locator("textarea").focus();
    await page.keyboard.press("Shift+Tab");
    expect(await focused()).toContain("three");
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toContain("two");
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Copy text" }).waitFor();
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe("Mention");
    await page.keyboard.press("Escape");
    await page.locator("[role=menu]").waitFor({ state: "detached" });
    await ada.say("four");
    await page.locator(".vh[role=status]", { hasText: "Ada: four" }).waitFor({ state: "attached" });
    expect(await page.locator("[role=log]").getAttribute("aria-live")).toBe("off");
    await close();
    ada.leave();
  });

  test("in a bubble: unread messages are counted on the button and in the title until they are seen", async () => {
    const { name, ada } = await owned();
    await ada.say("old");
    const { page, message, close } = await openWidget(on.browser, on.site, {
      room: name,
      nick: "Mira",
      mode: "bubble",
    });
    await expect.poll(() => page.evaluate(`document.querySelector("xmpp-chat").loaded`)).toBe(true);
    await ada.say("new");
    await page.locator(".badge", { hasText: "1" }).waitFor();
    expect(await page.title()).toBe("(1) A page");
    await page.locator(".launch").click();
    await message("new").waitFor();
    await page.locator(".fresh").waitFor();
    await page.locator(".badge").waitFor({ state: "detached" });
    expect(await page.title()).toBe("A page");
    await page.keyboard.press("Escape");
    await page.locator(".panel").waitFor({ state: "detached" });
    await close();
    ada.leave();
  });
});
