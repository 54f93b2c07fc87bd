/** What outlives a page: a guest's identity and name for a while, and this tab's session over a reload. */
import type { Session } from "../client/client.ts";
import type { Keep } from "../client/negotiate.ts";

const GUEST_LIFETIME = 12 * 3_600_000;

interface Guest {
  keep: Keep;
  nick: string | undefined;
  until: number;
}

/** What this tab was doing when it was left. */
export interface Left {
  /** Whose session it is: "" = a guest's. Another user's must not be taken up. */
  who: string;
  session: Session | undefined;
  keep: Keep;
  nick: string;
  open: boolean;
}

/** Storage that may be switched off, full, or filled by somebody else. */
function recall<T>(storage: () => Storage, key: string): T | undefined {
  try {
    return JSON.parse(storage().getItem(key) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
function retain(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {}
}
const tab = () => sessionStorage;
const browser = () => localStorage;

/** Keys carry the service and the room, so that two widgets on a page do not meet. */
export class Keeping {
  #key: string;
  constructor(service: string, room: string) {
    this.#key = `enjamb ${service} ${room}`;
  }

  guest(): Guest | undefined {
    const guest = recall<Guest>(browser, this.#key);
    return guest && guest.until > Date.now() ? guest : undefined;
  }

  setGuest(keep: Keep, nick: string | undefined): void {
    retain(browser, this.#key, { keep, nick, until: Date.now() + GUEST_LIFETIME } satisfies Guest);
  }

  /** Taken away while in use: a tab that is duplicated must not take this one's session. */
  takeLeft(): Left | undefined {
    const left = recall<Left>(tab, this.#key);
    retain(tab, this.#key, undefined);
    return left;
  }

  /** A bubble that was open when its page was left is open on the next one. */
  get wasOpen(): boolean {
    return recall<Left>(tab, this.#key)?.open ?? false;
  }

  setLeft(left: Left): void {
    retain(tab, this.#key, left);
  }

  /** The newest message that was seen. */
  get seen(): string {
    return recall<string>(browser, `${this.#key} seen`) ?? "";
  }

  set seen(ref: string) {
    retain(browser, `${this.#key} seen`, ref);
  }
}
