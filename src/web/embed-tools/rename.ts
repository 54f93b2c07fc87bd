/** A guest takes another name (XEP-0045 §7.6). */
import type { XmppChat } from "../embed/chat.ts";

export function rename(chat: XmppChat): void {
  const { strings } = chat;
  const { room } = chat.live!;
  const run = async (nick: string) => {
    if (!nick || nick === room.nick) return;
    await room.rename(nick).catch((error) => {
      throw error.condition === "conflict" ? new Error(strings.taken) : error;
    });
  };
  void chat.ask({ text: strings.name, action: strings.save, label: strings.name, value: room.nick, run });
}
