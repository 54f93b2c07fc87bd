/** What a peer needs to know to talk to other servers, and what its own services are called. */
import type { Identity } from "../federation/authority.ts";
import type { Server } from "../server.ts";

/** Streams between servers, by dialback. */
export interface Federation {
  /** The server's own domain. */
  domain: string;
  /** Where it listens on 5269, which cannot be chosen. */
  address: string;
  /** Addresses of the others, by domain. */
  hosts: Record<string, string>;
  /** Without it they are in the clear. */
  tls?: Identity & {
    /** The file of who has issued all certificates. */
    authority: string;
  };
}

export const services = (domain: string): Server["hosts"] => ({
  guest: `guest.${domain}`,
  rooms: `rooms.${domain}`,
  pubsub: `pubsub.${domain}`,
});
