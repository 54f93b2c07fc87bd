/**
 * Acknowledged means in custody: the server is killed in the middle of traffic again and again, and at the end three
 * ledgers agree. What was acknowledged to its sender is there for its reader, once and in order.
 */
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { awaited, stage } from "./fixture.ts";
import { Reader, type ReaderOptions, runs, Sender } from "./ledger.ts";
import { TARGET } from "./server.ts";

const on = stage();
const KILLS = Number(process.env.KILLS ?? 20);

/** Between two kills so many messages are acknowledged; few at times, so that a return is killed too. */
const between = (kill: number): number => [3, 40, 120, 12, 75][kill % 5] as number;

async function pair(name: string, options: ReaderOptions): Promise<{ sender: Sender; reader: Reader }> {
  const { websocket: url, domain } = on.server;
  const [from, to] = [await on.account(`${name}-sender`), await on.account(`${name}-reader`)];
  const sender = new Sender({ url, domain, username: from.name, password: from.password }, to.jid);
  const reader = new Reader({ url, domain, username: to.name, password: to.password }, options);
  await reader.begin();
  await sender.begin();
  on.later(() => Promise.all([sender.close(), reader.close()]));
  return { sender, reader };
}

/** Whether the accounts of this server have an archive to ask. */
async function hasArchive(): Promise<boolean> {
  const { name, jid, password } = await on.account("scout");
  const { websocket: url, domain } = on.server;
  const scout = await Client.login({ url, domain, username: name, password });
  const info = await scout.iq("get", jid, `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
  await scout.close();
  return info.includes("urn:xmpp:mam:2");
}

test(`the server is killed ${KILLS} times, and nothing acknowledged is lost, doubled or out of order`, async ({
  annotate,
}) => {
  // The peers keep no session over a crash, and know no message that is sent again: their readers must help.
  const lenient = TARGET !== "ours";
  const archive = await hasArchive();
  const pairs = await Promise.all([
    pair("plain", { archive: false, lenient }),
    pair("plain", { archive: false, lenient }),
    ...(archive ? [pair("archive", { archive: true, lenient }), pair("archive", { archive: true, lenient })] : []),
  ]);
  const everybody = pairs.flatMap(({ sender, reader }) => [sender, reader]);

  for (let kill = 0; kill < KILLS; kill++) {
    for (const { sender } of pairs) sender.go();
    await acknowledged(
      pairs.map(({ sender }) => sender),
      between(kill),
    );
    await on.server.kill9();
    await Promise.all(everybody.map((one) => one.lost()));
    await on.server.restart();
    await Promise.all(everybody.map((one) => one.comeBack()));
  }

  for (const { sender, reader } of pairs) {
    await sender.finish();
    const last = sender.sent.length;
    await sees(reader, last);
    expect(runs(sender.acked), "acknowledged in the order sent").toBe(`1-${last}`);
    expect(runs(reader.seen), `seen by ${reader}`).toBe(`1-${last}`);
  }
  const count = (of: (pair: { sender: Sender; reader: Reader }) => number) => pairs.reduce((n, it) => n + of(it), 0);
  await annotate(
    [
      `${count(({ sender }) => sender.acked.length)} messages`,
      `${count(({ sender, reader }) => sender.resumed + reader.resumed)} sessions resumed`,
      `${count(({ sender, reader }) => sender.refused + reader.refused)} refused`,
      `${count(({ reader }) => reader.repeats)} repeats known by their stanza-id`,
    ].join(", "),
  );
}, 150_000);

/** Resolves when so many more messages have been acknowledged. */
async function acknowledged(senders: readonly Sender[], more: number): Promise<void> {
  const enough = awaited<void>(`${more} acknowledgements`);
  let left = more;
  for (const sender of senders) sender.onAck = () => --left <= 0 && enough.resolve();
  await enough.promise;
}

/** Resolves when the reader has seen that number; it may take its time, but not stand still. */
async function sees(reader: Reader, last: number): Promise<void> {
  const what = () => `message ${last} to be seen by ${reader}, who saw ${runs(reader.seen)}`;
  while (!reader.seen.includes(last)) {
    const more = awaited<void>(what);
    reader.onSeen = () => more.resolve();
    await more.promise;
  }
}
