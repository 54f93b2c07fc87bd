/**
 * The server is killed between a publish and its fan-out: each subscriber has had the event once, or finds it as the last
 * item; nobody has heard of what is not there, and nothing that the publisher was answered for is lost.
 */
import { expect, test } from "vitest";
import { capsOf, infoOf } from "../unit/pubsub/eventing.ts";
import { attribute, Client, type Login } from "./client.ts";
import { type Account, awaited, stage } from "./fixture.ts";
import { parallel } from "./parallel.ts";

const on = stage();
const KILLS = Number(process.env.KILLS ?? 6);
const SUBSCRIBERS = 20;

const PUBSUB = "http://jabber.org/protocol/pubsub";
const NODE = "news";
/** What the subscribers of an account's own node say of themselves: that they want its events. */
const INFO = infoOf([NODE]).replace(/^<query[^>]*>|<\/query>$/g, "");
/** What makes an account's own node keep as much as one of the service does. */
const KEEP =
  `<publish-options><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden">` +
  `<value>${PUBSUB}#publish-options</value></field><field var="pubsub#max_items"><value>max</value></field></x></publish-options>`;
const pubsub = (payload: string) => `<pubsub xmlns="${PUBSUB}">${payload}</pubsub>`;
const itemsOf = (frame: string): string[] =>
  [...frame.matchAll(/<item [^>]*?\bid="([^"]+)"/g)].map(([, id]) => id ?? "");

const loginOf = ({ name, password }: Account): Login => {
  const { websocket: url, domain } = on.server;
  return { url, domain, username: name, password };
};

/** Says that it is there and what it wants, and knows that the server has heard it. */
async function appear(client: Client): Promise<void> {
  client.info = INFO;
  const echoed = client.next((frame) => frame.startsWith("<presence"));
  client.send(`<presence xmlns="jabber:client">${capsOf([NODE])}</presence>`);
  await echoed;
}

/** A node, and how one comes to hear of what is published there. */
interface Source {
  title: string;
  /** Where it is, by the author's address. */
  at(author: Account): string;
  /** In `<pubsub/>` behind `<publish/>`. */
  more: string;
  open(author: Client, at: string): Promise<unknown>;
  /** By somebody who is connected and has shown no presence. */
  subscribe(author: Client, one: Client, at: string): Promise<unknown>;
}

const bare = ({ jid }: Client) => jid.split("/", 1)[0] ?? "";
const ROSTER = `<query xmlns="jabber:iq:roster"/>`;

const SOURCES: readonly Source[] = [
  {
    title: "a node of the service",
    at: () => on.server.hosts.pubsub,
    more: "",
    open: (author, at) => author.iq("set", at, pubsub(`<create node="${NODE}"/>`)),
    subscribe: (_, one, at) => one.iq("set", at, pubsub(`<subscribe node="${NODE}" jid="${bare(one)}"/>`)),
  },
  {
    title: "a node of an account",
    at: ({ jid }) => jid,
    more: KEEP,
    open: (author) => author.iq("get", undefined, ROSTER),
    async subscribe(author, one, at) {
      // Approved before it asks (RFC 6121 §3.4); who has asked for the roster hears of it.
      author.send(`<presence xmlns="jabber:client" type="subscribed" to="${bare(one)}"/>`);
      await author.iq("get", undefined, ROSTER);
      await one.iq("get", undefined, ROSTER);
      const granted = one.next((frame) => frame.startsWith("<presence") && attribute(frame, "type") === "subscribed");
      one.send(`<presence xmlns="jabber:client" type="subscribe" to="${at}"/>`);
      await granted;
    },
  },
];

/** Someone who writes down each event; `managed`: who takes the session up again, where the server still has it. */
class Subscriber {
  /** Told when it was published. */
  readonly seen: string[] = [];
  /** Told as the last item, when it came on line. */
  readonly found: string[] = [];
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

  async begin(subscribe: (client: Client) => Promise<unknown>): Promise<void> {
    await this.#start(await Client.authenticate(loginOf(this.#account)), subscribe);
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

  async #start(client: Client, subscribe?: (client: Client) => Promise<unknown>): Promise<void> {
    this.client = client;
    this.#wire(client);
    await client.bind();
    if (this.#managed) await client.enable();
    await subscribe?.(client);
    await appear(client);
  }

  #wire(client: Client): void {
    this.lost = new Promise((resolve) => {
      client.onClose = resolve;
    });
    client.onStanza = (stanza) => {
      if (!stanza.startsWith("<message") || !stanza.includes(`node="${NODE}"`)) return;
      const old = stanza.includes("urn:xmpp:delay");
      (old ? this.found : this.seen).push(...itemsOf(stanza));
      this.onSeen();
    };
  }

  /** Resolves when it has seen an item. */
  async sees(id: string, old = false): Promise<void> {
    const has = () => this.seen.includes(id) || (old && this.found.includes(id));
    if (has()) return;
    const found = awaited<void>(() => `${id} to be seen by ${this.#account.jid}, who saw ${this.seen}`);
    this.onSeen = () => has() && found.resolve();
    await found.promise;
  }

  /** The last item, as one who comes back asks for it. */
  async last(at: string): Promise<string | undefined> {
    const items = pubsub(`<items node="${NODE}" max_items="1"/>`);
    return itemsOf(await this.client.iq("get", at, items)).at(-1);
  }
}

/** When the server is killed: as soon as the publisher has written, has its answer, or the first subscriber has the event. */
const MOMENTS = ["written", "answered", "told"] as const;

test.for(SOURCES)(
  `the server is killed ${KILLS} times between a publish at $title and its fan-out`,
  { timeout: 120_000 },
  async (source, { annotate }) => {
    const author = await on.account("author");
    const at = source.at(author);
    const publish = (id: string) =>
      `<iq xmlns="jabber:client" type="set" id="${id}" to="${at}">${pubsub(
        `<publish node="${NODE}"><item id="${id}"><entry xmlns="test:entry">${id}</entry></item></publish>${source.more}`,
      )}</iq>`;
    const subscribers = await parallel([...Array(SUBSCRIBERS).keys()], 4, async (at) => {
      return new Subscriber(await on.account("subscriber"), at % 2 === 0);
    });
    let publisher = await Client.login(loginOf(author));
    await source.open(publisher, at);
    for (const one of subscribers) await one.begin((client) => source.subscribe(publisher, client, at));
    on.later(() => Promise.all([publisher, ...subscribers.map(({ client }) => client)].map((one) => one.close())));

    // What each wants is known when each has had something: now, or as the last item.
    const first = Promise.all(subscribers.map((one) => one.sees("first", true)));
    publisher.send(publish("first"));
    await first;

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

      const there = new Set(await parallel(subscribers, 4, (one) => one.last(at)));
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
    const all = itemsOf(await publisher.iq("get", at, pubsub(`<items node="${NODE}"/>`)));
    expect(all).toEqual(expect.arrayContaining(answered));
    for (const { seen } of subscribers) {
      expect(seen, "once, in order").toEqual([...new Set(seen)].sort((a, b) => all.indexOf(a) - all.indexOf(b)));
      expect(seen.filter((id) => id.startsWith("calm"))).toHaveLength(KILLS);
    }
    const resumed = subscribers.reduce((sum, one) => sum + one.resumed, 0);
    await annotate(
      `events in doubt: ${counts.told} told, ${counts.found} found as the last item; ` +
        `${counts.neverWas} publishes never were; ${resumed} sessions resumed`,
    );
  },
);
