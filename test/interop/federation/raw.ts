/** A connection on which a test says whatever it likes. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Identity } from "./authority.ts";

const PATIENCE_MS = 10_000;

export class Raw {
  #socket: Socket;
  text = "";
  ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async connect(port: number): Promise<Raw> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Raw(socket);
  }

  #listen(socket: Socket): void {
    socket.on("data", (data) => {
      this.text += data;
      this.#wake?.();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      this.#wake?.();
    });
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  /** What has come, up to and with something that matches. */
  async hears(what: RegExp): Promise<string> {
    const late = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = what.exec(this.text);
      if (match) {
        const heard = this.text.slice(0, match.index + match[0].length);
        this.text = this.text.slice(heard.length);
        return heard;
      }
      if (this.ended || Date.now() > late) throw new Error(`waited in vain for ${what}; heard ${this.text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 1_000);
      });
    }
  }

  /** STARTTLS and the header after it, as a server of `from`. */
  async secure(from: string, to: string, identity?: Identity): Promise<string> {
    this.say(header(from, to));
    await this.hears(/<\/stream:features>/);
    this.say('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await this.hears(/<proceed[^>]*>/);
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const certificate = identity && { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false, ...certificate });
    await once(this.#socket, "secureConnect");
    this.#listen(this.#socket);
    this.say(header(from, to));
    return this.hears(/<\/stream:features>|<stream:features\/>/);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export const header = (from: string, to: string) =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='${from}' to='${to}' version='1.0'>`;
