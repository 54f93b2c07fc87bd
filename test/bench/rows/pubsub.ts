/** XEP-0060 and XEP-0163: notifications, from a node of the service and from an account. */
import { createHash } from "node:crypto";
import type { Client } from "../../interop/client.ts";
import { parallel } from "../../interop/parallel.ts";
import { bare, befriend, names, recruit, Tally } from "../crew.ts";
import type { Row } from "../row.ts";

const PUBSUB = "http://jabber.org/protocol/pubsub";
const TUNE = "http://jabber.org/protocol/tune";
const DISCO = "http://jabber.org/protocol/disco#info";

/** One publisher, and the next item when everybody has had the last. */
function publishing(publisher: Client, readers: readonly Client[], items: number, publish: (id: number) => string) {
  const each = readers.length;
  return async (): Promise<number> => {
    const tally = new Tally(each * items);
    let published = 0;
    const next = () => publisher.send(publish(++published));
    publisher.onStanza = () => {};
    for (const reader of readers) {
      reader.onStanza = (stanza) => {
        if (!stanza.startsWith("<message") || !stanza.includes("<items")) return;
        tally.hit();
        if (tally.count % each === 0 && published < items) next();
      };
    }
    next();
    await tally.done;
    return each * items;
  };
}

const node = (subscribers: number, items: number): Row["prepare"] => {
  return async (server) => {
    const service = server.hosts.pubsub;
    const [owner] = (await recruit(server, ["owner"])) as [Client];
    const readers = await recruit(server, names("reader", subscribers));
    const pubsub = (payload: string) => `<pubsub xmlns="${PUBSUB}">${payload}</pubsub>`;
    await owner.iq("set", service, pubsub(`<create node="news"/>`));
    await parallel(readers, 8, (reader) =>
      reader.iq("set", service, pubsub(`<subscribe node="news" jid="${bare(reader.jid)}"/>`)),
    );
    const item = (id: number) =>
      `<iq xmlns="jabber:client" type="set" to="${service}" id="p${id}"><pubsub xmlns="${PUBSUB}"><publish node="news">` +
      `<item id="i${id}"><entry xmlns="http://www.w3.org/2005/Atom"><title>A plague on both your houses</title>` +
      `<summary>They have made worms' meat of me</summary></entry></item></publish></pubsub></iq>`;
    return { run: publishing(owner, readers, items, item) };
  };
};

const FEATURES = [DISCO, `${TUNE}+notify`];
/** XEP-0115 §5.1: the hash of the identity and the features that follow. */
const VER = createHash("sha1")
  .update(`client/pc//Bench<${FEATURES.join("<")}<`)
  .digest("base64");
const INFO =
  `<identity category="client" type="pc" name="Bench"/>` +
  FEATURES.map((feature) => `<feature var="${feature}"/>`).join("");

/** Contacts who say by their capabilities that they want the tunes of others. */
const pep =
  (contacts: number, items: number): Row["prepare"] =>
  async (server) => {
    const [publisher] = (await recruit(server, ["publisher"])) as [Client];
    const readers = await recruit(server, names("reader", contacts));
    await befriend(readers.map((reader) => [publisher, reader] as const));
    for (const reader of readers) {
      reader.info = INFO;
      reader.send(
        `<presence xmlns="jabber:client"><c xmlns="http://jabber.org/protocol/caps" hash="sha-1" ` +
          `node="https://bench.example" ver="${VER}"/></presence>`,
      );
    }
    const item = (id: number) =>
      `<iq xmlns="jabber:client" type="set" id="p${id}"><pubsub xmlns="${PUBSUB}"><publish node="${TUNE}"><item>` +
      `<tune xmlns="${TUNE}"><artist>The nurse</artist><title>Song ${id}</title></tune></item></publish></pubsub></iq>`;
    // The first item shows when each contact's capabilities are known: it comes to all, however late.
    const known = readers.map((reader) => reader.next((frame) => frame.includes("<items")));
    publisher.send(item(0));
    await Promise.all(known);
    return { run: publishing(publisher, readers, items, item) };
  };

export const rows: Row[] = [
  { name: "pubsub-100", title: "pubsub notification, 100 subscribers", unit: "µs", prepare: node(100, 100) },
  { name: "pubsub-500", title: "  500 subscribers", unit: "µs", prepare: node(500, 30) },
  { name: "pep", title: "PEP notification, 50 contacts", unit: "µs", prepare: pep(50, 150) },
];
