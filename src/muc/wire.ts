/** XEP-0045: Multi-User Chat, v1.35: what rooms say, as text — https://xmpp.org/extensions/xep-0045.html */
import type { Jid } from "../protocol/jid.ts";
import { CLIENT, MUC_USER, OCCUPANT_ID, STANZA_ID } from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import { escapeAttribute, serialise } from "../xml/writer.ts";
import type { Affiliation } from "./affiliations.ts";
import type { Role } from "./occupants.ts";

/** Text, because presences are written for a thousand readers and read by none here. */
export interface ItemText {
  affiliation: Affiliation;
  role?: Role;
  jid?: Jid | undefined;
  nick?: string | undefined;
  /** Who did it, as those in the room know them (§8.2). */
  actor?: string | undefined;
  reason?: string | undefined;
}

export function itemText({ affiliation, role, jid, nick, actor, reason }: ItemText): string {
  let text = `<item affiliation="${affiliation}"`;
  if (role) text += ` role="${role}"`;
  if (jid) text += ` jid="${escapeAttribute(jid.toString())}"`;
  if (nick !== undefined) text += ` nick="${escapeAttribute(nick)}"`;
  if (!actor && !reason) return `${text}/>`;
  const children = [actor && xml("actor", { nick: actor }), reason && xml("reason", {}, reason)];
  return `${text}>${children.map((child) => (child ? serialise(child, CLIENT) : "")).join("")}</item>`;
}

export function statusText(codes: Iterable<number>): string {
  let text = "";
  for (const code of codes) text += `<status code="${code}"/>`;
  return text;
}

/** `<x/>` of muc#user around what is text already. */
export const userText = (inner: string): string => `<x xmlns="${MUC_USER}">${inner}</x>`;

export const occupantIdText = (id: string): string => `<occupant-id xmlns="${OCCUPANT_ID}" id="${id}"/>`;

export const stanzaIdText = (by: Jid, uid: string): string =>
  `<stanza-id xmlns="${STANZA_ID}" by="${escapeAttribute(by.toString())}" id="${uid}"/>`;

/** A muc#user element, for what is said rarely. */
export const userElement = (...children: (Element | undefined | false)[]): Element =>
  xml("x", { xmlns: MUC_USER }, ...children);

/** `<destroy/>`: the room is no more, and where to go instead (§10.9). */
export function destroyText({
  jid,
  reason,
  password,
}: {
  jid?: string;
  reason?: string;
  password?: string;
} = {}): string {
  const children = [reason && xml("reason", {}, reason), password && xml("password", {}, password)];
  return serialise(xml("destroy", { jid, xmlns: MUC_USER }, ...children), MUC_USER);
}
