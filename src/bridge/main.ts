/** The bridge: TCP and TLS outside, WebSockets inside. It keeps no state; run as many as you like. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { serveClient } from "./c2s.ts";
import { Certificate } from "./certificate.ts";
import { serveComponent } from "./component.ts";
import { Federation } from "./federation.ts";
import { Authorities } from "./identity.ts";
import { serveServer } from "./incoming.ts";
import { Inward } from "./inward.ts";
import type { Door, Options } from "./options.ts";

export interface Bridge {
  ports: Partial<Record<Door, number>>;
  close(): void;
}

/** Opens every door that the options name. */
export async function startBridge(options: Options): Promise<Bridge> {
  const { url, token, host, ports, certFile, keyFile, certificates, resolve } = options;
  const certificate = new Certificate(certFile, keyFile);
  const authorities = new Authorities(options.authorities);
  const inward = new Inward(url, token);
  const facts = await inward.facts();
  const { dialback: secret, components } = facts;
  const hosts = new Set(facts.hosts);
  const federation = new Federation(inward, facts, { certificate, resolve, authorities, certificates, secret });
  const client = (socket: Socket) => serveClient(socket, { certificate, inward });
  const server = (socket: Socket) =>
    serveServer(socket, {
      certificate,
      authorities,
      certificates,
      secret,
      hosts,
      verify: (...question) => federation.verify(...question),
      enter: (from, stanza, drained) => federation.link(from).enter(stanza, drained),
    });
  const component = (socket: Socket) => serveComponent(socket, { components, federation, hosts });
  const sockets = new Set<Socket>();
  const servers = new Map<Door, Server>([
    ["c2s", createServer(client)],
    ["c2sTls", tls("xmpp-client", client)],
    ["s2s", createServer(server)],
    ["s2sTls", tls("xmpp-server", server)],
    ["component", createServer(component)],
  ]);

  /** SNICallback, so that a renewed certificate is shown to the next who comes. */
  function tls(protocol: "xmpp-client" | "xmpp-server", serve: (socket: Socket) => void): Server {
    const { cert, key } = certificate;
    const SNICallback = (_: string, done: (error: null, context: Certificate["context"]) => void) =>
      done(null, certificate.context);
    const requestCert = protocol === "xmpp-server";
    const settings = { cert, key, SNICallback, ALPNProtocols: [protocol], minVersion: "TLSv1.2" as const, requestCert };
    const server = createTlsServer({ ...settings, rejectUnauthorized: false }, serve);
    server.on("tlsClientError", (_, socket) => socket.destroy());
    return server;
  }

  const opened: Bridge["ports"] = {};
  for (const [door, server] of servers) {
    const port = ports[door];
    if (port === undefined || (door === "component" && Object.keys(components).length === 0)) continue;
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    });
    server.listen(port, host);
    await once(server, "listening");
    opened[door] = (server.address() as AddressInfo).port;
  }
  await federation.online;
  return {
    ports: opened,
    close() {
      federation.close();
      for (const server of servers.values()) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
