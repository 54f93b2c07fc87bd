/** RFC 6120 §3.2, XEP-0368: where a domain's server is — https://xmpp.org/extensions/xep-0368.html. Nothing inside our own network (security.md F6). */
import { lookup, Resolver } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

export interface Target {
  address: string;
  port: number;
  /** TLS from the first byte. */
  direct: boolean;
}

export interface ResolveOptions {
  /** Domain → `host:port`, or `tls:host:port`: for tests and odd networks. */
  overrides: Record<string, string>;
  /** Addresses of private networks and this machine are good, too. */
  allowPrivate: boolean;
  /** Name servers, as `address` or `address:port`, that are asked instead of the system's: one that validates DNSSEC, say. */
  nameServers: readonly string[];
}

/** There is no such server, and trying again would not help. */
export class NoServer extends Error {}

const MOST = 8;
/** A name that does not exist, or has nothing of this kind; anything else may be better next time. */
const NOTHING = new Set(["ENOTFOUND", "ENODATA"]);

function nothing(error: NodeJS.ErrnoException): never[] {
  if (NOTHING.has(error.code ?? "")) return [];
  throw error;
}

/** Every address to try, in order. @throws {NoServer} */
export async function resolveServer(domain: string, options: ResolveOptions): Promise<Target[]> {
  const { overrides, allowPrivate, nameServers } = options;
  const override = overrides[domain];
  if (override) {
    const [, direct, address = "", port] = /^(tls:)?(.+):(\d+)$/.exec(override) ?? [];
    return [{ address, port: Number(port), direct: direct !== undefined }];
  }
  const name = domainToASCII(domain);
  // RFC 6761 §6.4: names under "invalid" are never asked for.
  if (!name || domain.startsWith("[") || isIP(name) || name.endsWith(".invalid"))
    throw new NoServer(`${domain} is no domain`);
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  if (nameServers.length > 0) resolver.setServers(nameServers);
  const [tls, plain] = await Promise.all([
    srv(resolver, `_xmpps-server._tcp.${name}`, true),
    srv(resolver, `_xmpp-server._tcp.${name}`, false),
  ]);
  let found = [...tls, ...plain];
  // RFC 2782: a target of "." says that there is no such service.
  if (found.length > 0 && found.every(({ host }) => host === "" || host === "."))
    throw new NoServer(`${domain} has no server`);
  found = found.filter(({ host }) => host !== "" && host !== ".").sort(bySrv);
  if (found.length === 0) found = [{ host: name, port: 5269, direct: false, priority: 0, lot: 0 }];
  const targets: Target[] = [];
  for (const { host, port, direct } of found.slice(0, MOST)) {
    // Resolved once, and connected to this very address: a second look could find another.
    for (const address of await (nameServers.length > 0 ? ask(resolver, host) : look(host)))
      if ((allowPrivate || isPublic(address)) && isServerPort(port)) targets.push({ address, port, direct });
  }
  if (targets.length === 0) throw new NoServer(`${domain} has no address that may be used`);
  return targets;
}

/** As this machine does, with its hosts file. */
async function look(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(nothing);
  return found.map(({ address }) => address);
}

async function ask(resolver: Resolver, host: string): Promise<string[]> {
  const found = await Promise.all([resolver.resolve6(host).catch(nothing), resolver.resolve4(host).catch(nothing)]);
  return found.flat();
}

interface Service {
  host: string;
  port: number;
  direct: boolean;
  priority: number;
  /** Drawn once: the lowest of one priority goes first, which is each by the share of its weight (RFC 2782). */
  lot: number;
}

/** RFC 2782: a small chance for those of weight 0. */
const NEARLY_NONE = 0.01;

const bySrv = (a: Service, b: Service) => a.priority - b.priority || a.lot - b.lot;

async function srv(resolver: Resolver, name: string, direct: boolean): Promise<Service[]> {
  const records = await resolver.resolveSrv(name).catch(nothing);
  return records.map(({ name: host, port, priority, weight }) => ({
    host,
    port,
    direct,
    priority,
    lot: -Math.log(1 - Math.random()) / (weight || NEARLY_NONE),
  }));
}

/** Not those of other protocols, which a strange SRV record could have us talk to. */
const isServerPort = (port: number) => port === 443 || port > 1023;

/** One list each: Node finds an IPv4 address in its mapped form, too, and all of those are refused. */
const blocked4 = new BlockList();
const blocked6 = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  blocked4.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const)
  blocked6.addSubnet(net, bits, "ipv6");

/** Whether an address belongs to the public internet: no v4 in v6's clothes either, since those may lead anywhere. */
export function isPublic(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  if (isIP(plain) === 0) return false;
  return isIPv6(plain) ? !blocked6.check(plain, "ipv6") : !blocked4.check(plain, "ipv4");
}
