/** A visitor's wait for a room with fifty messages, by the widget or by Converse.js 14: what is counted is what is seen. */
import type { Browser, Page } from "playwright-core";
import type { Server } from "../interop/server.ts";
import { launch } from "./chromium.ts";
import { converseSite } from "./converse-site.ts";
import { admitGuests, enter } from "./people.ts";
import { widgetSite } from "./widget.ts";

export interface Visit {
  /** Milliseconds until something of the chat is painted, and until the room's last message is. */
  chat: number;
  message: number;
  /** Bytes over the network. */
  bytes: number;
}

const LAST = "the last message";

async function visit(
  browser: Browser,
  url: string,
  chat: string,
  prepare?: (page: Page) => Promise<void>,
): Promise<Visit> {
  const page = await (await browser.newContext({ viewport: { width: 900, height: 640 } })).newPage();
  const devtools = await page.context().newCDPSession(page);
  let bytes = 0;
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: 200_000,
    uploadThroughput: 94_000,
  });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  page.setDefaultTimeout(120_000);
  const start = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  const seen = page
    .locator(chat)
    .first()
    .waitFor()
    .then(() => performance.now() - start);
  await prepare?.(page);
  await page.getByText(LAST).first().waitFor();
  const message = performance.now() - start;
  const result = { chat: await seen, message, bytes };
  await page.context().close();
  return result;
}

/** Who waits: by the name of what they wait for. */
export interface Visitors {
  widget(): Promise<Visit>;
  converse(): Promise<Visit>;
  leave(): Promise<void>;
}

/** A server's room with its messages, and a browser that has not been there; each visit is by somebody new. */
export async function visitors(server: Server): Promise<Visitors> {
  const browser = await launch();
  await server.addUsers(["ada"], "secret");
  const ada = await enter(server, "speed", "Ada", "secret");
  await admitGuests(ada);
  for (let i = 0; i < 49; i++) await ada.say(`message ${i}`);
  await ada.say(LAST);
  const widget = await widgetSite(server);
  let count = 0;
  return {
    widget: () => visit(browser, `${widget.url}?room=speed&nick=Mira${count++}`, "xmpp-chat .panel"),
    async converse() {
      // Another name each time: that of the visit before is still taken by a session that could be resumed.
      const auto_join_rooms = [{ jid: `speed@${server.hosts.rooms}`, nick: `Noor${count++}` }];
      const guest = { jid: server.hosts.guest, authentication: "anonymous", auto_login: true, auto_join_rooms };
      const site = await converseSite(server, guest);
      const result = await visit(browser, site.url, "converse-root *:visible");
      await site.stop();
      return result;
    },
    async leave() {
      ada.leave();
      await Promise.all([browser.close(), widget.stop()]);
    },
  };
}
