/**
 * What a bridge and a Peer object say to each other on a link: JSON, one frame a message. Both directions number what they
 * send and keep it until it is acknowledged; a link that was cut begins with what the other end has, so nothing is lost or twice.
 */
export type ToPeer =
  /** First: which bridge this is, by a random name that it takes at its start. All that waits is sent again; it knows repeats. */
  | { hello: string }
  /** A stanza in jabber:client, from this peer's domain, which was verified for the host it is for. */
  | { n: number; stanza: string }
  /** These numbers were written to a stream that has authenticated both ends. */
  | { sent: number[] }
  /** These could not be: `final` when trying again is of no use. */
  | { failed: number[]; reason: string; final: boolean };

export type ToBridge =
  /** The last stanza that was taken of this bridge's; it may forget up to there. */
  { taken: number } | { n: number; stanza: string; from: string; to: string };

/** What a bridge is told when it asks. */
export interface BridgeFacts {
  domain: string;
  /** Every host that speaks with others. */
  hosts: string[];
  dialback: string;
  /** Domain → secret (XEP-0114). */
  components: Record<string, string>;
}

/** What the Directory tells a bridge on its socket. */
export type ToBridges = { reach: string };
