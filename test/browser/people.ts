/** Others in a room, for a page under test to meet: our own client core in Node. */
import { Client } from "../../src/web/client/client.ts";
import { Room } from "../../src/web/client/muc.ts";
import type { RoomEvent } from "../../src/web/client/occupants.ts";
import { configure, settings } from "../../src/web/client/room-config.ts";
import { anonymous } from "../../src/web/client/sasl.ts";
import { withPassword } from "../../src/web/client/scram.ts";
import type { Entry } from "../../src/web/client/timeline.ts";
import type { Server } from "../interop/server.ts";

export interface Person {
  client: Client;
  room: Room;
  /** Says it, and waits until the room has sent it back. */
  say: (body: string, reply?: Entry) => Promise<Entry>;
  /** Waits until something is so; whatever changes in the room is a chance to look again. */
  until: <T>(test: () => T | undefined | false) => Promise<T>;
  leave: () => void;
}

/** Enters a room, as a guest or with an account made before. */
export async function enter(server: Server, room: string, nick: string, password?: string): Promise<Person> {
  const client = new Client({
    address: server.websocket,
    domain: password ? server.domain : server.hosts.guest,
    credentials: password ? withPassword(nick.toLowerCase(), password) : anonymous,
  });
  const watchers = new Set<() => void>();
  const look = (_event?: RoomEvent) => {
    for (const watcher of [...watchers]) watcher();
  };
  const joined = new Room(client, `${room}@${server.hosts.rooms}`, look);
  const until = <T>(test: () => T | undefined | false) =>
    new Promise<T>((resolve) => {
      const watcher = () => {
        const found = test();
        if (!found) return;
        watchers.delete(watcher);
        resolve(found);
      };
      watchers.add(watcher);
      watcher();
    });
  await new Promise<void>((resolve, reject) => {
    client.on("online", () => resolve());
    client.on("offline", ({ error }) => error && reject(error));
    client.connect();
  });
  await joined.join(nick);
  return {
    client,
    room: joined,
    until,
    async say(body, reply) {
      joined.say(body, reply ? { reply } : {});
      const entry = joined.timeline.entries.findLast((each) => each.body === body)!;
      await until(() => entry.state === "sent");
      return entry;
    },
    leave() {
      joined.leave();
      client.disconnect();
    },
  };
}

/** Lets guests in and speak, where a room's owner has to say so. */
export async function admitGuests({ client, room }: Person): Promise<void> {
  const fields = await settings(client, room);
  const guests = fields.find(({ name }) => name.endsWith("guests"));
  if (!guests) return;
  guests.values = ["speak"];
  await configure(client, room, fields);
}
