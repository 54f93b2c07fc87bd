/** What a message can carry besides its text: replies (XEP-0461), corrections (0308), retractions (0424), reactions (0444), files (0066). */
import { type Child, type Element, xml } from "./element.ts";
import { CORRECT, type Entry, FALLBACK, OOB, REACTIONS, REPLY, RETRACT } from "./timeline.ts";

const STORE = xml("store", { xmlns: "urn:xmpp:hints" });

export const text = (body: string): Element => xml("body", null, body);

/** Beside the same address as text. */
export const file = (url: string): Element => xml("x", { xmlns: OOB }, xml("url", null, url));

/** The text, after a quotation for clients that cannot show what it answers. */
export function answer(body: string, reply: Entry, author: string): Child[] {
  const quote = `${`${reply.nick}: ${reply.body}`.replace(/^/gm, "> ")}\n`;
  return [
    text(quote + body),
    xml("reply", { xmlns: REPLY, id: reply.ref, to: author }),
    xml("fallback", { xmlns: FALLBACK, for: REPLY }, xml("body", { start: 0, end: [...quote].length })),
  ];
}

export const correction = (id: string, body: string): Child[] => [text(body), xml("replace", { xmlns: CORRECT, id })];

export const retraction = (ref: string | undefined): Child[] => [
  xml("retract", { xmlns: RETRACT, id: ref }),
  xml("fallback", { xmlns: FALLBACK, for: RETRACT }),
  text("/me retracted a message, but this client cannot show that."),
  STORE,
];

/** The sender's whole choice: it replaces the one before. */
export const reactions = (ref: string | undefined, emoji: readonly string[]): Child[] => [
  xml("reactions", { xmlns: REACTIONS, id: ref }, ...emoji.map((each) => xml("reaction", null, each))),
  STORE,
];
