/** XEP-0045 §7.2, §15.6, §17: what a room's presences and its disco information say. */
import type { Element } from "./element.ts";
import type { Entry } from "./timeline.ts";

export const MUC = "http://jabber.org/protocol/muc";
export const USER = `${MUC}#user`;
export const OCCUPANT_ID = "urn:xmpp:occupant-id:0";

export interface Occupant {
  nick: string;
  /** Occupant id (XEP-0421), as sent: to be believed only where the room announces them, so ask `senderOf`. */
  id: string | undefined;
  /** Real JID, for those who may see it. */
  jid: string | undefined;
  affiliation: string;
  role: string;
}

/** What happened to the room or to somebody in it, beside messages. */
export type RoomEvent =
  | { kind: "changed" }
  | { kind: "message"; entry: Entry }
  | { kind: "join" | "leave"; occupant: Occupant }
  | {
      kind: "kick" | "ban" | "role" | "affiliation";
      occupant: Occupant;
      reason: string | undefined;
    }
  | { kind: "nick"; occupant: Occupant; from: string }
  /** We are out, and will not come back by ourselves. */
  | { kind: "out"; status: string; reason: string | undefined };

/** What a room says of itself (§6.4). */
export interface Description {
  features: ReadonlySet<string>;
  name: string;
  description: string;
  /** Seconds between two messages of an ordinary participant (XEP-0500); 0 = none. */
  slow: number;
  /** Occupants, including those whose presence we are not told. */
  count: number;
}

export function describe(query: Element): Description {
  const fields = query.child("x", "jabber:x:data")?.all("field") ?? [];
  const value = (name: string) => fields.find(({ attrs }) => attrs.var === `muc#roominfo_${name}`)?.text("value");
  return {
    features: new Set(query.all("feature").map(({ attrs }) => attrs.var ?? "")),
    name: query.child("identity")?.attrs.name ?? "",
    description: value("description") ?? "",
    slow: Number(value("slow_mode_duration")) || 0,
    count: Number(value("occupants")) || 0,
  };
}

export function read(
  presence: Element,
  nick: string,
): { occupant: Occupant; renamed: string | undefined; reason: string | undefined } {
  const item = presence.child("x", USER)?.child("item");
  const { affiliation = "none", role = "none", jid, nick: renamed } = item?.attrs ?? {};
  const id = presence.child("occupant-id", OCCUPANT_ID)?.attrs.id;
  return { occupant: { nick, id, jid, affiliation, role }, renamed, reason: item?.text("reason") };
}

export const codesOf = (stanza: Element): string[] =>
  (stanza.child("x", USER)?.all("status") ?? []).map((status) => status.attrs.code ?? "");

export const nickOf = ({ attrs }: Element): string => attrs.from?.split("/").slice(1).join("/") ?? "";
