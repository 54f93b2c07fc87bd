/** Debian's Prosody as another server on the network: its names and ours are on loopback. */
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { daemon, temporaryFolder } from "../peers/daemon.ts";
import type { Identity } from "./authority.ts";

export interface Remote {
  domain: string;
  rooms: string;
  address: string;
  start(): Promise<void>;
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

export interface RemoteOptions {
  address: string;
  identity: Identity;
  authority: string;
  /** Certificates of the others have to be good; else dialback is enough. */
  secure: boolean;
  /** Name → address. */
  hosts: Record<string, string>;
  accounts: Record<string, string>;
}

export async function startRemoteProsody(options: RemoteOptions): Promise<Remote> {
  const { address, hosts, accounts } = options;
  const domain = "prosody.test";
  const folder = temporaryFolder("prosody-remote");
  const data = join(folder, "data", "prosody%2etest", "accounts");
  mkdirSync(data, { recursive: true });
  for (const [name, password] of Object.entries(accounts))
    writeFileSync(join(data, `${name}.dat`), `return { ["password"] = "${password}" };\n`);
  writeFileSync(
    join(folder, "hosts"),
    Object.entries(hosts)
      .map(([name, at]) => `${at} ${name}\n`)
      .join(""),
  );
  writeFileSync(join(folder, "prosody.cfg.lua"), config(folder, domain, options));
  const server = daemon(folder, "prosody", ["--config", join(folder, "prosody.cfg.lua"), "-F"], {
    ready: () => listens(address, 5269),
  });
  await server.start();
  return { domain, rooms: `rooms.${domain}`, address, start: server.start, kill9: server.kill9, stop: server.stop };
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

const config = (folder: string, domain: string, { address, identity, authority, secure }: RemoteOptions) => `
run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
certificates = "${folder}"
log = { warn = "*console" }
network_backend = "epoll"
unbound = { hoststxt = "${folder}/hosts" }
modules_enabled = { "roster", "saslauth", "disco", "tls", "dialback", "offline", "ping", "pep", "version" }
modules_disabled = { "posix" }
interfaces = { "${address}" }
use_ipv6 = false
c2s_ports = { 5222 }
c2s_direct_tls_ports = {}
s2s_ports = { 5269 }
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}
s2s_require_encryption = true
s2s_secure_auth = ${secure}
ssl = { cafile = "${authority}", certificate = "${identity.cert}", key = "${identity.key}" }
authentication = "internal_plain"
VirtualHost "${domain}"
Component "rooms.${domain}" "muc"
  muc_room_locking = false
`;
