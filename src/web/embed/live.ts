/** From an address and a room's name to an occupied room: discovery, credentials, connection. */
import { Client } from "../client/client.ts";
import { followPage } from "../client/csi.ts";
import { Room } from "../client/muc.ts";
import type { RoomEvent } from "../client/occupants.ts";
import { anonymous, type Credentials } from "../client/sasl.ts";
import type { Keeping, Left } from "./keeping.ts";
import { lazily } from "./lazily.ts";

/** What a token endpoint may answer, or the application's callback. */
export type Login = string | { token: string; nick?: string } | { jid: string; password: string; nick?: string };

export interface Setting {
  /** An https origin, or a WebSocket URL. */
  src: string;
  /** A room's name, or its whole address. */
  room: string;
  nick: string;
  /** The domain to log in to, where the service has no /info.json. */
  domain: string;
  pageSize: number;
  /** Gives a login, or the address that does; without either one is a guest. */
  getLogin: (() => Promise<Login>) | undefined;
  tokenUrl: string;
}

/** Somebody, as the page's application says. */
export interface Account {
  /** Undefined when that cannot be told. */
  who: string | undefined;
  domain: string | undefined;
  nick: string | undefined;
  credentials: Credentials;
}

export interface Live {
  client: Client;
  room: Room;
  guest: boolean;
  /** What the addresses of the server's own files begin with. */
  files: readonly string[];
  /** Ends it: for good, or so that `Left` can take it up again. */
  leave: () => void;
  suspend: () => Left;
}

interface Facts {
  domain: string;
  guestDomain: string;
  roomsDomain: string;
  /** Path of the WebSocket, when it is known already. */
  websocket?: string;
  files?: string[];
  /** Why this page may not connect. */
  refused?: string;
}

/** Our server says what its hosts are called; for others the names they are usually given are assumed. */
async function factsOf({ src, domain }: Setting): Promise<Facts> {
  const { origin, hostname, protocol } = new URL(src);
  const name = domain || hostname;
  const usual = { domain: name, guestDomain: name, roomsDomain: `conference.${name}` };
  if (domain || !protocol.startsWith("http")) return usual;
  return fetch(`${origin}/info.json`, { credentials: "omit" })
    .then((response) => response.json())
    .catch(() => usual);
}

async function accountOf({ getLogin, tokenUrl }: Setting): Promise<Account | undefined> {
  if (!getLogin && !tokenUrl) return undefined;
  const { account, fetchLogin } = await lazily("tools");
  return account(getLogin ?? (() => fetchLogin(tokenUrl)));
}

/** Connects and enters the room, and keeps doing so. Rejects only when there is no way to log in. */
export async function goLive(setting: Setting, keeping: Keeping, onroom: (event: RoomEvent) => void): Promise<Live> {
  const [facts, account] = await Promise.all([factsOf(setting), accountOf(setting)]);
  if (facts.refused) throw new Error(facts.refused);
  const who = account ? account.who : "";
  const last = keeping.takeLeft();
  const left = last?.who === who ? last : undefined;
  const known = account ? undefined : keeping.guest();
  const keep = left?.keep ?? known?.keep ?? { agent: crypto.randomUUID() };
  const random = crypto.getRandomValues(new Uint16Array(1))[0]!;
  const nick = setting.nick || left?.nick || known?.nick || account?.nick || `Guest-${1000 + (random % 9000)}`;

  const client = new Client({
    address: facts.websocket ? new URL(facts.websocket, setting.src).href.replace(/^http/, "ws") : setting.src,
    domain: account ? (account.domain ?? facts.domain) : facts.guestDomain,
    credentials: account?.credentials ?? anonymous,
    software: "enjamb-embed",
    keep,
    session: left?.session,
    // Whoever has closed the page should not be seen here for long; a reload, or a tunnel, is over sooner.
    patience: 60,
  });
  // Another tab of this guest's may have been given a new token meanwhile.
  client.on("offline", () => {
    const other = account ? undefined : keeping.guest()?.keep;
    if (other?.jid === keep.jid) Object.assign(keep, other);
  });
  const address = setting.room.includes("@") ? setting.room : `${setting.room}@${facts.roomsDomain}`;
  const room = new Room(client, address, onroom, { yield: !account || !setting.nick, pageSize: setting.pageSize });
  const stop = followPage(client);
  // Its outcome is told by events: the connection may take several attempts.
  void room.join(nick);
  client.connect();
  return {
    client,
    room,
    guest: !account,
    files: facts.files ?? [],
    leave() {
      stop();
      room.leave();
      client.disconnect();
    },
    suspend: () => ({ who: who ?? "?", session: client.suspend(), keep, nick: room.nick, open: false }),
  };
}
