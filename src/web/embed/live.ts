/** From an address and a room's name to an occupied room: discovery, credentials, connection. */
import { Client } from "../client/client.ts";
import { followPage } from "../client/csi.ts";
import { Room, type RoomEvent } from "../client/muc.ts";
import type { Credentials } from "../client/sasl.ts";
import type { Keeping, Left } from "./keeping.ts";

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
  /** Undefined for guests. */
  getLogin: (() => Promise<Login>) | undefined;
}

export interface Live {
  client: Client;
  room: Room;
  guest: boolean;
  /** Ends it: for good, or so that `Left` can take it up again. */
  leave: () => void;
  suspend: () => Left;
}

interface Facts {
  domain: string;
  guestDomain: string;
  roomsDomain: string;
}

/** Our server says what its hosts are called; for others the names they are usually given are assumed. */
async function factsOf({ src, domain }: Setting): Promise<Facts> {
  const { origin, hostname, protocol } = new URL(src, location.href);
  const name = domain || hostname;
  const usual = { domain: name, guestDomain: name, roomsDomain: name.includes("@") ? name : `conference.${name}` };
  if (domain || !protocol.startsWith("http")) return usual;
  return fetch(`${origin}/info.json`, { credentials: "omit" })
    .then((response) => response.json())
    .catch(() => usual);
}

/** Connects and enters the room, and keeps doing so. Rejects only when there is no way to log in. */
export async function goLive(setting: Setting, keeping: Keeping, onroom: (event: RoomEvent) => void): Promise<Live> {
  const facts = await factsOf(setting);
  const guest = !setting.getLogin;
  const known = guest ? keeping.guest() : undefined;
  const first = await setting.getLogin?.();
  const who = guest ? "" : identityOf(first!);
  const last = keeping.takeLeft();
  const left = last?.who === who ? last : undefined;
  const jid = first && typeof first === "object" && "jid" in first ? first.jid : undefined;
  const keep = left?.keep ?? known?.keep ?? { agent: crypto.randomUUID() };
  const named = typeof first === "object" ? first.nick : undefined;
  let nick = setting.nick || left?.nick || known?.nick || named || jid?.split("@")[0] || "";

  const client = new Client({
    address: setting.src,
    domain: guest ? facts.guestDomain : (jid?.split("@")[1] ?? facts.domain),
    credentials: credentialsOf(first, setting.getLogin),
    software: "enjamb-embed",
    keep,
    // An account's token stays in this tab; a guest's identity is worth little, and shared by the browser's tabs.
    kept: (changed) => guest && keeping.setGuest(changed, nick || undefined),
    session: left?.session,
  });
  const address = setting.room.includes("@") ? setting.room : `${setting.room}@${facts.roomsDomain}`;
  const room = new Room(client, address, onroom, { yield: guest || !setting.nick, pageSize: setting.pageSize });
  const stop = followPage(client);
  nick ||= `Guest-${1000 + (crypto.getRandomValues(new Uint16Array(1))[0]! % 9000)}`;
  // Its outcome is told by events: the connection may take several attempts.
  void room.join(nick);
  client.connect();
  return {
    client,
    room,
    guest,
    leave() {
      stop();
      room.leave();
      client.disconnect();
    },
    suspend: () => ({ who: who ?? "?", session: client.suspend(), keep, nick: room.nick, open: false }),
  };
}

/** Who a login is for, as far as it says so itself; nothing is trusted for it but which session to go on with. */
function identityOf(login: Login): string | undefined {
  if (typeof login === "object" && "jid" in login) return login.jid;
  const token = typeof login === "object" ? login.token : login;
  try {
    return JSON.parse(atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {
    return undefined;
  }
}

/** The application is asked again at every login, except that the answer in hand is used up first. */
function credentialsOf(first: Login | undefined, getLogin: Setting["getLogin"]): Credentials {
  if (!first || !getLogin) return "anonymous";
  if (typeof first === "object" && "password" in first) {
    return { username: first.jid.split("@")[0]!, password: first.password };
  }
  let hand: Login | undefined = first;
  return {
    token: async () => {
      const login: Login = hand ?? (await getLogin());
      hand = undefined;
      return typeof login === "string" ? login : "token" in login ? login.token : "";
    },
  };
}
