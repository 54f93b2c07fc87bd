/** BOSH with the clients of two libraries, over a network that loses responses, and to a server that is killed. */
import { DOMParser } from "@xmldom/xmldom";
import { createClient } from "stanza";
import { $iq, $msg, $pres, Strophe } from "strophe.js";
import { describe, expect, test } from "vitest";
import { type Account, awaited, event, stage } from "./fixture.ts";
import { type Hop, hops } from "./hop.ts";
import { Xhr } from "./xhr.ts";

const on = stage();

/** A client of either library, as far as these tests need it. */
interface Talker {
  says(to: string, body: string): void;
  /** What it has read, in order. */
  readonly read: string[];
  /** Resolves when it has read this. */
  reads(body: string): Promise<void>;
  /** Resolves when what it has said is known to be taken: a request behind it is answered. */
  settles(): Promise<unknown>;
  leave(): Promise<void>;
}

class Reading {
  readonly read: string[] = [];
  #waiting: { body: string; resolve(): void }[] = [];

  take(body: string): void {
    this.read.push(body);
    for (const waiting of this.#waiting) if (waiting.body === body) waiting.resolve();
  }

  /** A library that has lost its server asks again when it sees fit; the test's own limit is the patience for it. */
  async reads(body: string): Promise<void> {
    if (!this.read.includes(body)) await new Promise<void>((resolve) => this.#waiting.push({ body, resolve }));
  }
}

Xhr.parse = (text) => new DOMParser().parseFromString(text, "text/xml");
Object.assign(globalThis, { XMLHttpRequest: Xhr });
Strophe.setLogLevel(Strophe.LogLevel.FATAL);
const { CONNECTED, DISCONNECTED } = Strophe.Status;

interface Xml {
  getElementsByTagName(name: string): ArrayLike<{ textContent: string | null }>;
}

async function strophe({ jid, password }: Account, url: string): Promise<Talker> {
  const connection = new Strophe.Connection(url);
  const reading = new Reading();
  const [up, down] = [awaited<void>("Strophe to connect"), Promise.withResolvers<void>()];
  connection.connect(jid, password, (status: number) => {
    if (status === CONNECTED) up.resolve();
    if (status === DISCONNECTED) down.resolve();
  });
  await up.promise;
  const take = (message: Xml) => {
    reading.take(message.getElementsByTagName("body")[0]?.textContent ?? "");
    return true;
  };
  connection.addHandler(take as never, "", "message", "", "", "");
  connection.send($pres());
  const settles = () =>
    new Promise((resolve) =>
      connection.sendIQ($iq({ type: "get" }).c("query", { xmlns: "jabber:iq:roster" }), resolve),
    );
  await settles();
  return {
    says: (to, body) => connection.send($msg({ to, type: "chat" }).c("body").t(body)),
    read: reading.read,
    reads: (body) => reading.reads(body),
    settles,
    async leave() {
      connection.disconnect("done");
      await down.promise;
    },
  };
}

/** It also counts stanzas (XEP-0198), as it does on every transport. */
async function stanzaJs({ jid, password }: Account, url: string): Promise<Talker> {
  const agent = createClient({ jid, password, autoReconnect: false, transports: { bosh: url, websocket: false } });
  const reading = new Reading();
  agent.on("message", ({ body }) => reading.take(body ?? ""));
  const started = event(agent, "session:started");
  agent.connect();
  await started;
  await agent.getRoster();
  agent.sendPresence();
  return {
    says: (to, body) => void agent.sendMessage({ to, type: "chat", body }),
    read: reading.read,
    reads: (body) => reading.reads(body),
    settles: () => agent.getRoster(),
    async leave() {
      // Quirk: it is "disconnected" only when all that it had queued was sent, which may be never.
      const ended = event(agent, "stream:end");
      agent.disconnect();
      await ended;
    },
  };
}

describe.each([
  ["Strophe.js", strophe],
  ["StanzaJS", stanzaJs],
] as const)("%s over BOSH", (_, connect) => {
  /** Two accounts' clients; hers goes by a hop that can lose what passes it. */
  async function pair(): Promise<{ romeo: Talker; juliet: Talker; jids: [string, string]; hop: Hop }> {
    const hop = await hops(`${on.server.http}/http-bind`);
    on.later(() => hop.close());
    const [a, b] = [await on.account("romeo"), await on.account("juliet")];
    const [romeo, juliet] = [await connect(a, `${on.server.http}/http-bind`), await connect(b, hop.url)];
    on.later(() => Promise.all([romeo.leave(), juliet.leave()]));
    return { romeo, juliet, jids: [a.jid, b.jid], hop };
  }

  test("logs in, and messages go both ways, in order", async () => {
    const { romeo, juliet, jids } = await pair();
    for (let n = 0; n < 20; n++) {
      romeo.says(jids[1], `from Romeo ${n}`);
      juliet.says(jids[0], `from Juliet ${n}`);
    }
    await Promise.all([juliet.reads("from Romeo 19"), romeo.reads("from Juliet 19")]);
    expect(juliet.read).toEqual(Array.from({ length: 20 }, (_, n) => `from Romeo ${n}`));
    expect(romeo.read).toEqual(Array.from({ length: 20 }, (_, n) => `from Juliet ${n}`));
  });

  test("asks again for a response that was lost, and for one to a request that was", async () => {
    const { romeo, juliet, jids, hop } = await pair();
    const lost = hop.losesResponse("Good night");
    romeo.says(jids[1], "Good night");
    await lost;
    await juliet.reads("Good night");
    hop.losesRequest("Sweet repose");
    juliet.says(jids[0], "Sweet repose");
    await romeo.reads("Sweet repose");
    romeo.says(jids[1], "good night");
    await juliet.reads("good night");
    expect([juliet.read, romeo.read]).toEqual([["Good night", "good night"], ["Sweet repose"]]);
  });

  test("goes on with its session when the server was killed, with nothing lost or doubled", async () => {
    const { romeo, juliet, jids } = await pair();
    romeo.says(jids[1], "before");
    await juliet.reads("before");
    // Without an origin-id, a message whose request is not known to be taken is sent again, and is another one.
    await romeo.settles();
    await on.server.kill9();
    await on.server.restart();
    romeo.says(jids[1], "after");
    juliet.says(jids[0], "and I");
    await Promise.all([juliet.reads("after"), romeo.reads("and I")]);
    expect([juliet.read, romeo.read]).toEqual([["before", "after"], ["and I"]]);
  });
});
