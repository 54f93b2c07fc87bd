/** A TCP relay in front of the server, so that a test can cut a client's connection underneath it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  /** The server's WebSocket address, by way of the wire. */
  url: string;
  /** Resets every connection; a new one is accepted and hears nothing until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function wire(websocket: string): Promise<Wire> {
  const target = new URL(websocket);
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  let whole = true;

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  }

  function join(client: Socket): void {
    const server = keep(connect(Number(target.port), target.hostname));
    server.on("close", () => client.destroy());
    client.on("close", () => server.destroy());
    client.pipe(server).pipe(client);
  }

  const relay = createServer({ pauseOnConnect: true }, (client) => {
    keep(client);
    if (whole) join(client);
    else held.add(client);
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const url = new URL(target);
  url.port = String((relay.address() as { port: number }).port);

  return {
    url: url.href,
    cut() {
      whole = false;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend() {
      whole = true;
      for (const client of held) if (!client.destroyed) join(client);
      held.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      relay.close();
      await once(relay, "close");
    },
  };
}
