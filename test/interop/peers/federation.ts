/** What a peer needs to know to talk to other servers, and what its own services are called. */
import type { Server } from "../server.ts";

/** Streams between servers in the clear, by dialback: what TLS costs says nothing about a server. */
export interface Federation {
  /** The server's own domain. */
  domain: string;
  /** Where it listens on 5269, which cannot be chosen. */
  address: string;
  /** Addresses of the others, by domain. */
  hosts: Record<string, string>;
}

export const services = (domain: string): Server["hosts"] => ({
  guest: `guest.${domain}`,
  rooms: `rooms.${domain}`,
  pubsub: `pubsub.${domain}`,
});
