/** Prosody as its own documentation tunes it: generational collector, no Nagle, no rate limits, archive on. */
import { createHash, createHmac, pbkdf2Sync, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PeerOptions } from "../peers.ts";
import type { Server } from "../server.ts";
import { answers, daemon, freePorts, memoryFolder } from "./daemon.ts";

const DOMAIN = "localhost";
const HOSTS = { guest: "guest.localhost", rooms: "rooms.localhost", pubsub: "pubsub.localhost" };
/** Who may create pubsub nodes: with Prosody only an administrator of the service does. */
const NODE_OWNER = "owner@localhost";
/** Prosody's default. */
const ITERATIONS = 10_000;

export async function startProsody({ archive = true }: PeerOptions = {}): Promise<Server> {
  const folder = memoryFolder("prosody");
  const data = join(folder, "data");
  const accounts = join(data, DOMAIN, "accounts");
  mkdirSync(accounts, { recursive: true });
  const [http, tcp] = (await freePorts(2)) as [number, number];
  writeFileSync(join(folder, "prosody.cfg.lua"), config(folder, http, tcp, archive));
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
    domain: DOMAIN,
    hosts: HOSTS,
    pids: () => [server.pid()],
    addUsers: async (names, password) => addUsers(names, password),
    addUser: async (name, password) => addUsers([name], password),
    kill9: server.kill9,
    restart: server.start,
    stop: server.stop,
  };
}

/** Prosody keeps an account in a file named by its local part, all but letters and digits percent-encoded. */
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

const config = (folder: string, http: number, tcp: number, archive: boolean): string => `
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
  ${archive ? '"mam",' : ""}
}
modules_disabled = { "s2s", "tls", "posix" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${tcp} }
c2s_direct_tls_ports = {}
s2s_ports = {}
http_ports = { ${http} }
https_ports = {}
http_interfaces = { "127.0.0.1" }
http_default_host = "${DOMAIN}"

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

VirtualHost "${DOMAIN}"
VirtualHost "${HOSTS.guest}"
  authentication = "anonymous"

Component "${HOSTS.rooms}" "muc"
  modules_enabled = { ${archive ? '"muc_mam"' : ""} }
  muc_log_by_default = ${archive}
  muc_room_locking = false

Component "${HOSTS.pubsub}" "pubsub"
  admins = { "${NODE_OWNER}" }
`;
