/** ejabberd as its own documentation tunes it: archive in SQLite, no shapers, and no busy waiting of its schedulers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inetrc, serveNames } from "../federation/names.ts";
import { parallel, persist } from "../parallel.ts";
import type { PeerOptions } from "../peers.ts";
import type { Server } from "../server.ts";
import { answers, daemon, freePorts, memoryFolder } from "./daemon.ts";
import { type Federation, services } from "./federation.ts";

export async function startEjabberd({ archive = true, federation }: PeerOptions = {}): Promise<Server> {
  const domain = federation?.domain ?? "localhost";
  const folder = memoryFolder("ejabberd");
  mkdirSync(join(folder, "spool"));
  // A write-ahead log, in memory, spares its archive the fsync for each message that Prosody does not do either.
  const archiveFile = new DatabaseSync(join(folder, "archive.sqlite"));
  archiveFile.exec("PRAGMA journal_mode = WAL");
  archiveFile.close();
  const [http, tcp] = (await freePorts(2)) as [number, number];
  writeFileSync(join(folder, "ejabberd.yml"), config({ folder, domain, http, tcp, archive, federation }));
  const names = await serveNames(federation?.hosts ?? {});
  writeFileSync(join(folder, "inetrc"), inetrc(names));
  const server = daemon(folder, "erl", ARGUMENTS, {
    env: { ...environment(folder), ERL_INETRC: join(folder, "inetrc") },
    ready: () => answers(`http://127.0.0.1:${http}/api/status`),
  });
  await server.start();

  return {
    name: "ejabberd",
    http: `http://127.0.0.1:${http}`,
    websocket: `ws://127.0.0.1:${http}/ws`,
    tcp: { host: "127.0.0.1", port: tcp },
    domain,
    hosts: services(domain),
    pids: () => [server.pid()],
    addUser: (name, password) => register(http, name, domain, password),
    async addUsers(names, password) {
      await parallel(names, 8, (name) => register(http, name, domain, password));
    },
    kill9: server.kill9,
    restart: server.start,
    async stop() {
      names.stop();
      await server.stop();
    },
  };
}

/** With `ejabberd.yml` in that folder. */
export const environment = (folder: string): Record<string, string> => ({
  // Where Debian puts ejabberd. Without a node name no epmd is started, so nothing outlives the server.
  ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
  EJABBERD_CONFIG_PATH: join(folder, "ejabberd.yml"),
  EJABBERD_LOG_PATH: join(folder, "ejabberd.log"),
  ERL_CRASH_DUMP_BYTES: "0",
  ERL_MAX_PORTS: "32000",
  ERL_MAX_ETS_TABLES: "1400",
  CONTRIB_MODULES_PATH: join(folder, "modules"),
  CONTRIB_MODULES_CONF_DIR: join(folder, "modules"),
});

export const ARGUMENTS = [
  ...["-noinput", "+K", "true", "+P", "250000", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"],
  ...["-mnesia", "dir", '"spool"', "-s", "ejabberd"],
];

export async function register(port: number, user: string, host: string, password: string): Promise<void> {
  const body = JSON.stringify({ user, host, password });
  const answer = await persist(`http://127.0.0.1:${port}/api/register`, { method: "POST", body });
  // 409: the account exists already
  if (!answer.ok && answer.status !== 409)
    throw new Error(`ejabberd would not register ${user}: ${await answer.text()}`);
}

/** Nobody is slowed down, and who is on this machine may administrate. */
export const FREELY = `
acl:
  local:
    user_regexp: ""
  loopback:
    ip: [127.0.0.0/8]
access_rules:
  everyone:
    allow: all
api_permissions:
  "loopback":
    who:
      ip: 127.0.0.1
    what: "*"
shaper: {}
shaper_rules: {}
`;

interface Config {
  folder: string;
  domain: string;
  http: number;
  tcp: number;
  archive: boolean;
  federation: Federation | undefined;
}

const config = ({ folder, domain, http, tcp, archive, federation }: Config): string => `
hosts: ["${domain}", "${services(domain).guest}"]
loglevel: error
auth_password_format: scram
default_db: mnesia
sql_type: sqlite
sql_database: "${folder}/archive.sqlite"
sql_pool_size: 1
host_config:
  "${domain}":
    auth_method: [mnesia]
  "${services(domain).guest}":
    auth_method: [anonymous]
    anonymous_protocol: sasl_anon
${FREELY}
registration_timeout: infinity
${federation?.tls ? certificates(federation.tls) : "s2s_use_starttls: false"}
listen:
  -
    port: ${http}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /ws: ejabberd_http_ws
      /bosh: mod_bosh
      /api: mod_http_api
  -
    port: ${tcp}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: false
${federation ? listener(federation) : ""}
modules:
${federation ? "  mod_s2s_dialback: {}" : ""}
  mod_blocking: {}
  mod_bosh: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_disco: {}
  mod_http_api: {}
  mod_last: {}
${archive ? MAM : ""}
  mod_muc:
    host: "rooms.@HOST@"
    access_create: everyone
    max_users: 5000
    max_users_presence: 5000
    max_user_conferences: 1000
    default_room_options:
      mam: ${archive}
      max_users: 5000
      anonymous: true
      public: true
  mod_offline: {}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub:
    host: "pubsub.@HOST@"
    access_createnode: everyone
    plugins: [flat, pep]
    max_items_node: 1000
  mod_register:
    access: everyone
    ip_access: everyone
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_time: {}
  mod_vcard: {}
  mod_version: {}
`;

const certificates = ({ authority, cert, key }: NonNullable<Federation["tls"]>): string => `
certfiles: ["${cert}", "${key}"]
ca_file: "${authority}"
s2s_cafile: "${authority}"
s2s_use_starttls: required
`;

const listener = ({ address }: Federation): string => `
  -
    port: 5269
    ip: "${address}"
    module: ejabberd_s2s_in
`;

const MAM = `
  mod_mam:
    db_type: sql
    default: always
    assume_mam_usage: true
`;
