/** A TCP connection's way to another server, on which a test can keep what is written from arriving. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those that something was kept from. */
  readonly #spoilt = new Set<Socket>();
  #holding = false;
  #onHeld: () => void = () => {};

  private constructor(to: { host: string; port: number }) {
    this.#server = createServer((near) => {
      const far = connect(to);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      near.on("data", (data) => {
        if (!this.#holding) return void far.write(data);
        this.#spoilt.add(near);
        this.#onHeld();
      });
      far.on("data", (data) => near.write(data));
    });
  }

  static async start(to: { host: string; port: number }): Promise<Relay> {
    const relay = new Relay(to);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** From now on what is written is read and goes no further. @returns when there is something of that kind */
  hold(): Promise<void> {
    this.#holding = true;
    return new Promise((held) => {
      this.#onHeld = held;
    });
  }

  /** What was kept is lost, and with it the connections it was for. */
  release(): void {
    this.#holding = false;
    for (const socket of this.#spoilt) socket.destroy();
    this.#spoilt.clear();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
