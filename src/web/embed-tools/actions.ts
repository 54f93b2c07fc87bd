/** What may be done to a message and to a person, by our role and affiliation (XEP-0045 §5). */
import { moderate, setAffiliation, setRole } from "../client/moderation.ts";
import type { Occupant } from "../client/occupants.ts";
import { retraction } from "../client/payload.ts";
import type { Entry } from "../client/timeline.ts";
import type { XmppChat } from "../embed/chat.ts";
import type { Action } from "./menu.ts";

export const RANKS = ["owner", "admin", "member", "none", "outcast"];
const rankOf = (occupant: Occupant | undefined) => RANKS.indexOf(occupant?.affiliation ?? "none");

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🎉", "🙏", "👀"];

export const reactions = (chat: XmppChat, entry: Entry): Action[] =>
  EMOJI.map((emoji) => [emoji, () => chat.live?.room.react(entry, emoji)]);

export function actions(chat: XmppChat, entry: Entry): Action[] {
  const { strings } = chat;
  const { client, room } = chat.live!;
  const list: Action[] = [[strings.copy, () => navigator.clipboard.writeText(entry.body)]];
  if (entry.own && entry.ref) {
    list.unshift([strings.edit, () => chat.edit(entry)]);
    list.push([strings.remove, () => room.post(...retraction(entry.ref)), true]);
  }
  if (entry.own || entry.to !== undefined) return list;
  if (room.self?.role === "moderator" && entry.ref) {
    const remove = (reason: string) => moderate(client, room, entry.ref!, reason);
    list.push([strings.moderate, () => ask(chat, strings.moderate, "", remove), true]);
  }
  const author = room.occupants.get(entry.nick);
  return author && room.senderOf(entry.nick) === entry.sender ? [...list, ...occupantActions(chat, author)] : list;
}

export function occupantActions(chat: XmppChat, occupant: Occupant): Action[] {
  const { strings } = chat;
  const { client, room } = chat.live!;
  const { nick, role, jid } = occupant;
  const mention = () => {
    chat.begin({});
    chat.text += `${/\S$/.test(chat.text) ? " " : ""}@${nick} `;
  };
  const whisper = () => chat.begin({ to: nick });
  const list: Action[] = [
    [strings.mention, mention],
    [strings.private, whisper],
  ];
  const above = rankOf(room.self) < rankOf(occupant);
  if (room.self?.role === "moderator" && (role !== "moderator" || above)) {
    const silent = role === "visitor";
    const voice = () => setRole(client, room, nick, silent ? "participant" : "visitor");
    const kick = (reason: string) => setRole(client, room, nick, "none", reason);
    list.push([silent ? strings.unmute : strings.mute, voice, !silent]);
    list.push([strings.kick, () => ask(chat, strings.kick, nick, kick), true]);
  }
  // Only admins and owners may ban (§9.1), and only whose address they see.
  if (above && jid && rankOf(room.self) < 2) {
    const ban = (reason: string) => setAffiliation(client, room, { jid }, "outcast", reason);
    list.push([strings.ban, () => ask(chat, strings.ban, nick, ban), true]);
  }
  return list;
}

function ask(chat: XmppChat, action: string, whom: string, run: (reason: string) => unknown): void {
  void chat.ask({ text: `${action}${whom ? `: ${whom}` : ""}?`, action, run });
}
