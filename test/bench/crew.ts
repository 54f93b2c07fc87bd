/** The clients of a row, and the tally that ends a round. */
import { Client, type Login } from "../interop/client.ts";
import { parallel } from "../interop/parallel.ts";
import type { Server } from "../interop/server.ts";

const PASSWORD = "pencil";
/** Nothing has come for this long: something was lost. */
const PATIENCE_MS = 20_000;

export interface Recruit {
  /** Sends initial presence, so that messages to the bare JID come (default true). */
  available?: boolean;
  /** XEP-0198 on. */
  managed?: boolean;
  mechanism?: Login["mechanism"];
}

export const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => prefix + at);

export const login = (server: Server, username: string, mechanism: Login["mechanism"] = "SCRAM-SHA-1"): Login => ({
  url: server.websocket,
  domain: server.domain,
  username,
  password: PASSWORD,
  mechanism,
});

export const enlist = (server: Server, names: readonly string[]): Promise<void> => server.addUsers(names, PASSWORD);

/** Makes the accounts and logs each in once, with carbons on as a modern client has them. */
export async function recruit(server: Server, names: readonly string[], options: Recruit = {}): Promise<Client[]> {
  const { available = true, managed = false, mechanism } = options;
  await enlist(server, names);
  return parallel(names, 8, async (name) => {
    const client = await Client.login(login(server, name, mechanism));
    if (managed) await client.enable();
    await client.iq("set", undefined, `<enable xmlns="urn:xmpp:carbons:2"/>`);
    if (available) {
      // Who has not asked for the roster hears nothing of it, subscriptions included (RFC 6121 §2.1.6).
      await client.iq("get", undefined, `<query xmlns="jabber:iq:roster"/>`);
      const echoed = client.next((frame) => frame.startsWith("<presence"));
      client.send(`<presence xmlns="jabber:client"/>`);
      await echoed;
    }
    return client;
  });
}

/** Counts to `expected`; more than that, or nothing for a long while before it, is an error. */
export class Tally {
  count = 0;
  readonly done: Promise<void>;
  readonly #expected: number;
  #resolve!: () => void;
  #reject!: (reason: Error) => void;
  #before = -1;
  readonly #watch: NodeJS.Timeout;

  constructor(expected: number) {
    this.#expected = expected;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
    this.#watch = setInterval(() => this.#stalled(), PATIENCE_MS);
  }

  hit(): void {
    if (++this.count < this.#expected) return;
    clearInterval(this.#watch);
    if (this.count === this.#expected) this.#resolve();
    else this.#reject(new Error(`more than the ${this.#expected} that were due`));
  }

  #stalled(): void {
    if (this.#before !== this.count) {
      this.#before = this.count;
      return;
    }
    clearInterval(this.#watch);
    this.#reject(new Error(`lost: ${this.count} of ${this.#expected} came`));
  }
}

/** Makes every two of them contacts of each other, by the handshake that clients use (RFC 6121 §3.1). */
export async function befriend(pairs: readonly (readonly [Client, Client])[]): Promise<void> {
  await parallel(pairs, 8, async ([one, other]) => {
    await subscribe(one, other);
    await subscribe(other, one);
  });
}

async function subscribe(asks: Client, grants: Client): Promise<void> {
  const [asker, granter] = [bare(asks.jid), bare(grants.jid)];
  const about = (frame: string, jid: string, type: string) =>
    frame.startsWith("<presence") && frame.includes(jid) && frame.includes(`${type}`);
  const asked = grants.next((frame) => about(frame, asker, "subscribe"));
  asks.send(`<presence xmlns="jabber:client" to="${granter}" type="subscribe"/>`);
  await asked;
  const granted = asks.next((frame) => about(frame, granter, "subscribed"));
  grants.send(`<presence xmlns="jabber:client" to="${asker}" type="subscribed"/>`);
  await granted;
}

export const bare = (jid: string): string => jid.slice(0, jid.indexOf("/"));
