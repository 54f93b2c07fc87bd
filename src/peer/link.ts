/** How a Peer reaches its domain: a bridge's socket, or a stream of its own (XEP-0468). */
import type { ToBridge } from "./frames.ts";

/** One way to the domain. */
export interface Link {
  send(frame: ToBridge): void;
  close(): void;
  /** Kept with the socket while the object is forgotten. */
  state: LinkState;
  save(): void;
}

export interface LinkState {
  /** The name that the bridge has given this link; "" before it has. */
  bridge: string;
  /** Stanzas go out on this one: on one at a time, so that no two bridges have the same in hand. */
  carries?: boolean;
  /** The last stanza that was sent on it. */
  sent: number;
  /** Up to which number all that it brought is in custody. */
  taken: number;
}

/** There is no way to that domain, and waiting would not help. */
export class Nowhere extends Error {}
