/** A connection on which a test says whatever it likes. */
import type { X509Certificate } from "node:crypto";
import { on, once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
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

  /** By TCP; with `protocol`, by TLS from the first byte, its certificate looked at by the test alone. */
  static async connect(port: number, protocol?: string, servername = "localhost"): Promise<Raw> {
    const to = { port, host: "127.0.0.1" };
    const socket = protocol
      ? connectTls({ ...to, servername, ALPNProtocols: [protocol], rejectUnauthorized: false })
      : connect(to);
    await once(socket, protocol ? "secureConnect" : "connect");
    return new Raw(socket);
  }

  /** A server of the test's own, for others to reach: each `accept` is the next connection. */
  static async listen(): Promise<{ port: number; accept(): Promise<Raw>; close(): void }> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const connections = on(server, "connection");
    return {
      port: (server.address() as AddressInfo).port,
      accept: async () => new Raw(((await connections.next()).value as [Socket])[0]),
      close: () => void server.close(),
    };
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

  say(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** The certificate that was shown; only over TLS. */
  get certificate(): X509Certificate | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate() : undefined;
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
      await this.#news();
    }
  }

  /** Waits until the other end has closed the connection. */
  async ends(): Promise<void> {
    const late = Date.now() + PATIENCE_MS;
    while (!this.ended) {
      if (Date.now() > late) throw new Error(`it is open still; heard ${this.text}`);
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, 1_000);
    });
  }

  /** STARTTLS and the header after it, as a server of `from`, or in another namespace as somebody else. */
  async secure(from: string, to: string, identity?: Identity, namespace?: string): Promise<string> {
    this.say(header(from, to, namespace));
    await this.hears(/<\/stream:features>/);
    await this.handshake(STARTTLS, identity, to);
    this.say(header(from, to, namespace));
    return this.hears(/<\/stream:features>|<stream:features\/>/);
  }

  /**
   * As a server of `from` that proves itself by its certificate; `first` is what it says before that.
   * @returns the features of the stream that it has then
   */
  async authenticates(from: string, to: string, identity: Identity, first = ""): Promise<string> {
    const features = await this.secure(from, to, identity);
    if (!features.includes("EXTERNAL")) throw new Error(`its certificate is not good: ${features}`);
    this.say(`${first}${external(from)}`);
    await this.hears(/<success/);
    this.say(header(from, to));
    return this.hears(/<\/stream:features>|<stream:features\/>/);
  }

  /** The other end of `secure`: answers the header of a server, and makes TLS. What it answers in the new stream is up to the test. */
  async accepts(from: string, to: string, identity: Identity): Promise<void> {
    await this.hears(/<stream:stream[^>]*>/);
    this.say(`${header(from, to)}<stream:features>${STARTTLS}</stream:features>`);
    await this.hears(/<starttls[^>]*>/);
    this.say('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const certificate = { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
    this.#socket = new TLSSocket(plain, {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: false,
      ...certificate,
    });
    this.#listen(this.#socket);
    await this.hears(/<stream:stream[^>]*>/);
  }

  /** Says what asks for TLS, and makes it. */
  async handshake(ask: string, identity?: Identity, servername = "localhost"): Promise<void> {
    this.say(ask);
    await this.hears(/<proceed[^>]*>/);
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const certificate = identity && { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
    this.#socket = connectTls({ socket: plain, servername, rejectUnauthorized: false, ...certificate });
    await once(this.#socket, "secureConnect");
    this.#listen(this.#socket);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export const STARTTLS = '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';

/** SASL EXTERNAL, for a domain. */
export const external = (name: string) =>
  `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="EXTERNAL">${Buffer.from(name).toString("base64")}</auth>`;

export const header = (from: string, to: string, namespace = "jabber:server") =>
  `<?xml version='1.0'?><stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='${from}' to='${to}' version='1.0'>`;
