/**
 * What a bridge and a Peer object say to each other on a link: JSON, one frame a message. Both directions number what they
 * send and keep it until it is acknowledged; a link that was cut begins with what the other end has, so nothing is lost or twice.
 * A frame that should have come before another and did not shows by its number, and the link is cut.
 */
export type ToPeer =
  /**
   * First: which link this is, by a random name that it keeps for as long as the bridge counts on, and the number that
   * comes next. All that waits is sent again; the bridge knows repeats.
   */
  | { hello: string; next: number }
  | Entering
  /** The other server has proved that it has read these (for a component: they were written). */
  | { sent: number[] }
  /**
   * These could not be sent, or nothing proves that they were: `final` when trying again is of no use. Otherwise the bridge
   * takes nothing more until the first of them has come again, so that what comes later does not pass it.
   */
  | { failed: number[]; reason: string; final: boolean };

/** A stanza in jabber:client, from this peer's domain, which was verified for the host it is for. */
export interface Entering {
  n: number;
  stanza: string;
  /** It was sent before, on a link that was cut. */
  again?: boolean;
}

/** A stanza on its way out. */
export interface Leaving {
  n: number;
  /** The number of the one before it on this link; 0 before the first. */
  after: number;
  stanza: string;
  /** The domains. */
  from: string;
  to: string;
}

export type ToBridge =
  /** The last stanza that is in custody of all this bridge's; it may forget up to there. */
  | { taken: number }
  /** The other server has answered this question (see protocol/proof.ts); who asked is some bridge. */
  | { answered: string }
  | Leaving;

/** What a bridge is told when it asks. */
export interface BridgeFacts {
  domain: string;
  /** Every host that speaks with others, components too. */
  hosts: string[];
  dialback: string;
  /** Domain → secret (XEP-0114). */
  components: Record<string, string>;
}

/** What the Directory tells a bridge on its socket. */
export type ToBridges = { reach: string };
