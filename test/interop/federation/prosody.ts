/** Debian's Prosody as another server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { daemon, temporaryFolder } from "../peers/daemon.ts";
import { listens, make, type Remote, type RemoteOptions } from "./remote.ts";

// It takes a certificate for servers only from a server that connects, as public authorities make them now.
export const prosody = () => make({ name: "prosody", net: 1, start: startRemoteProsody, purpose: "serverAuth" });

export async function startRemoteProsody(options: RemoteOptions): Promise<Remote> {
  const { address, domain, hosts, accounts } = options;
  const folder = temporaryFolder("prosody-remote");
  const data = join(folder, "data", domain.replace(".", "%2e"), "accounts");
  mkdirSync(data, { recursive: true });
  for (const [name, password] of Object.entries(accounts))
    writeFileSync(join(data, `${name}.dat`), `return { ["password"] = "${password}" };\n`);
  writeFileSync(
    join(folder, "hosts"),
    Object.entries(hosts)
      .map(([name, at]) => `${at} ${name}\n`)
      .join(""),
  );
  writeFileSync(join(folder, "prosody.cfg.lua"), config(folder, options));
  const server = daemon(folder, "prosody", ["--config", join(folder, "prosody.cfg.lua"), "-F"], {
    ready: () => listens(address, 5269),
  });
  await server.start();
  return { start: server.start, kill9: server.kill9, stop: server.stop };
}

const config = (folder: string, { domain, address, identity, authority, secure, accounts, bidi }: RemoteOptions) => `
run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
certificates = "${folder}"
log = { warn = "*console" }
network_backend = "epoll"
unbound = { hoststxt = "${folder}/hosts" }
modules_enabled = {
  "roster", "saslauth", "disco", "tls", "dialback", "smacks", "offline", "ping", "pep", "vcard_legacy", "version",
  ${bidi ? '"s2s_bidi"' : ""}
}
modules_disabled = { "posix" }
interfaces = { "${address}" }
use_ipv6 = false
c2s_ports = { 5222 }
c2s_direct_tls_ports = {}
s2s_ports = { 5269 }
s2s_direct_tls_ports = { 5270 }
http_ports = {}
https_ports = {}
s2s_require_encryption = true
s2s_secure_auth = ${secure}
ssl = { cafile = "${authority}", certificate = "${identity.cert}", key = "${identity.key}" }
authentication = "internal_plain"
VirtualHost "${domain}"
Component "rooms.${domain}" "muc"
  muc_room_locking = false
Component "pubsub.${domain}" "pubsub"
  admins = { ${Object.keys(accounts).map((name) => `"${name}@${domain}"`)} }
`;
