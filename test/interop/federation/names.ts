/** Where other servers are, for ejabberd: Erlang's resolver knows no hosts file of one process's own. */
import { NameServer } from "../../support/name-server.ts";

export interface Names {
  port: number;
  stop(): void;
}

/** `hosts`: name → IPv4 address. */
export async function serveNames(hosts: Record<string, string>): Promise<Names> {
  const names = await NameServer.start();
  // The target is the address itself, for who looks it up elsewhere.
  for (const [host, address] of Object.entries(hosts))
    names.service(`_xmpp-server._tcp.${host}`, { target: address, port: 5269 });
  return names;
}

/** What makes Erlang's resolver ask it, and nobody else. */
export const inetrc = ({ port }: Names): string => `
{resolv_conf, "/dev/null"}.
{lookup, [dns]}.
{alt_nameserver, {127,0,0,1}, ${port}}.
`;
