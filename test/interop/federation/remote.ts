/** Another server on the network, of another make: its names and ours are on loopback. */
import { connect } from "node:net";
import { install, type PeerName } from "../peers.ts";
import type { Identity } from "./authority.ts";

export interface Remote {
  start(): Promise<void>;
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

export interface RemoteOptions {
  domain: string;
  /** Where it listens, on 5222 and 5269. */
  address: string;
  identity: Identity;
  authority: string;
  /** Certificates of the others have to be good; else dialback is enough. */
  secure: boolean;
  /** It has XEP-0288. */
  bidi?: boolean;
  /** Name → address. */
  hosts: Record<string, string>;
  accounts: Record<string, string>;
}

/** A make of servers, as Debian has it. */
export interface Make {
  name: PeerName;
  /** Sets the addresses of one make apart from another's. */
  net: number;
  start(options: RemoteOptions): Promise<Remote>;
  /** What certificates have to be for. */
  purpose: string;
}

/** @throws {Error} when it is not there and cannot be installed */
export function make(found: Make): Make {
  if (!install(found.name)) throw new Error(`${found.name} is not installed: apt-get install ${found.name}`);
  return found;
}

export function listens(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const probe = connect(port, host, () => {
      probe.destroy();
      settle(true);
    });
    probe.on("error", () => settle(false));
  });
}
