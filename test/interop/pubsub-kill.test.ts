/**
 * The server is killed between a publish and its fan-out: each subscriber has had the event once, or finds it as the last
 * item; nobody has heard of what is not there, and nothing that the publisher was answered for is lost.
 */
import { expect, test } from "vitest";
import { attribute, Client, type Login } from "./client.ts";
import { type Account, awaited, stage } from "./fixture.ts";
import { parallel } from "./parallel.ts";

const on = stage();
const KILLS = Number(process.env.KILLS ?? 6);
const SUBSCRIBERS = 20;

const PUBSUB = "http://jabber.org/protocol/pubsub";
const NODE = "news";
const pubsub = (payload: string) => `<pubsub xmlns="${PUBSUB}">${payload}</pubsub>`;
const itemsOf = (frame: string): string[] =>
  [...frame.matchAll(/<item [^>]*?\bid="([^"]+)"/g)].map(([, id]) => id ?? "");

const loginOf = ({ name, password }: Account): Login => {
  const { websocket: url, domain } = on.server;
  return { url, domain, username: name, password };
};

/** Says that it is there, and knows that the server has heard it. */
async function appear(client: Client): Promise<void> {
  const echoed = client.next((frame) => frame.startsWith("<presence"));
  client.send(`<presence xmlns="jabber:client"/>`);
  await echoed;
}

/** Someone who writes down each event; `managed`: who takes the session up again, where the server still has it. */
class Subscriber {
  readonly seen: string[] = [];
  resumed = 0;
  onSeen: () => void = () => {};
  client!: Client;
  lost!: Promise<void>;
  readonly #account: Account;
  readonly #managed: boolean;

  constructor(account: Account, managed: boolean) {
    this.#account = account;
    this.#managed = managed;
  }

  async begin(): Promise<void> {
    await this.#start(await Client.authenticate(loginOf(this.#account)));
    await this.client.iq(
      "set",
      on.server.hosts.pubsub,
      pubsub(`<subscribe node="${NODE}" jid="${this.#account.jid}"/>`),
    );
  }

  async comeBack(): Promise<void> {
    const before = this.client;
    const client = await Client.authenticate(loginOf(this.#account));
    this.#wire(client);
    if (this.#managed && (await client.resume(before))) {
      this.resumed++;
      this.client = client;
    } else {
      Object.assign(client, { unacked: [], acked: 0 });
      await this.#start(client);
    }
  }

  async #start(client: Client): Promise<void> {
    this.client = client;
    this.#wire(client);
    await client.bind();
    if (this.#managed) await client.enable();
    await appear(client);
  }

  #wire(client: Client): void {
    this.lost = new Promise((resolve) => {
      client.onClose = resolve;
    });
    client.onStanza = (stanza) => {
      if (!stanza.startsWith("<message") || !stanza.includes(`node="${NODE}"`)) return;
      this.seen.push(...itemsOf(stanza));
      this.onSeen();
    };
  }

  /** Resolves when it has seen an item. */
  async sees(id: string): Promise<void> {
    if (this.seen.includes(id)) return;
    const found = awaited<void>(() => `${id} to be seen by ${this.#account.jid}, who saw ${this.seen}`);
    this.onSeen = () => this.seen.includes(id) && found.resolve();
    await found.promise;
  }

  /** The last item, as one who comes back asks for it. */
  async last(): Promise<string | undefined> {
    const items = pubsub(`<items node="${NODE}" max_items="1"/>`);
    return itemsOf(await this.client.iq("get", on.server.hosts.pubsub, items)).at(-1);
  }
}

const publish = (id: string) =>
  `<iq xmlns="jabber:client" type="set" id="${id}" to="${on.server.hosts.pubsub}">` +
  `${pubsub(`<publish node="${NODE}"><item id="${id}"><entry xmlns="test:entry">${id}</entry></item></publish>`)}</iq>`;

/** When the server is killed: as soon as the publisher has written, has its answer, or the first subscriber has the event. */
const MOMENTS = ["written", "answered", "told"] as const;

test(`the server is killed ${KILLS} times between a publish and its fan-out`, async ({ annotate }) => {
  const author = await on.account("author");
  const subscribers = await parallel([...Array(SUBSCRIBERS).keys()], 4, async (at) => {
    return new Subscriber(await on.account("subscriber"), at % 2 === 0);
  });
  let publisher = await Client.login(loginOf(author));
  await publisher.iq("set", on.server.hosts.pubsub, pubsub(`<create node="${NODE}"/>`));
  await parallel(subscribers, 4, (one) => one.begin());
  on.later(() => Promise.all([publisher, ...subscribers.map(({ client }) => client)].map((one) => one.close())));

  const answered: string[] = [];
  const counts = { told: 0, found: 0, neverWas: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const moment = MOMENTS[kill % MOMENTS.length];
    const [calm, last] = [`calm-${kill}`, `last-${kill}`];
    const heard = Promise.all(subscribers.map((one) => one.sees(calm)));
    const quiet = publisher.next((frame) => attribute(frame, "id") === calm);
    publisher.send(publish(calm));
    await Promise.all([quiet, heard]);
    answered.push(calm);

    const now = awaited<void>(`${moment} ${last}`);
    publisher.onStanza = (stanza) => {
      if (attribute(stanza, "id") !== last) return;
      answered.push(last);
      if (moment === "answered") now.resolve();
    };
    for (const one of subscribers) one.onSeen = () => moment === "told" && now.resolve();
    publisher.send(publish(last));
    if (moment === "written") now.resolve();
    const lost = new Promise<void>((resolve) => {
      publisher.onClose = resolve;
    });
    await now.promise;
    await on.server.kill9();
    await Promise.all([lost, ...subscribers.map((one) => one.lost)]);
    await on.server.restart();
    await parallel(subscribers, 4, (one) => one.comeBack());
    publisher = await Client.login(loginOf(author));

    const there = new Set(await parallel(subscribers, 4, (one) => one.last()));
    expect([...there], "everybody finds the same last item").toHaveLength(1);
    const stored = there.has(last);
    const had = subscribers.filter(({ seen }) => seen.includes(last)).length;
    if (!stored) {
      expect(answered, "what was answered is there").not.toContain(last);
      expect(had, "nobody was told of what is not there").toBe(0);
      expect([...there]).toEqual([calm]);
      counts.neverWas++;
    }
    counts.told += had;
    counts.found += stored ? SUBSCRIBERS - had : 0;
  }

  const end = Promise.all(subscribers.map((one) => one.sees("end")));
  publisher.send(publish("end"));
  await end;
  const all = itemsOf(await publisher.iq("get", on.server.hosts.pubsub, pubsub(`<items node="${NODE}"/>`)));
  expect(all).toEqual(expect.arrayContaining(answered));
  for (const { seen } of subscribers) {
    expect(seen, "once, in order").toEqual([...new Set(seen)].sort((a, b) => all.indexOf(a) - all.indexOf(b)));
    expect(seen.filter((id) => id.startsWith("calm"))).toHaveLength(KILLS);
  }
  const resumed = subscribers.reduce((sum, one) => sum + one.resumed, 0);
  await annotate(
    `events in doubt: ${counts.told} told, ${counts.found} found as the last item; ${counts.neverWas} publishes never were; ${resumed} sessions resumed`,
  );
}, 120_000);
