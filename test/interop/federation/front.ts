/** TLS in front of a server, as whoever deploys one has it: `https://localhost`, with a certificate of the test's authority. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Identity } from "./authority.ts";

export class Front {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  /** Where the server is, once it is known. */
  port = 0;

  private constructor({ cert, key }: Identity) {
    this.#server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (near) => {
      const far = connect({ host: "127.0.0.1", port: this.port });
      this.#sockets.add(near);
      near.on("close", () => this.#sockets.delete(near));
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on("error", () => {});
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
    // Who does not like the certificate goes.
    this.#server.on("tlsClientError", (_, socket) => socket.destroy());
  }

  static async start(identity: Identity): Promise<Front> {
    const front = new Front(identity);
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
