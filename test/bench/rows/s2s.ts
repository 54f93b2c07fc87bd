/** One-to-one messages from the accounts of one server to those of another of the same kind. */
import { Authority } from "../../interop/federation/authority.ts";
import { BRIDGE_TOKEN, startBridge } from "../../interop/federation/bridge.ts";
import { temporaryFolder } from "../../interop/peers/daemon.ts";
import { startPeer } from "../../interop/peers.ts";
import { type Server, type ServerName, startServer } from "../../interop/server.ts";
import type { Row } from "../row.ts";
import { chat } from "./chat.ts";

/** Two servers as one: the figures are those of both together. */
interface Pair extends Server {
  other: Server;
}

const [CAPULET, MONTAGUE] = ["capulet.test", "montague.test"];
type Domain = typeof CAPULET | typeof MONTAGUE;
/** Peers cannot choose the port for other servers, so each of this run has an address of its own; a bridge does the same. */
const NETS = { prosody: 1, ejabberd: 2, ours: 3 } as const;
const net = (name: ServerName) => `127.${20 + (process.pid % 200)}.${100 + NETS[name]}`;
const addresses = (name: ServerName) => ({ [CAPULET]: `${net(name)}.1`, [MONTAGUE]: `${net(name)}.2` });

const pair = ([one, other]: [Server, Server]): Pair => ({
  ...one,
  other,
  pids: () => [...one.pids(), ...other.pids()],
  async stop() {
    await Promise.all([one.stop(), other.stop()]);
  },
});

/** By WebSocket (XEP-0468), and without TLS as the peers. */
async function startOurs(): Promise<[Server, Server]> {
  const here: Record<string, string> = { XMPP_DOMAIN: CAPULET };
  const one = await startServer({ settings: here }, "ours");
  const there = { XMPP_DOMAIN: MONTAGUE, S2S_ORIGINS: JSON.stringify({ [CAPULET]: one.http }) };
  const other = await startServer({ settings: there }, "ours");
  // Where the other is was not known when the first one started.
  here.S2S_ORIGINS = JSON.stringify({ [MONTAGUE]: other.http });
  await one.kill9();
  await one.restart();
  return [one, other];
}

const startPeers = (name: "prosody" | "ejabberd", authority?: Authority): Promise<[Server, Server]> => {
  const hosts = addresses(name);
  const join = (domain: Domain) => {
    const tls = authority && { ...authority.issue(`${name}-${domain}`, [domain]), authority: authority.file };
    return startPeer(name, { federation: { domain, address: hosts[domain] as string, hosts, ...(tls && { tls }) } });
  };
  return Promise.all([join(CAPULET), join(MONTAGUE)]);
};

/** By TCP, which a bridge beside each server speaks; what it costs is the server's cost. */
async function startBridged(authority: Authority): Promise<[Server, Server]> {
  const hosts = addresses("ours");
  const overrides = Object.entries(hosts).map(([domain, address]) => [domain, `${address}:5269`]);
  const join = async (domain: Domain): Promise<Server> => {
    const settings = { XMPP_DOMAIN: domain, BRIDGE_TOKEN, S2S_WEBSOCKET: "off" };
    const server = await startServer({ settings }, "ours");
    const bridge = await startBridge(server, authority.issue(`ours-${domain}`, [domain]), {
      BRIDGE_HOST: hosts[domain] as string,
      S2S_PORT: "5269",
      S2S_CA: authority.file,
      S2S_OVERRIDES: JSON.stringify(Object.fromEntries(overrides)),
    });
    return {
      ...server,
      pids: () => [...server.pids(), bridge.pid],
      async stop() {
        await bridge.stop();
        await server.stop();
      },
    };
  };
  // One after the other, for the first start builds what is run.
  return [await join(CAPULET), await join(MONTAGUE)];
}

function startSecurely(name: ServerName): Promise<[Server, Server]> {
  const authority = new Authority(temporaryFolder("authority"));
  return name === "ours" ? startBridged(authority) : startPeers(name, authority);
}

const prepare: Row<Pair>["prepare"] = (pair) => chat({ pairs: 50, window: 4, messages: 6_000 })(pair, pair.other);

const federated: Row<Pair> = {
  name: "s2s",
  title: "1:1 message over s2s, CPU of both servers",
  unit: "µs",
  start: async (name) => pair(name === "ours" ? await startOurs() : await startPeers(name)),
  prepare,
};

const secured: Row<Pair> = {
  name: "s2s-tls",
  title: "  over TCP with TLS, ours with its bridges",
  unit: "µs",
  start: async (name) => pair(await startSecurely(name)),
  prepare,
};

export const rows: Row[] = [federated, secured];
