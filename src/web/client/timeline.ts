/** What a conversation looks like once corrections (XEP-0308), retractions (0424, 0425), replies (0461) and reactions (0444) are folded in. */
import type { Element } from "./element.ts";

export const CORRECT = "urn:xmpp:message-correct:0";
export const RETRACT = "urn:xmpp:message-retract:1";
export const MODERATE = "urn:xmpp:message-moderate:1";
export const REACTIONS = "urn:xmpp:reactions:0";
export const REPLY = "urn:xmpp:reply:0";
export const FALLBACK = "urn:xmpp:fallback:0";
export const OOB = "jabber:x:oob";

export interface Entry {
  /** Stays the same while the message goes from sending to sent. */
  key: string;
  /** The sender's id: what a correction names. */
  id: string;
  /** The archive's id: what replies, reactions and retractions name. */
  ref: string | undefined;
  /** Who may correct or retract it. */
  sender: string;
  nick: string;
  own: boolean;
  time: number;
  body: string;
  /** Its text is the address of a file, and nothing else (XEP-0066). */
  file: boolean;
  reply: { ref: string; to: string } | undefined;
  edited: boolean;
  /** Retracted by its author, or removed by a moderator: then `by` says whom. */
  removed: { by: string | undefined; reason: string | undefined } | undefined;
  /** Emoji to the senders who chose it. */
  reactions: Map<string, Set<string>>;
  state: "sending" | "sent" | "failed";
  error: string | undefined;
  /** Seen by two occupants only: the nick of the one it is for. */
  to: string | undefined;
}

/** A message with what its transport says of it. */
export interface Item {
  message: Element;
  ref: string | undefined;
  sender: string;
  nick: string;
  own: boolean;
  time: number;
  to?: string;
}

/** A message that changes another one: by the archive's id, or by its sender and the id it was sent with. */
interface Change {
  item: Item;
  target: string;
}

const LIMIT_REACTIONS = 20;

export class Timeline {
  /** In the order of the archive; what is still being sent, or could not be, comes last. */
  entries: Entry[] = [];
  /** By the archive's id (also that of a correction), and by sender and id. */
  #index = new Map<string, Entry>();
  #seen = new Set<string>();
  /** Changes to messages that have not been loaded (yet), oldest first. */
  #orphans: Change[] = [];
  #count = 0;

  /** Adds newer items; returns the entries that were not there before. */
  append(items: readonly Item[]): Entry[] {
    const { fresh, orphans } = this.#fold(items);
    this.#orphans.push(...orphans);
    const unsent = this.entries.findIndex((entry) => entry.state !== "sent");
    this.entries.splice(unsent < 0 ? this.entries.length : unsent, 0, ...fresh);
    return fresh;
  }

