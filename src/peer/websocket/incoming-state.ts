/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html: another server's stream as plain data, and what it needs around it. */
import type { Proved } from "../../protocol/pairs.ts";
import type { Stanza } from "../../protocol/stanza.ts";
import type { EnterPorts, Passage } from "../enter.ts";

/** What rides in the socket's attachment. */
export interface IncomingState extends Proved {
  version: 1;
  /** The stream's id, which dialback keys are made for. */
  id: string;
  since: number;
  used: number;
  bytes: number;
  opened: boolean;
  /** XEP-0198: the stream under which stanzas are counted, itself or the one it resumes. */
  name: string;
  managed: boolean;
  resumable: boolean;
  /** Stanzas in custody; the same as those received whenever this is read again, for no object is forgotten with a call open. */
  handled: number;
  /** Up to here stanzas may be repeats. */
  doubtful: number;
}

export interface IncomingPorts extends Omit<EnterPorts, "post"> {
  hosts: ReadonlySet<string>;
  /** Of dialback keys. */
  secret: string;
  /** Asks the server of `remote` whether it made that key. @throws Unverifiable */
  verify(local: string, remote: string, id: string, key: string): Promise<boolean>;
  /** Hands a stanza on; `done` runs when another object answers for it. */
  enter(stanza: Stanza, passage: Passage, done: (error?: Error) => void): void;
  /** A question that some bridge has asked was answered. */
  proof(domain: string, id: string): void;
  /** It has proved that it is there: what waits for it may go. */
  heard(domain: string): void;
  /** How many stanzas of a stream that can be resumed are in custody. */
  custody: Custody;
}

/** By the stream's name and the domain it is of. */
export interface Custody {
  read(name: string, domain: string): Promise<number | undefined>;
  write(name: string, domain: string, handled: number): void;
}

export interface IncomingSocket {
  send(text: string): void;
  close(): void;
  attach(state: IncomingState): void;
}

/** `door`: the object that it is at, where another one finds what is known of it. */
export const newIncoming = (door: string, id: string, now: number): IncomingState => ({
  version: 1,
  id,
  since: now,
  used: now,
  bytes: 0,
  keys: 0,
  opened: false,
  pairs: [],
  name: `${door}/${id}`,
  managed: false,
  resumable: false,
  handled: 0,
  doubtful: 0,
});
