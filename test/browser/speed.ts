/**
 * How long a visitor waits, beside Converse.js 14: node test/browser/speed.ts [--rounds 3]
 *
 * Both pages are served from here over a network of 1.6 Mbit/s and 150 ms with a processor four times slower, into the same room of
 * the same server; what is counted is what a visitor sees.
 */
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { startServer } from "../interop/server.ts";
import { launch } from "./chromium.ts";
import { converseSite } from "./converse-site.ts";
import { admitGuests, enter } from "./people.ts";
import { widgetSite } from "./widget.ts";

interface Visit {
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

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
const [server, browser] = await Promise.all([startServer(), launch()]);
await server.addUsers(["ada"], "secret");
const ada = await enter(server, "speed", "Ada", "secret");
await admitGuests(ada);
for (let i = 0; i < 49; i++) await ada.say(`message ${i}`);
await ada.say(LAST);
const room = `speed@${server.hosts.rooms}`;
const widget = await widgetSite(server);
const visits: Record<string, Visit[]> = { "<xmpp-chat>": [], "Converse.js 14": [] };
for (let round = 0; round < Number(values.rounds); round++) {
  visits["<xmpp-chat>"]!.push(await visit(browser, `${widget.url}?room=speed&nick=Mira${round}`, "xmpp-chat .panel"));
  // Another name each time: that of the visit before is still taken by a session that could be resumed.
  const auto_join_rooms = [{ jid: room, nick: `Noor${round}` }];
  const guest = { jid: server.hosts.guest, authentication: "anonymous", auto_login: true, auto_join_rooms };
  const converse = await converseSite(server, guest);
  visits["Converse.js 14"]!.push(await visit(browser, converse.url, "converse-root *:visible"));
  await converse.stop();
}
console.log("                 chat seen   last message seen   over the network");
for (const [name, all] of Object.entries(visits)) {
  const figure = (of: (visit: Visit) => number) => median(all.map(of));
  const [chat, message, bytes] = [figure((v) => v.chat), figure((v) => v.message), figure((v) => v.bytes)];
  console.log(
    `${name.padEnd(16)} ${`${chat.toFixed(0)} ms`.padStart(9)} ${`${message.toFixed(0)} ms`.padStart(19)} ${`${(bytes / 1000).toFixed(0)} kB`.padStart(18)}`,
  );
}
ada.leave();
await Promise.all([browser.close(), widget.stop()]);
await server.stop();
