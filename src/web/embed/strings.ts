/** What the widget says. English is built in; the other languages come in one file when a page needs them. */
import type { ENGLISH_FILES } from "../embed-files/strings.ts";
import type { ENGLISH_TOOLS } from "../embed-tools/strings.ts";

const ENGLISH_CORE = {
  send: "Send",
  write: "Write a message",
  writeTo: "Write to {0} only",
  change: "Change name",
  people: "People",
  here: "{0} here",
  offline: "No connection. What you write is sent once it is back.",
  elsewhere: "This chat is open in another window.",
  refused: "This chat cannot be opened.",
  again: "Try again",
  messages: "Messages",
  beginning: "This is where the conversation begins.",
  empty: "Nobody has said anything yet. Be the first!",
  fresh: "New",
  latest: "Jump to the latest",
  typing: "{0} is typing…",
  typingTwo: "{0} and {1} are typing…",
  typingMany: "Several people are typing…",
  reply: "Reply",
  react: "React",
  actions: "Actions",
  cancel: "Cancel",
  close: "Close",
  open: "Open chat",
  settings: "Room settings",
  edited: "edited",
  removed: "Message deleted",
  removedBy: "Removed by a moderator",
  notSent: "Not sent",
  only: "only for {0}",
  onlyYou: "only for you",
  replying: "Replying to {0}",
  editing: "Editing your message",
  slow: "Wait {0} s",
  muted: "You can read here, but not write.",
  unread: "New messages: {0}",
  failed: "That did not work: {0}",
};

export type Strings = typeof ENGLISH_CORE & typeof ENGLISH_FILES & typeof ENGLISH_TOOLS;

/** What the tools say comes with the tools, and so on. */
export const ENGLISH = ENGLISH_CORE as Strings;

/** Languages written from right to left. */
export const RIGHT_TO_LEFT = /^(ar|he|fa|ur)\b/;

export const fill = (text: string, ...values: (string | number)[]): string =>
  text.replace(/\{(\d)\}/g, (_, index) => String(values[Number(index)] ?? ""));
