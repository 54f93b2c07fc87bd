/** What has been seen, what is new, and saying so: to the page, to its title and to screen readers. */
import type { Entry } from "../client/timeline.ts";
import { fill, type Strings } from "./strings.ts";

/** A screen reader is given one text a second; more messages than this are only counted. */
const SPOKEN = 3;

export class Attention {
  unread = 0;
  mentions = 0;
  /** Key of the last message that had been seen when newer ones came: the line "new" goes below it. */
  lastSeen: string | undefined;
  announcement = "";
  #changed: () => void;
  #heard: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #title = "";

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** A message came while somebody was looking, or not. */
  hear(
    { nick, body, own, file }: Entry,
    mention: boolean,
    before: Entry | undefined,
    looking: boolean,
    strings: Strings,
  ): void {
    if (own) this.lastSeen = undefined;
    else {
      if (!looking) this.miss(1, before?.key, mention);
      // Of a file's address, its name is enough.
      this.#heard.push(`${nick}: ${file ? body.replace(/.*\//, "") : body}`);
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        const heard = this.#heard.splice(0);
        this.announcement = heard.length > SPOKEN ? fill(strings.unread, heard.length) : heard.join("\n");
        this.#changed();
      }, 1_000);
    }
  }

  miss(count: number, after = "", mention = false): void {
    if (!this.unread) this.lastSeen = after;
    if (mention) this.mentions++;
    this.#count(this.unread + count);
  }

  clear(): void {
    this.mentions = 0;
    this.#count(0);
  }

  #count(unread: number): void {
    if (unread === this.unread) return;
    if (!this.unread) this.#title = document.title;
    this.unread = unread;
    document.title = unread ? `(${unread}) ${this.#title}` : this.#title;
    this.#changed();
  }
}
