/** Debian's ejabberd as another server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, daemon, freePorts, temporaryFolder } from "../peers/daemon.ts";
import { ARGUMENTS, environment, FREELY, register } from "../peers/ejabberd.ts";
import { inetrc, serveNames } from "./names.ts";
import { make, type Remote, type RemoteOptions } from "./remote.ts";

// COMPAT ejabberd takes a server that connects for a client, and its certificate has to be good for one.
export const ejabberd = () =>
  make({ name: "ejabberd", net: 3, start: startRemoteEjabberd, purpose: "serverAuth,clientAuth" });

export async function startRemoteEjabberd(options: RemoteOptions): Promise<Remote> {
  const { domain, hosts, accounts } = options;
  const folder = temporaryFolder("ejabberd-remote");
  mkdirSync(join(folder, "spool"));
  const [http] = (await freePorts(1)) as [number];
  // It asks Erlang's resolver for services, and the machine's for addresses only.
  const names = await serveNames(hosts);
  writeFileSync(join(folder, "inetrc"), inetrc(names));
  writeFileSync(join(folder, "ejabberd.yml"), config(http, options));
  const server = daemon(folder, "erl", ARGUMENTS, {
    env: { ...environment(folder), ERL_INETRC: join(folder, "inetrc") },
    ready: () => answers(`http://127.0.0.1:${http}/api/status`),
  });
  await server.start();
  for (const [name, password] of Object.entries(accounts)) await register(http, name, domain, password);
  return {
    start: server.start,
    kill9: server.kill9,
    async stop() {
      names.stop();
      await server.stop();
    },
  };
}

const config = (http: number, { domain, address, identity, authority, secure }: RemoteOptions) => `
hosts: ["${domain}"]
loglevel: warning
auth_password_format: plain
certfiles: ["${identity.cert}", "${identity.key}"]
ca_file: "${authority}"
s2s_cafile: "${authority}"
s2s_use_starttls: required
s2s_timeout: 10
s2s_max_retry_delay: 1
${FREELY}
listen:
  -
    port: ${http}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
  -
    port: 5222
    ip: "${address}"
    module: ejabberd_c2s
    starttls: true
  -
    port: 5269
    ip: "${address}"
    module: ejabberd_s2s_in
modules:
  mod_avatar: {}
  mod_caps: {}
  mod_disco: {}
  mod_http_api: {}
  mod_muc:
    host: "rooms.@HOST@"
    access_create: everyone
  mod_offline: {}
  mod_ping: {}
  mod_pubsub:
    host: "pubsub.@HOST@"
    access_createnode: everyone
    plugins: [flat, pep]
    # Else mod_avatar makes the node, when it sees a vCard without a picture, for contacts only.
    force_node_config:
      "urn:xmpp:avatar:*":
        access_model: open
  mod_roster: {}
${secure ? "" : "  mod_s2s_dialback: {}"}
  mod_vcard: {}
  mod_vcard_xupdate: {}
  mod_version: {}
`;
