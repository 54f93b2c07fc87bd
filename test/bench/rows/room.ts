/** XEP-0045: messages to rooms that keep an archive, and the joining of them. */
import { attribute, type Client } from "../../interop/client.ts";
import { parallel } from "../../interop/parallel.ts";
import type { Server } from "../../interop/server.ts";
import { names, recruit, Tally } from "../crew.ts";
import type { Row } from "../row.ts";

const MUC = "http://jabber.org/protocol/muc";

/** Enters; resolves at one's own presence, which comes after everybody else's (§7.2.3). */
async function join(client: Client, room: string, nick: string): Promise<void> {
  const self = client.next((frame) => frame.startsWith("<presence") && attribute(frame, "from") === `${room}/${nick}`);
  client.send(
    `<presence xmlns="jabber:client" to="${room}/${nick}"><x xmlns="${MUC}"><history maxstanzas="0"/></x></presence>`,
  );
  const presence = await self;
  if (attribute(presence, "type") === "error") throw new Error(presence);
}

/** Makes the room and accepts the configuration it comes with (§10.1.2). */
async function found(owner: Client, room: string): Promise<void> {
  await join(owner, room, "owner");
  const form = `<query xmlns="${MUC}#owner"><x xmlns="jabber:x:data" type="submit"/></query>`;
  await owner.iq("set", room, form);
}

/** Rooms of equal size, each filled with clients of its own; the first made the room. */
async function fill(server: Server, rooms: number, occupants: number): Promise<{ room: string; clients: Client[] }[]> {
  const clients = await recruit(server, names("guest", rooms * occupants), { available: false });
  return parallel(names("room", rooms), 4, async (name) => {
    const at = Number(name.slice("room".length));
    const room = `${name}@${server.hosts.rooms}`;
    const inside = clients.slice(at * occupants, (at + 1) * occupants);
    await found(inside[0]!, room);
    await parallel(inside.slice(1), 8, (client) => join(client, room, client.jid.slice(0, client.jid.indexOf("@"))));
    return { room, clients: inside };
  });
}

/** Each room's first occupant talks, and says the next thing when it has heard the last. */
const talk = (rooms: number, occupants: number, messages: number): Row["prepare"] => {
  return async (server) => {
    const filled = await fill(server, rooms, occupants);
    return {
      async run() {
        const tally = new Tally(rooms * occupants * messages);
        for (const { room, clients } of filled) {
          const [speaker] = clients as [Client];
          let said = 0;
          const say = () => {
            const id = `t${++said}`;
            speaker.send(
              `<message xmlns="jabber:client" to="${room}" type="groupchat" id="${id}"><body>Good pilgrim, you do wrong ` +
                `your hand too much, which mannerly devotion shows in this</body></message>`,
            );
          };
          for (const client of clients) {
            client.onStanza = (stanza) => {
              if (!stanza.startsWith("<message") || !stanza.includes("<body")) return;
              tally.hit();
              if (client === speaker && said < messages) say();
            };
          }
          say();
        }
        await tally.done;
        return rooms * occupants * messages;
      },
    };
  };
};

/** Everybody joins one new room, some at a time; the unit is a presence that somebody receives. */
const joining = (occupants: number): Row["prepare"] => {
  return async (server) => {
    const clients = await recruit(server, names("guest", occupants), { available: false });
    let round = 0;
    return {
      async run() {
        const room = `hall${++round}@${server.hosts.rooms}`;
        // Each sees itself and everybody who was there, and is seen by them: n² in all.
        const tally = new Tally(occupants * occupants);
        for (const client of clients) {
          client.onStanza = (stanza) => {
            if (stanza.startsWith("<presence") && attribute(stanza, "from")?.startsWith(room)) tally.hit();
          };
        }
        // One's own presence is taken by `join`, so it is counted there.
        await found(clients[0]!, room);
        tally.hit();
        await parallel(clients.slice(1), 8, async (client) => {
          await join(client, room, client.jid.slice(0, client.jid.indexOf("@")));
          tally.hit();
        });
        await tally.done;
        return occupants * occupants;
      },
    };
  };
};

const delivery = (rooms: number, occupants: number, messages: number): Row => ({
  name: `room-${rooms}x${occupants}`,
  title: `room message, per delivery, ${rooms}×${occupants}`,
  unit: "µs",
  prepare: talk(rooms, occupants, messages),
});

export const rows: Row[] = [
  delivery(1, 100, 120),
  delivery(1, 500, 30),
  delivery(1, 1000, 15),
  delivery(50, 20, 15),
  { name: "join", title: "room join, per presence, 1×150", unit: "µs", prepare: joining(150) },
];
