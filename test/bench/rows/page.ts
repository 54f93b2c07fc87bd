/** What a visitor of a page waits for: a room's last message on screen, over 1.6 Mbit/s and 150 ms with a slow processor. */
import { type Visitors, visitors } from "../../browser/visit.ts";
import { type Row, Unsupported } from "../row.ts";

/** Of our server's pages, and of Converse.js on our server: what runs the page matters here, so the peers have no figure. */
const waiting =
  (who: "widget" | "converse", seen: "chat" | "message"): Row["prepare"] =>
  async (server) => {
    if (server.name !== "ours") throw new Unsupported();
    const all: Visitors = await visitors(server).catch((error: Error) => {
      throw error.message.includes("Chromium is not installed") ? new Unsupported() : error;
    });
    let milliseconds = Number.NaN;
    return {
      async run() {
        milliseconds = (await all[who]())[seen];
        return 1;
      },
      figure: () => milliseconds,
    };
  };

export const rows: Row[] = [
  { name: "page-first", title: "widget: chat on screen", unit: "ms", prepare: waiting("widget", "chat") },
  { name: "page-message", title: "widget: last message on screen", unit: "ms", prepare: waiting("widget", "message") },
  { name: "page-converse", title: "  Converse.js 14", unit: "ms", prepare: waiting("converse", "message") },
];
