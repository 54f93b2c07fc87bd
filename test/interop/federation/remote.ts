/** Another server on the network, of another make: its names and ours are on loopback. */
import { connect } from "node:net";
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

export function listens(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const probe = connect(port, host, () => {
      probe.destroy();
      settle(true);
    });
    probe.on("error", () => settle(false));
  });
}
