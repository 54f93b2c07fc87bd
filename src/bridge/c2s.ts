/** RFC 6120, RFC 7395, XEP-0368: a client's TCP stream as one WebSocket to the ordinary endpoint — https://xmpp.org/extensions/xep-0368.html */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import WebSocket from "ws";
import { StreamError } from "../protocol/errors.ts";
import * as NS from "../protocol/ns.ts";
import { isStanza } from "../protocol/server-stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { DEFAULT_LIMITS, read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";
import { type Certificate, endPointOf } from "./certificate.ts";
import { Connection, type Handler } from "./connection.ts";
import type { Passed } from "./figures.ts";
import type { Inward } from "./inward.ts";

/** How long a client may take for STARTTLS (security.md D3); after that the server watches. */
const HANDSHAKE_MS = 30_000;
/** Bytes on the way to the server after which the client is not read from. */
const FULL = 1024 * 1024;
/** The server has the word on sizes; this only keeps the bridge's own memory. */
const LIMITS = { ...DEFAULT_LIMITS, bytes: 1_048_576 };

type Namespaces = Parameters<Handler["open"]>[1];

export interface ClientPorts {
  certificate: Certificate;
  inward: Inward;
  passed: Passed;
}

/** A client that has connected, in the clear to port 5222 or over TLS to port 5223. */
export function serveClient(socket: Socket, ports: ClientPorts): void {
  const late = setTimeout(() => connection.fail(new StreamError("connection-timeout")), HANDSHAKE_MS);
  const address = socket.remoteAddress ?? "";
  const start = () => {
    clearTimeout(late);
    connection.handOver(new Client(connection, address, ports));
  };
  const connection: Connection = new Connection(socket, NS.CLIENT, starttls());
  if (connection.secure) start();

  function starttls(): Handler {
    let host: string | undefined;
    return {
      open(header, namespaces) {
        host = header.attrs.to;
        checkHeader(header, namespaces);
        connection.open({ from: host, id: crypto.randomUUID(), version: "1.0", "xml:lang": "en" });
        // §5.3.1: required, and so the only one.
        const feature = xml("starttls", { xmlns: NS.TLS }, xml("required"));
        connection.write(serialise(xml("stream:features", {}, feature), NS.CLIENT));
      },
      element(element) {
        if (element.name !== "starttls" || element.attrs.xmlns !== NS.TLS)
          throw new StreamError("policy-violation", "Nothing is said here before TLS.");
        connection.write(`<proceed xmlns="${NS.TLS}"/>`);
        const secureContext = ports.certificate.context;
        connection
          .secureWith(
            (plain) => new TLSSocket(plain, { isServer: true, secureContext, ALPNProtocols: ["xmpp-client"] }),
          )
          .then(start, () => connection.destroy());
      },
      closed: () => connection.close(),
      gone: () => clearTimeout(late),
    };
  }
}

/** §4.8.5, §4.9.3.10: a stream, and one of a client. */
function checkHeader({ name, attrs }: Element, namespaces: Namespaces): void {
  if (name !== "stream" || attrs.xmlns !== NS.STREAMS || namespaces[""] !== NS.CLIENT)
    throw new StreamError("invalid-namespace");
}

/** RFC 5929, RFC 9266: what both ends of this TLS connection know. */
function bindings(socket: TLSSocket): [type: string, data: string][] {
  const found: [string, string][] = [];
  const shown = socket.getX509Certificate();
  if (shown) found.push(["tls-server-end-point", endPointOf(shown.raw).toString("base64")]);
  // RFC 5929 §3.1: the first Finished, which is the client's as sessions are not resumed here.
  const finished = socket.getPeerFinished();
  if (finished && !socket.isSessionReused()) found.push(["tls-unique", finished.toString("base64")]);
  // RFC 9266 §3: in TLS 1.2 only with the extended master secret, of which Node says nothing.
  if (socket.getProtocol() === "TLSv1.3") {
    const exported = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
    found.unshift(["tls-exporter", exported.toString("base64")]);
  }
  return found;
}

/** A client over TLS, and the WebSocket that is its stream inside. */
class Client implements Handler {
  readonly #connection: Connection;
  readonly #inside: WebSocket;
  readonly #passed: Passed;
  /** Frames for the server until its socket is open. */
  #waiting: string[] = [];
  #closed = false;

  constructor(connection: Connection, address: string, { inward, passed }: ClientPorts) {
    this.#connection = connection;
    this.#passed = passed;
    this.#inside = inward.client(address, bindings(connection.socket as TLSSocket));
    this.#inside.on("open", () => {
      for (const frame of this.#waiting) this.#inside.send(frame);
      this.#waiting = [];
    });
    this.#inside.on("message", (data) => this.#answer(String(data)));
    this.#inside.on("unexpected-response", (_, response) => {
      const busy = response.statusCode === 429 || response.statusCode === 503;
      connection.fail(new StreamError(busy ? "resource-constraint" : "remote-connection-failed"));
    });
    this.#inside.on("error", () => connection.fail(new StreamError("remote-connection-failed")));
    // Without a word of goodbye from the server the client gets none: it will want to resume.
    this.#inside.on("close", () => (this.#closed ? connection.close() : connection.destroy()));
  }

  open(header: Element, namespaces: Namespaces): void {
    checkHeader(header, namespaces);
    const { to, from, version, "xml:lang": lang } = header.attrs;
    this.#send(serialise(xml("open", { xmlns: NS.FRAMING, to, from, version, "xml:lang": lang })));
  }

  element(element: Element): void {
    if (isStanza(element, NS.CLIENT)) this.#passed.count("client", "in");
    this.#send(serialise(element));
  }

  closed(): void {
    this.#send(`<close xmlns="${NS.FRAMING}"/>`);
  }

  gone(): void {
    // As abrupt as it was here: a stream with management waits for its client.
    this.#inside.terminate();
  }

  #send(frame: string): void {
    const { socket } = this.#connection;
    if (this.#inside.readyState === WebSocket.CONNECTING) this.#waiting.push(frame);
    else if (this.#inside.readyState === WebSocket.OPEN) this.#inside.send(frame, () => socket.resume());
    if (this.#inside.bufferedAmount > FULL) socket.pause();
  }

  #answer(frame: string): void {
    const connection = this.#connection;
    if (frame.startsWith("<open ")) {
      const { from, id, version, "xml:lang": lang } = read(frame).attrs;
      connection.open({ from, id, version, "xml:lang": lang });
      return;
    }
    if (frame.startsWith("<close ")) {
      this.#closed = true;
      connection.close();
      return;
    }
    if (frame.startsWith("<success ")) {
      connection.limits = LIMITS;
      // RFC 6120 §6.4.6: the client begins anew; by SASL2 it goes on.
      if (frame.includes(NS.SASL)) connection.restart();
    }
    if (/^<(?:message|presence|iq)[ />]/.test(frame)) this.#passed.count("client", "out");
    if (connection.write(frame)) return;
    this.#inside.pause();
    connection.socket.once("drain", () => this.#inside.resume());
  }
}
