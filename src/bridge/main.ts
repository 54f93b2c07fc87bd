/** The bridge: TCP and TLS outside, WebSockets inside. It keeps no state; run as many as you like. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { serveClient } from "./c2s.ts";
import { Certificate } from "./certificate.ts";
import { serveComponent } from "./component.ts";
import { Federation } from "./federation.ts";
import { type Kind, Passed, report } from "./figures.ts";
import { serveHealth } from "./health.ts";
import { Authorities } from "./identity.ts";
import { serveServer } from "./incoming.ts";
import { Inward } from "./inward.ts";
import type { Door, Options } from "./options.ts";

/** How long TLS from the first byte may take. */
const HANDSHAKE_MS = 30_000;

const KINDS: Record<Door, Kind> = {
  c2s: "client",
  c2sTls: "client",
  s2s: "server",
  s2sTls: "server",
  component: "component",
};

export interface Bridge {
  ports: Partial<Record<Door | "health", number>>;
  close(): void;
}

/** Opens every door that the options name. */
export async function startBridge(options: Options): Promise<Bridge> {
  const { url, token, host, ports, health, certFile, keyFile, certificates, resolve } = options;
  const certificate = new Certificate(certFile, keyFile);
  const authorities = new Authorities(options.authorities);
  const inward = new Inward(url, token);
  const facts = await inward.facts();
  const { dialback: secret, components } = facts;
  const passed = new Passed();
  const federation = new Federation(inward, facts, { certificate, resolve, authorities, certificates, secret, passed });
  const client = (socket: Socket) => serveClient(socket, { certificate, inward, passed });
  const server = (socket: Socket) =>
    serveServer(socket, {
      ...federation.inbound,
      certificate,
      authorities,
      offer: (...offered) => federation.offer(...offered),
      withdraw: (connection) => federation.withdraw(connection),
    });
  const component = (socket: Socket) =>
    serveComponent(socket, { components, federation, hosts: federation.inbound.hosts });
  const sockets = new Map<Socket, Kind>();
  const servers = new Map<Door, Server>([
    ["c2s", createServer(client)],
    ["c2sTls", tls("xmpp-client", client)],
    ["s2s", createServer(server)],
    ["s2sTls", tls("xmpp-server", server)],
    ["component", createServer(component)],
  ]);

  function tls(protocol: "xmpp-client" | "xmpp-server", serve: (socket: Socket) => void): Server {
    const requestCert = protocol === "xmpp-server";
    const settings = {
      ALPNProtocols: [protocol],
      minVersion: "TLSv1.2" as const,
      requestCert,
      handshakeTimeout: HANDSHAKE_MS,
    };
    const { cert, key } = certificate;
    const server = createTlsServer({ ...settings, cert, key, rejectUnauthorized: false }, serve);
    let shown = certificate.context;
    // A renewed certificate is shown to the next who comes: before the server's own listener, which begins the handshake.
    server.prependListener("connection", () => {
      if (shown === certificate.context) return;
      shown = certificate.context;
      server.setSecureContext({ cert: certificate.cert, key: certificate.key, minVersion: settings.minVersion });
    });
    server.on("tlsClientError", (_, socket) => socket.destroy());
    return server;
  }

  const opened: Bridge["ports"] = {};
  for (const [door, server] of servers) {
    const port = ports[door];
    if (port === undefined || (door === "component" && Object.keys(components).length === 0)) continue;
    server.on("connection", (socket: Socket) => {
      sockets.set(socket, KINDS[door]);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    });
    server.listen(port, host);
    await once(server, "listening");
    opened[door] = (server.address() as AddressInfo).port;
  }
  await federation.online;
  const connections = (kind: Kind) => [...sockets.values()].filter((other) => other === kind).length;
  const told = () => report({ certificate, federation, passed, connections });
  const doctor = health.port === undefined ? undefined : await serveHealth(health.host, health.port, told);
  if (doctor) opened.health = (doctor.address() as AddressInfo).port;
  return {
    ports: opened,
    close() {
      federation.close();
      for (const server of servers.values()) server.close();
      for (const socket of sockets.keys()) socket.destroy();
      doctor?.close();
      doctor?.closeAllConnections();
    },
  };
}
