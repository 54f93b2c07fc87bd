/** Requests to the server itself: ping, disco, and a page of the archive. */
import { attribute, type Client } from "../../interop/client.ts";
import { bare, names, recruit, Tally } from "../crew.ts";
import { type Row, Unsupported } from "../row.ts";

/** Clients ask all the time, four requests under way each; the unit is an answer. */
const asking = (payload: string, answer: string, requests: number): Row["prepare"] => {
  return async (server) => {
    const clients = await recruit(server, names("user", 50));
    const each = requests / clients.length;
    return {
      async run() {
        const tally = new Tally(requests);
        for (const client of clients) {
          let asked = 0;
          const ask = () =>
            client.send(`<iq xmlns="jabber:client" type="get" to="${server.domain}" id="r${++asked}">${payload}</iq>`);
          client.onStanza = (stanza) => {
            if (!stanza.startsWith("<iq")) return;
            if (!stanza.includes(answer)) throw new Error(stanza);
            tally.hit();
            if (asked < each) ask();
          };
          for (let n = 0; n < 4; n++) ask();
        }
        await tally.done;
        return requests;
      },
    };
  };
};

const MAM = "urn:xmpp:mam:2";
const STORED = 2_000;
const PAGE = 50;

/** Walks an archive of 2,000 messages back to its beginning, page by page, as a client that scrolls does. */
const paging: Row["prepare"] = async (server) => {
  const [romeo, juliet] = (await recruit(server, ["romeo", "juliet"])) as [Client, Client];
  const info = await juliet.iq("get", bare(juliet.jid), `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
  if (!info.includes(MAM)) throw new Unsupported();
  const stored = new Tally(STORED);
  juliet.onStanza = (stanza) => {
    if (stanza.startsWith("<message")) stored.hit();
  };
  for (let n = 0; n < STORED; n++) {
    const body = `<body>Message ${n} of a long conversation about the balcony, the moon and the lark</body>`;
    romeo.send(`<message xmlns="jabber:client" to="${bare(juliet.jid)}" type="chat" id="m${n}">${body}</message>`);
  }
  await stored.done;

  return {
    async run() {
      let results = 0;
      juliet.onStanza = (stanza) => {
        if (stanza.includes("<result")) results++;
      };
      let before = "";
      for (let page = 0; page < STORED / PAGE; page++) {
        const answer = await juliet.iq(
          "set",
          undefined,
          `<query xmlns="${MAM}"><set xmlns="http://jabber.org/protocol/rsm"><max>${PAGE}</max>` +
            `<before>${before}</before></set></query>`,
        );
        before = answer.match(/<first[^>]*>([^<]*)</)?.[1] ?? "";
        if (results !== (page + 1) * PAGE) throw new Error(`${results} results after page ${page + 1}: ${answer}`);
      }
      if (attribute(before, "id") !== undefined) throw new Error(before);
      return STORED / PAGE;
    },
  };
};

export const rows: Row[] = [
  {
    name: "ping",
    title: "ping to the server",
    unit: "µs",
    prepare: asking(`<ping xmlns="urn:xmpp:ping"/>`, "result", 12_000),
  },
  {
    name: "disco",
    title: "disco#info of the server",
    unit: "µs",
    prepare: asking(`<query xmlns="http://jabber.org/protocol/disco#info"/>`, "<identity", 8_000),
  },
  { name: "archive-page", title: "archive page of 50 at 2,000 messages", unit: "µs", prepare: paging },
];
