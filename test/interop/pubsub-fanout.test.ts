/** One node with many subscribers (SUBSCRIBERS, default 200): no notification is lost, doubled or out of order. */
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { stage } from "./fixture.ts";
import { runs } from "./ledger.ts";
import { parallel } from "./parallel.ts";

const on = stage();
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 200);
const ITEMS = 20;
/** Publishes on their way at a time, so that fan-outs meet each other. */
const WINDOW = 4;
/** Nothing has come for this long: something was lost. */
const PATIENCE_MS = 15_000;

const PUBSUB = "http://jabber.org/protocol/pubsub";
const NODE = "crowd";
const pubsub = (payload: string) => `<pubsub xmlns="${PUBSUB}">${payload}</pubsub>`;

test(`${SUBSCRIBERS} subscribers get ${ITEMS} items each`, async ({ annotate }) => {
  const { websocket: url, domain, hosts } = on.server;
  const login = (username: string) => Client.login({ url, domain, username, password: "pencil" });
  const names = Array.from({ length: SUBSCRIBERS }, (_, at) => `subscriber-${at}`);
  const begun = performance.now();
  await on.server.addUsers(["author", ...names], "pencil");
  const author = await login("author");
  await author.iq("set", hosts.pubsub, pubsub(`<create node="${NODE}"/>`));
  const seen = new Map<string, number[]>();
  const total = SUBSCRIBERS * ITEMS;
  let count = 0;
  let done: () => void = () => {};
  const clients = await parallel(names, 8, async (name) => {
    const client = await login(name);
    const mine: number[] = [];
    seen.set(name, mine);
    const echoed = client.next((frame) => frame.startsWith("<presence"));
    client.send(`<presence xmlns="jabber:client"/>`);
    await echoed;
    client.onStanza = (stanza) => {
      const id = stanza.startsWith("<message") && stanza.match(/<item id="(\d+)"/)?.[1];
      if (!id) return;
      mine.push(Number(id));
      if (++count >= total) done();
    };
    await client.iq("set", hosts.pubsub, pubsub(`<subscribe node="${NODE}" jid="${name}@${domain}"/>`));
    return client;
  });
  on.later(() => Promise.all([author, ...clients].map((one) => one.close())));
  const ready = performance.now();

  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  let watch: NodeJS.Timeout | undefined;
  const stalled = new Promise<void>((resolve) => {
    let before = -1;
    watch = setInterval(() => (before === count ? resolve() : (before = count)), PATIENCE_MS);
  });
  const ids = Array.from({ length: ITEMS }, (_, at) => at + 1);
  await parallel(ids, WINDOW, (id) => {
    const item = `<item id="${id}"><entry xmlns="test:entry">A plague on both your houses</entry></item>`;
    return author.iq("set", hosts.pubsub, pubsub(`<publish node="${NODE}">${item}</publish>`));
  });
  await Promise.race([all, stalled]);
  clearInterval(watch);
  const ended = performance.now();

  const wrong = [...seen].filter(([, mine]) => runs(mine) !== `1-${ITEMS}`);
  expect(wrong.map(([name, mine]) => `${name}: ${runs(mine)}`)).toEqual([]);
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  await annotate(
    `${count} notifications in ${seconds(ready, ended)} s, after ${seconds(begun, ready)} s to get everybody there`,
  );
}, 600_000);
