/** XEP-0085: Chat State Notifications, v2.1 — https://xmpp.org/extensions/xep-0085.html */
import { type Element, xml } from "./element.ts";

export const CHAT_STATES = "http://jabber.org/protocol/chatstates";
const FORGET = 12_000;
const PAUSE = 6_000;

type Timer = ReturnType<typeof setTimeout>;

/** Who is typing, and telling others that we are. */
export class Typing {
  /** Nicks. */
  readonly who = new Map<string, Timer>();
  #tell: (state: Element) => void;
  #changed: () => void;
  #own: Timer | undefined;

  constructor(tell: (state: Element) => void, changed: () => void) {
    this.#tell = tell;
    this.#changed = changed;
  }

  /** Call at every key pressed: others are told once, and once more when it stops. */
  press(): void {
    if (!this.#own) this.#tell(xml("composing", { xmlns: CHAT_STATES }));
    clearTimeout(this.#own);
    this.#own = setTimeout(() => {
      this.sent();
      this.#tell(xml("active", { xmlns: CHAT_STATES }));
    }, PAUSE);
  }

  /** What was typed is on its way, which says that we stopped. */
  sent(): void {
    clearTimeout(this.#own);
    this.#own = undefined;
  }

  hear(nick: string, composing: boolean): void {
    clearTimeout(this.who.get(nick));
    const before = this.who.delete(nick);
    if (composing) {
      this.who.set(
        nick,
        setTimeout(() => this.hear(nick, false), FORGET),
      );
    }
    if (before !== composing) this.#changed();
  }
}
