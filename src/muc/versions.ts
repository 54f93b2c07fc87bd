/** XEP-0463: MUC Affiliations Versioning, v0.1: the versions as text — https://xmpp.org/extensions/xep-0463.html */
import type { Room } from "./room.ts";

export const MAV = "urn:xmpp:muc:affiliations:0";

/** Opaque, and of this room alone: a room of the same name later has other versions. */
export const versionOf = (room: Room, version = room.affiliations.version): string =>
  `${room.id.toString(36)}-${room.created.toString(36)}-${version.toString(36)}`;

export function readVersion(room: Room, text: string): number | undefined {
  const prefix = versionOf(room, 0).slice(0, -1);
  if (!text.startsWith(prefix)) return undefined;
  const version = Number.parseInt(text.slice(prefix.length), 36);
  return Number.isSafeInteger(version) && versionOf(room, version) === text ? version : undefined;
}

/** `<mav/>` of a change: from which version to which. */
export function versionText(room: Room, since?: number): string {
  const from = since === undefined ? "" : ` since="${versionOf(room, since)}"`;
  return `<mav xmlns="${MAV}"${from} until="${versionOf(room)}"/>`;
}
