/** RFC 6120 §4, §5: an XML stream over TCP, in the clear and then over TLS — https://www.rfc-editor.org/rfc/rfc6120#section-5 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type StreamCondition, StreamError, streamErrorElement } from "../protocol/errors.ts";
import * as NS from "../protocol/ns.ts";
import type { Element } from "../xml/element.ts";
import { type Limits, PRE_AUTH_LIMITS, XmlError } from "../xml/reader.ts";
import { StreamReader } from "../xml/stream-reader.ts";
import { escapeAttribute, serialise } from "../xml/writer.ts";

/** What the other end says and does. An error that a method throws ends the stream with it. */
export interface Handler {
  open(header: Element, namespaces: { readonly [prefix: string]: string }): void;
  element(element: Element): void;
  /** The stream was closed by its end tag. */
  closed(): void;
  /** The connection is gone; told once, whoever ended it. */
  gone(): void;
}

export type Attributes = Record<string, string | undefined>;

/** Silence that the network itself must answer for. */
const KEEP_ALIVE_MS = 60_000;

export class Connection {
  socket: Socket;
  readonly #namespace: string;
  readonly #reader: StreamReader;
  #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #handler: Handler;
  /** Our header is out: an error before it is answered with one first (§4.9.1.2). */
  #opened = false;
  #ended = false;
  #gone = false;

  constructor(socket: Socket, namespace: string, handler: Handler) {
    this.socket = socket;
    this.#namespace = namespace;
    this.#handler = handler;
    this.#reader = new StreamReader(
      {
        open: (header, namespaces) => this.#handler.open(header, namespaces),
        stanza: (element) => this.#handler.element(element),
        close: () => this.#handler.closed(),
      },
      PRE_AUTH_LIMITS,
    );
    this.#listen(socket);
  }

  set limits(limits: Limits) {
    this.#reader.limits = limits;
  }

  /** Who is talked to from now on. */
  handOver(handler: Handler): void {
    this.#handler = handler;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get secure(): boolean {
    return this.socket instanceof TLSSocket;
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on("data", (data: Buffer) => this.#read(data));
    socket.on("error", () => socket.destroy());
    // Set by who has an idea of how long silence may last.
    socket.on("timeout", () => this.close());
    socket.on("close", () => {
      if (socket === this.socket) this.#leave();
    });
    socket.on("end", () => socket.end());
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#ended = true;
    this.#handler.gone();
  }

  #read(data: Buffer): void {
    if (this.#ended) return;
    try {
      this.#reader.feed(this.#decoder.decode(data, { stream: true }));
    } catch (error) {
      this.fail(error);
    }
  }

  /** The header of our stream. */
  open(attributes: Attributes): void {
    this.#opened = true;
    const dialback = this.#namespace === NS.SERVER ? ` xmlns:db="${NS.DIALBACK}"` : "";
    let header = `<?xml version='1.0'?><stream:stream xmlns="${this.#namespace}" xmlns:stream="${NS.STREAMS}"${dialback}`;
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined) header += ` ${name}="${escapeAttribute(value)}"`;
    this.write(`${header}>`);
  }

  /** False when the other end should be given time. `done`: it is with the system, or never will be. */
  write(text: string, done?: (error?: Error | null) => void): boolean {
    if (!this.#ended) return this.socket.write(text, done);
    done?.(new Error("The connection has ended."));
    return true;
  }

  send(element: Element): boolean {
    return this.write(serialise(element, this.#namespace));
  }

  /** A new stream begins on the same connection (§4.3.3). */
  restart(): void {
    this.#reader.restart();
    this.#opened = false;
  }

  /** TLS from here on. What came before it and was not read is forgotten (security.md C2). */
  async secureWith(wrap: (plain: Socket) => TLSSocket): Promise<TLSSocket> {
    const plain = this.socket;
    plain.removeAllListeners("data");
    const socket = wrap(plain);
    this.socket = socket;
    this.restart();
    this.#decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    this.#listen(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("secure", resolve);
    socket.once("close", () => reject(new Error("The TLS handshake failed.")));
    await promise;
    return socket;
  }

  close(): void {
    if (this.#ended) return;
    if (this.#opened) this.write("</stream:stream>");
    this.#ended = true;
    this.socket.end();
    setTimeout(() => this.socket.destroy(), 2_000).unref();
  }

  fail(error: unknown, header: Attributes = {}): void {
    if (this.#ended) return;
    if (!this.#opened) this.open({ id: crypto.randomUUID(), version: "1.0", ...header });
    this.send(streamErrorElement(asStreamError(error)));
    this.close();
  }

  destroy(): void {
    this.#ended = true;
    this.socket.destroy();
  }
}

function asStreamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  if (error instanceof XmlError) return new StreamError(error.condition as StreamCondition, error.message);
  if (error instanceof TypeError && "code" in error) return new StreamError("unsupported-encoding");
  console.error(JSON.stringify({ level: "error", message: "a stream failed", error: String((error as Error).stack) }));
  return new StreamError("internal-server-error");
}
