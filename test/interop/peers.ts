/** The servers we compare ourselves with and develop these suites against: Debian's Prosody and ejabberd. */
import { install as installPackages } from "./debian.ts";
import { startEjabberd } from "./peers/ejabberd.ts";
import type { Federation } from "./peers/federation.ts";
import { startProsody } from "./peers/prosody.ts";
import type { Server } from "./server.ts";

export interface PeerOptions {
  /** Message archive on (default) or off. */
  archive?: boolean;
  /** Without it the server is alone, and its domain is localhost. */
  federation?: Federation;
}

export type PeerName = "prosody" | "ejabberd";

const PEERS: Record<PeerName, { packages: string[]; start(options: PeerOptions): Promise<Server> }> = {
  prosody: { packages: ["prosody"], start: startProsody },
  // Its archive is in SQLite, which Debian packages apart.
  ejabberd: { packages: ["ejabberd", "erlang-p1-sqlite3"], start: startEjabberd },
};

/** True when the peer is there, or could be installed: by apt, and only as root. */
export const install = (name: PeerName): boolean => installPackages(...PEERS[name].packages);

export async function startPeer(name: PeerName, options: PeerOptions = {}): Promise<Server> {
  if (!install(name)) throw new Error(`${name} is not installed, and only root can install it`);
  return PEERS[name].start(options);
}
