/** One-to-one messages between accounts, each with one resource, addressed to the bare JID. */
import type { Client } from "../../interop/client.ts";
import type { Server } from "../../interop/server.ts";
import { bare, names, recruit, Tally } from "../crew.ts";
import type { Round, Row } from "../row.ts";

interface Chat {
  pairs: number;
  /** Messages on their way between two at a time. */
  window: number;
  messages: number;
  managed?: boolean;
}

const BODY = "But, soft! what light through yonder window breaks? It is the east, and Juliet is the sun.";

/** Those who read are on the server of those who write, or on another. */
export const chat = ({ pairs, window, messages, managed = false }: Chat) => {
  return async (server: Server, other = server): Promise<Round> => {
    const each = messages / pairs;
    let senders: Client[] = [];
    let readers: Client[] = [];
    let round = 0;

    return {
      /** New accounts every time, since Prosody's cost of a message grows with what the archive holds. */
      async before() {
        await Promise.all([...senders, ...readers].map((client) => client.close()));
        round++;
        senders = await recruit(server, names(`romeo${round}-`, pairs), { managed });
        readers = await recruit(other, names(`juliet${round}-`, pairs), { managed });
      },

      async run() {
        const tally = new Tally(messages);
        for (const [at, reader] of readers.entries()) {
          const sender = senders[at]!;
          const to = bare(reader.jid);
          let sent = 0;
          let seen = 0;
          const send = () => {
            const id = ++sent;
            sender.send(
              `<message xmlns="jabber:client" to="${to}" type="chat" id="m${id}"><body>${BODY}</body>` +
                `<origin-id xmlns="urn:xmpp:sid:0" id="m${id}"/></message>`,
            );
            // A client with stream management asks about every window's worth.
            if (managed && id % window === 0) sender.requestAck();
          };
          reader.onStanza = (stanza) => {
            if (!stanza.startsWith("<message")) return;
            if (!stanza.includes(`"m${++seen}"`) && !stanza.includes(`'m${seen}'`)) {
              throw new Error(`message ${seen} is out of order: ${stanza}`);
            }
            tally.hit();
            if (sent < each) send();
          };
          for (let n = 0; n < window && n < each; n++) send();
        }
        await tally.done;
        return messages;
      },
    };
  };
};

export const rows: Row[] = [
  {
    name: "chat",
    title: "1:1 message, archived, 50 pairs, window 4",
    unit: "µs",
    prepare: chat({ pairs: 50, window: 4, messages: 6_000 }),
  },
  {
    name: "chat-sm",
    title: "  with stream management",
    unit: "µs",
    prepare: chat({ pairs: 50, window: 4, messages: 6_000, managed: true }),
  },
  {
    name: "chat-1",
    title: "  one pair, window 1",
    unit: "µs",
    prepare: chat({ pairs: 1, window: 1, messages: 1_500 }),
  },
  {
    name: "chat-off",
    title: "  archive off, 50 pairs, window 4",
    unit: "µs",
    settings: { ARCHIVE: "off" },
    prepare: chat({ pairs: 50, window: 4, messages: 12_000 }),
  },
];
