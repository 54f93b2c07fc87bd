/** One-to-one messages from the accounts of one server to those of another of the same kind. */
import { startPeer } from "../../interop/peers.ts";
import { type Server, type ServerName, startServer } from "../../interop/server.ts";
import type { Row } from "../row.ts";
import { chat } from "./chat.ts";

/** Two servers as one: the figures are those of both together. */
interface Pair extends Server {
  other: Server;
}

const [CAPULET, MONTAGUE] = ["capulet.test", "montague.test"];
/** Peers cannot choose the port for other servers, so each of this run has an address of its own. */
const NETS = { prosody: 1, ejabberd: 2 } as const;

async function start(name: ServerName): Promise<Pair> {
  const [one, other] = name === "ours" ? await startOurs() : await startPeers(name);
  return {
    ...one,
    other,
    pids: () => [...one.pids(), ...other.pids()],
    async stop() {
      await Promise.all([one.stop(), other.stop()]);
    },
  };
}

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

async function startPeers(name: keyof typeof NETS): Promise<[Server, Server]> {
  const net = `127.${20 + (process.pid % 200)}.${100 + NETS[name]}`;
  const hosts = { [CAPULET]: `${net}.1`, [MONTAGUE]: `${net}.2` };
  const join = (domain: typeof CAPULET | typeof MONTAGUE, address: string) =>
    startPeer(name, { federation: { domain, address, hosts } });
  return Promise.all([join(CAPULET, `${net}.1`), join(MONTAGUE, `${net}.2`)]);
}

const federated: Row<Pair> = {
  name: "s2s",
  title: "1:1 message over s2s, CPU of both servers",
  unit: "µs",
  start,
  prepare: (pair) => chat({ pairs: 50, window: 4, messages: 6_000 })(pair, pair.other),
};

export const rows: Row[] = [federated];