  /** Adds a page of older items in front. What newer messages had to say about them is applied last. */
  prepend(items: readonly Item[]): void {
    const { fresh, orphans } = this.#fold(items);
    const newer = this.#orphans;
    this.#orphans = orphans;
    for (const change of newer) if (!this.#amend(change)) this.#orphans.push(change);
    this.entries.unshift(...fresh);
  }

  /** Shows a message of ours before the server has it. */
  pend(item: Item): Entry {
    const entry = this.#enter(item, "sending");
    this.entries.push(entry);
    return entry;
  }

  /** Takes a message of ours off the list, to be edited or sent again. */
  drop(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    this.#index.delete(name(entry.sender, entry.id));
  }

  find(ref: string): Entry | undefined {
    return this.#index.get(ref);
  }

  /** Forgets all but what is being sent: when too much was missed to fill the gap. */
  clear(): void {
    this.entries = this.entries.filter((entry) => entry.state !== "sent");
    this.#index = new Map(this.entries.map((entry) => [name(entry.sender, entry.id), entry]));
    this.#seen.clear();
    this.#orphans = [];
  }

  #fold(items: readonly Item[]): { fresh: Entry[]; orphans: Change[] } {
    const fresh: Entry[] = [];
    const orphans: Change[] = [];
    for (const item of items) {
      const { message, ref, sender } = item;
      if (ref && this.#seen.has(ref)) continue;
      if (ref) this.#seen.add(ref);
      const target = targetOf(item);
      if (target) {
        if (!this.#amend({ item, target })) orphans.push({ item, target });
        continue;
      }
      const { id } = message.attrs;
      const pending = item.own && this.entries.find((entry) => entry.id === id && entry.state !== "sent");
      const known = id ? this.#index.get(name(sender, id)) : undefined;
      if (pending) fresh.push(this.#confirm(pending, item));
      // Without an archive's id on both, the sender's is all there is to tell a repetition by.
      else if (known && !(known.ref && ref)) continue;
      else if (message.child("body") || message.child("retracted", RETRACT)) fresh.push(this.#enter(item, "sent"));
    }
    return { fresh, orphans };
  }

  /** The reflection of a message that was being sent: it takes its place among the others. */
  #confirm(entry: Entry, { ref, time, sender, nick }: Item): Entry {
    this.drop(entry);
    if (ref) this.#index.set(ref, entry);
    this.#index.set(name(sender, entry.id), entry);
    return Object.assign(entry, { ref, time, sender, nick, state: "sent", error: undefined });
  }

  #enter({ message, to, ...rest }: Item, state: Entry["state"]): Entry {
    const id = message.attrs.id ?? "";
    const retracted = message.child("retracted", RETRACT);
    const entry: Entry = {
      ...rest,
      ...content(message),
      key: `m${this.#count++}`,
      id,
      to,
      edited: false,
      removed: retracted && removal(retracted),
      reactions: new Map(),
      state,
      error: undefined,
    };
    if (entry.ref) this.#index.set(entry.ref, entry);
    this.#index.set(name(entry.sender, id), entry);
    return entry;
  }

  /** False when the message it changes is not here. */
  #amend({ item, target }: Change): boolean {
    const entry = this.#index.get(target);
    if (!entry) return false;
    const { message, sender, ref } = item;
    const reactions = message.child("reactions", REACTIONS);
    const retract = message.child("retract", RETRACT);
    if (retract) {
      // §rules: only its author may retract it, and only the room itself may moderate.
      const moderated = retract.child("moderated", MODERATE);
      if (moderated ? !item.nick : sender === entry.sender) entry.removed = removal(retract);
    } else if (reactions) {
      for (const [emoji, senders] of entry.reactions)
        if (senders.delete(sender) && !senders.size) entry.reactions.delete(emoji);
      for (const child of reactions.all("reaction")) {
        const emoji = child.text()!.trim();
        const senders = entry.reactions.get(emoji);
        if (senders) senders.add(sender);
        else if (isEmoji(emoji) && entry.reactions.size < LIMIT_REACTIONS)
          entry.reactions.set(emoji, new Set([sender]));
      }
    } else if (!entry.removed) {
      Object.assign(entry, { ...content(message), reply: entry.reply, edited: true });
      if (ref) this.#index.set(ref, entry);
    }
    return true;
  }
}

const name = (sender: string, id = "") => `${sender}\n${id}`;

/** What the message names, when it changes another. */
function targetOf({ message, sender }: Item): string | undefined {
  const named = message.child("retract", RETRACT) ?? message.child("reactions", REACTIONS);
  const corrected = message.child("replace", CORRECT)?.attrs.id;
  return named?.attrs.id ?? (corrected && name(sender, corrected));
}

const removal = (retract: Element): Entry["removed"] => ({
  by: retract.child("moderated", MODERATE)?.attrs.by,
  reason: retract.text("reason"),
});

/** The text without the parts that repeat, for older clients, what an element says (XEP-0428; positions count code points). */
function content(message: Element): Pick<Entry, "body" | "file" | "reply"> {
  let body = message.text("body") ?? "";
  const reply = message.child("reply", REPLY);
  const fallback =
    reply &&
    message
      .all("fallback", FALLBACK)
      .find((el) => el.attrs.for === REPLY)
      ?.child("body");
  if (fallback) {
    const points = [...body];
    const { start = "0", end = `${points.length}` } = fallback.attrs;
    body = points.slice(0, +start).concat(points.slice(+end)).join("");
  }
  const file = message.child("x", OOB)?.text("url") === body;
  return { body, file, reply: reply?.attrs.id ? { ref: reply.attrs.id, to: reply.attrs.to ?? "" } : undefined };
}

/** One emoji (XEP-0444 §rules): anything else could be used to post text that no moderator sees. */
const isEmoji = (text: string) =>
  text.length < 32 &&
  /^[\p{Emoji}\p{Emoji_Component}\p{Extended_Pictographic}]+$/u.test(text) &&
  !/^[\d#*]+$/.test(text);
