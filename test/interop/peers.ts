/** The servers we compare ourselves with and develop these suites against: Debian's Prosody and ejabberd. */
import { spawnSync } from "node:child_process";
import { startEjabberd } from "./peers/ejabberd.ts";
import { startProsody } from "./peers/prosody.ts";
import type { Server } from "./server.ts";

export interface PeerOptions {
  /** Message archive on (default) or off. */
  archive?: boolean;
}

export type PeerName = "prosody" | "ejabberd";

const PEERS: Record<PeerName, { packages: string[]; start(options: PeerOptions): Promise<Server> }> = {
  prosody: { packages: ["prosody"], start: startProsody },
  // Its archive is in SQLite, which Debian packages apart.
  ejabberd: { packages: ["ejabberd", "erlang-p1-sqlite3"], start: startEjabberd },
};

const installed = (packages: readonly string[]): boolean =>
  packages.every((name) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
    const query = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Status}", name], { encoding: "utf8" });
    return query.stdout === "installed";
  });

/** True when the peer is there, or could be installed: by apt, and only as root. */
export function install(name: PeerName): boolean {
  const { packages } = PEERS[name];
  if (installed(packages)) return true;
  if (process.getuid?.() !== 0) return false;
  // The package's own service must not start: only what a test starts runs.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env, stdio: "ignore" });
  return installed(packages);
}

export async function startPeer(name: PeerName, options: PeerOptions = {}): Promise<Server> {
  if (!install(name)) throw new Error(`${name} is not installed, and only root can install it`);
  return PEERS[name].start(options);
}
