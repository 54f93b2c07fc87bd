/**
 * How long a visitor waits, beside Converse.js 14: node test/browser/speed.ts [--rounds 3]
 *
 * Both pages are served from here over a network of 1.6 Mbit/s and 150 ms with a processor four times slower, into the same room of
 * the same server; what is counted is what a visitor sees.
 */
import { parseArgs } from "node:util";
import { startServer } from "../interop/server.ts";
import { type Visit, visitors } from "./visit.ts";

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
const server = await startServer();
const { widget, converse, leave } = await visitors(server);
const visits: Record<string, Visit[]> = { "<xmpp-chat>": [], "Converse.js 14": [] };
for (let round = 0; round < Number(values.rounds); round++) {
  visits["<xmpp-chat>"]!.push(await widget());
  visits["Converse.js 14"]!.push(await converse());
}
console.log("                 chat seen   last message seen   over the network");
for (const [name, all] of Object.entries(visits)) {
  const figure = (of: (visit: Visit) => number) => median(all.map(of));
  const [chat, message, bytes] = [figure((v) => v.chat), figure((v) => v.message), figure((v) => v.bytes)];
  console.log(
    `${name.padEnd(16)} ${`${chat.toFixed(0)} ms`.padStart(9)} ${`${message.toFixed(0)} ms`.padStart(19)} ${`${(bytes / 1000).toFixed(0)} kB`.padStart(18)}`,
  );
}
await leave();
await server.stop();
