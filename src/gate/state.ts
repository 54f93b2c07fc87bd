/** A stream as plain data: what rides in its socket's attachment, and in a row while it waits to be resumed. */
import type { AuthenticationState } from "../protocol/authentication.ts";
import type { Profile, UserAgent } from "../protocol/sasl.ts";

/** One stanza that its client has not acknowledged: the text as it was sent, and its place in the account's archive. */
export type Unacked = [text: string, mark: number];

export interface Negotiating {
  at: "negotiating";
  /** Stream opens so far, SASL 1's restart included. */
  opens: number;
  /** The account that was tried last. */
  tried?: string;
  /** Failed attempts (RFC 6120 §6.4.5). */
  failures: number;
  /** Bytes received before authentication. */
  bytes: number;
  exchange?: Exchange;
  /** Authenticated, not bound yet. The bare JID; of a guest, too. */
  jid?: string;
}

/** A SASL exchange between two of its messages. */
export interface Exchange {
  profile: Profile;
  mechanism: string;
  state: AuthenticationState;
  agent: UserAgent;
  /** SASL2: the whole `<authenticate/>`, for its inline requests. */
  request?: string;
  /** Its token is to be replaced (XEP-0484 §3.5). */
  due?: true;
}

export interface Bound {
  at: "bound";
  jid: string;
  /** Rooms and others outside the account that were sent presence straight from here (RFC 6121 §4.6). */
  directed: string[];
  /** The available presence that it last sent, for guests' rooms and `<r/>` timing: only whether there is one. */
  available: boolean;
  csi: boolean;
  /** The hash of the account's avatar, which its presence says (XEP-0398 §4). */
  photo?: string;
  /** Stanzas held back from an inactive client (XEP-0352): key of what they replace, text. */
  held: [key: string, text: string][];
  management?: Management;
}

/** XEP-0198. All counts are of this stream and its predecessors under the same id, modulo 2^32 on the wire only. */
export interface Management {
  resume: boolean;
  /** The transport tells what has arrived, and counted is only what has to arrive; nothing is said on the stream. */
  tacit?: true;
  /** Seconds that it waits for its client, where that is less than usual. */
  max?: number;
  /** Stanzas taken from the client; those that are in custody or answered. */
  received: number;
  handled: number;
  /** Stanzas sent to the client; those it has acknowledged. */
  sent: number;
  acked: number;
  /** The highest mark it has acknowledged, and the highest its account was told of. */
  mark: number;
  told: number;
  /** The stanzas between `acked` and `sent`, when they are few enough to ride along. */
  queue?: Unacked[];
}

/** Who has come: what the edge knows of a client. */
export interface Newcomer {
  /** A keyed hash of the client's address: for limits and bans; the address itself is kept nowhere. */
  address: string;
  /** TLS or loopback, so that a password may be sent. */
  secure: boolean;
  /** Where its client reaches this server: "https://chat.example"; "" when only a bridge does. */
  site: string;
}

export interface StreamState extends Newcomer {
  version: 1;
  sid: string;
  /** When the socket was accepted, in ms. */
  since: number;
  /** Channel bindings of its TLS, of a stream that a bridge brings: type and base64. */
  bindings?: [type: string, data: string][];
  /** The host that the client asked for, pinned by its first `<open/>`. */
  host: string;
  lang: string;
  phase: Negotiating | Bound;
}

export function newStream(sid: string, { address, secure, site }: Newcomer, now: number): StreamState {
  const phase: Negotiating = { at: "negotiating", opens: 0, failures: 0, bytes: 0 };
  return { version: 1, sid, since: now, address, secure, site, host: "", lang: "", phase };
}
