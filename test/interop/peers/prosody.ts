/** Prosody as its own documentation tunes it: generational collector, no Nagle, no rate limits, archive on. */
import { createHash, createHmac, pbkdf2Sync, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PeerOptions } from "../peers.ts";
import type { Server } from "../server.ts";
import { answers, daemon, freePorts, memoryFolder } from "./daemon.ts";
import { type Federation, services } from "./federation.ts";

/** Who may create pubsub nodes: with Prosody only an administrator of the service does. */
const NODE_OWNER = "owner";
/** Prosody's default. */
const ITERATIONS = 10_000;

export async function startProsody({ archive = true, federation }: PeerOptions = {}): Promise<Server> {
  const domain = federation?.domain ?? "localhost";
  const folder = memoryFolder("prosody");
  const data = join(folder, "data");
  const accounts = join(data, fileName(domain), "accounts");
  mkdirSync(accounts, { recursive: true });
  const [http, tcp] = (await freePorts(2)) as [number, number];
  writeFileSync(join(folder, "prosody.cfg.lua"), config({ folder, domain, http, tcp, archive, federation }));
  const addresses = Object.entries(federation?.hosts ?? {}).map(([host, address]) => `${address} ${host}\n`);
  writeFileSync(join(folder, "hosts"), addresses.join(""));
  const server = daemon(folder, "prosody", ["--config", join(folder, "prosody.cfg.lua"), "-F"], {
    ready: () => answers(`http://127.0.0.1:${http}/`),
  });
  await server.start();

  function addUsers(names: readonly string[], password: string): void {
    const account = credentials(password);
    for (const name of names) writeFileSync(join(accounts, `${fileName(name)}.dat`), account);
  }

  return {
    name: "prosody",
    http: `http://127.0.0.1:${http}`,
    websocket: `ws://127.0.0.1:${http}/xmpp-websocket`,
    tcp: { host: "127.0.0.1", port: tcp },
    domain,
    hosts: services(domain),
    pids: () => [server.pid()],
    addUsers: async (names, password) => addUsers(names, password),
    addUser: async (name, password) => addUsers([name], password),
    kill9: server.kill9,
    restart: server.start,
    stop: server.stop,
  };
}

/** Prosody keeps an account in a file named by its local part, in a folder named by its domain, percent-encoded. */
const fileName = (name: string): string =>
  name.replace(/[^a-zA-Z0-9]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** RFC 5802 §3: the stored and the server key, as mod_auth_internal_hashed writes them. */
function credentials(password: string): string {
  const salt = randomUUID();
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 20, "sha1");
  const stored = createHash("sha1").update(createHmac("sha1", salted).update("Client Key").digest()).digest("hex");
  const server = createHmac("sha1", salted).update("Server Key").digest("hex");
  return `return {
  ["iteration_count"] = ${ITERATIONS}, ["salt"] = "${salt}", ["stored_key"] = "${stored}", ["server_key"] = "${server}"
};\n`;
}

const ssl = ({ authority, cert, key }: NonNullable<Federation["tls"]>): string =>
  `ssl = { cafile = "${authority}", certificate = "${cert}", key = "${key}" }`;

interface Config {
  folder: string;
  domain: string;
  http: number;
  tcp: number;
  archive: boolean;
  federation: Federation | undefined;
}

const config = ({ folder, domain, http, tcp, archive, federation }: Config): string => `
run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
certificates = "${folder}"
log = { warn = "*console" }
network_backend = "epoll"
network_settings = { nagle = false }
gc = { mode = "generational" }

modules_enabled = {
  "roster", "saslauth", "disco", "websocket", "bosh", "register", "smacks", "csi_simple", "carbons", "blocklist", "pep",
  "private", "vcard4", "vcard_legacy", "bookmarks", "version", "uptime", "lastactivity", "time", "ping", "offline",
  ${archive ? '"mam",' : ""} ${federation ? '"dialback",' : ""} ${federation?.tls ? '"tls",' : ""}
}
modules_disabled = { ${federation ? "" : '"s2s",'} ${federation?.tls ? "" : '"tls",'} "posix" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${tcp} }
c2s_direct_tls_ports = {}
s2s_ports = { ${federation ? 5269 : ""} }
s2s_interfaces = { "${federation?.address ?? "127.0.0.1"}" }
s2s_direct_tls_ports = {}
s2s_require_encryption = ${federation?.tls !== undefined}
s2s_secure_auth = false
${federation?.tls ? ssl(federation.tls) : ""}
unbound = { hoststxt = "${folder}/hosts" }
http_ports = { ${http} }
https_ports = {}
http_interfaces = { "127.0.0.1" }
http_default_host = "${domain}"

c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_websocket_secure = true
consider_bosh_secure = true
allow_registration = true
authentication = "internal_hashed"
storage = "internal"
default_archive_policy = true
archive_expires_after = "never"
c2s_timeout = 600

VirtualHost "${domain}"
VirtualHost "${services(domain).guest}"
  authentication = "anonymous"

Component "${services(domain).rooms}" "muc"
  modules_enabled = { ${archive ? '"muc_mam"' : ""} }
  muc_log_by_default = ${archive}
  muc_room_locking = false

Component "${services(domain).pubsub}" "pubsub"
  admins = { "${NODE_OWNER}@${domain}" }
`;
