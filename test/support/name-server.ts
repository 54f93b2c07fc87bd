/** RFC 1035: a name server for tests, on a port of its own. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Answer, decode, encode } from "dns-packet";

export class NameServer {
  readonly #socket: Socket;
  readonly #answers: Answer[] = [];
  /** It cannot say now. */
  fails = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, { port, address }) => {
      const { id, questions = [] } = decode(message);
      const ours = this.#answers.filter(({ name }) =>
        questions.some((question) => question.name.toLowerCase() === name),
      );
      const answers = ours.filter(({ type }) => questions.some((question) => question.type === type));
      // An authoritative answer, and its RCODE: SERVFAIL, or NXDOMAIN when there is nothing of that name.
      const code = this.fails ? 2 : ours.length === 0 ? 3 : 0;
      const flags = 0x8580 | code;
      socket.send(
        encode({ type: "response", id, flags, questions, answers: this.fails ? [] : answers }),
        port,
        address,
      );
    });
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new NameServer(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  address4(name: string, data: string): void {
    this.#answers.push({ type: "A", name, data });
  }

  address6(name: string, data: string): void {
    this.#answers.push({ type: "AAAA", name, data });
  }

  service(name: string, { priority = 0, weight = 0, ...to }: Service): void {
    this.#answers.push({ type: "SRV", name, data: { priority, weight, ...to } });
  }

  stop(): void {
    this.#socket.close();
  }
}

interface Service {
  target: string;
  port: number;
  priority?: number;
  weight?: number;
}
