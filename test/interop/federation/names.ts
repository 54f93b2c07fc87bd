/** RFC 1035, RFC 2782: a name server that knows where a few servers are and nothing else — https://www.rfc-editor.org/rfc/rfc2782 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

const SRV = 33;
const HEADER = 12;
const PREFIX = "_xmpp-server._tcp.";
const S2S_PORT = 5269;

export interface Names {
  port: number;
  stop(): void;
}

/** `hosts`: name → IPv4 address. */
export async function serveNames(hosts: Record<string, string>): Promise<Names> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => socket.send(answer(query, hosts), port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: (socket.address() as AddressInfo).port, stop: () => socket.close() };
}

/** What makes Erlang's resolver ask it, and nobody else. */
export const inetrc = ({ port }: Names): string => `
{resolv_conf, "/dev/null"}.
{lookup, [dns]}.
{alt_nameserver, {127,0,0,1}, ${port}}.
`;

function answer(query: Buffer, hosts: Record<string, string>): Buffer {
  const labels: string[] = [];
  let at = HEADER;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  const name = labels.join(".").toLowerCase();
  const address = name.startsWith(PREFIX) ? hosts[name.slice(PREFIX.length)] : undefined;
  const found = address !== undefined && query.readUInt16BE(at + 1) === SRV;
  const header = Buffer.alloc(HEADER);
  query.copy(header, 0, 0, 2);
  // An authoritative answer; "no such name" for all others (§4.1.1).
  header.writeUInt16BE(found ? 0x8580 : 0x8583, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(Number(found), 6);
  return Buffer.concat([header, query.subarray(HEADER, at + 5), found ? service(address) : Buffer.alloc(0)]);
}

/** The target is the address itself, for who looks it up elsewhere. */
function service(address: string): Buffer {
  const target = Buffer.concat([...address.split(".").map((label) => text(label)), Buffer.from([0])]);
  const record = Buffer.alloc(18);
  // The name of the question, type, class IN, a minute; then priority, weight and port.
  for (const [n, value] of [0xc000 | HEADER, SRV, 1, 0, 60, 6 + target.length, 0, 0, S2S_PORT].entries())
    record.writeUInt16BE(value, 2 * n);
  return Buffer.concat([record, target]);
}

const text = (label: string): Buffer => Buffer.from([label.length, ...Buffer.from(label)]);
