/** RFC 7395: XMPP over WebSocket: one stream, one element a frame. */
import { type Element, xml } from "./element.ts";
import { read } from "./reader.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const CLOSE_TIMEOUT = 1_000;
const STREAMS = "http://etherx.jabber.org/streams";

/** Why a stream ended: the condition of RFC 6120 §4.9.3 the server named, or "closed" for a socket that just went. */
export class StreamError extends Error {
  condition: string;
  constructor(condition: string, text = condition) {
    super(text);
    this.condition = condition;
  }
}

/** What comes in is queued until somebody listens, so that negotiation can be written as a sequence of awaits. */
export class Wire {
  /** Settles when the stream is over: undefined when we closed it. */
  readonly closed: Promise<StreamError | undefined>;
  #socket: WebSocket;
  #waiting: Element[] = [];
  #ended = false;
  #unsent: string[] | undefined = [];
  #listener: ((element: Element) => void) | undefined;
  #over: (reason?: StreamError) => void;

  constructor(url: string, domain: string, from?: string) {
    const { promise, resolve } = Promise.withResolvers<StreamError | undefined>();
    this.closed = promise;
    this.#over = resolve;
    this.#socket = new WebSocket(url, "xmpp");
    this.open(domain, from);
    this.#socket.addEventListener("open", () => {
      for (const text of this.#unsent!) this.#socket.send(text);
      this.#unsent = undefined;
    });
    this.#socket.addEventListener("close", () => this.#over(new StreamError("closed")));
    this.#socket.addEventListener("message", ({ data }) => {
      try {
        this.#receive(read(data as string));
      } catch (error) {
        this.end(new StreamError("not-well-formed", String(error)));
      }
    });
  }

  /** Also restarts the stream after SASL 1. */
  open(domain: string, from?: string): void {
    this.send(xml("open", { xmlns: FRAMING, to: domain, from, version: "1.0" }));
  }

  /** What is sent before the socket is open goes with it, so a login can be pipelined. */
  send(...elements: Element[]): void {
    for (const element of elements) {
      const text = String(element);
      if (this.#unsent) this.#unsent.push(text);
      else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    }
  }

  /** The next element, whatever it is; rejects when the stream ends first. */
  next(): Promise<Element> {
    return new Promise((resolve, reject) => {
      this.closed.then((reason) => reject(reason ?? new StreamError("closed")));
      this.listen((element) => {
        this.#listener = undefined;
        resolve(element);
      });
    });
  }

  listen(listener: (element: Element) => void): void {
    this.#listener = listener;
    this.#drain();
  }

  #drain(): void {
    while (this.#listener && this.#waiting.length) this.#listener(this.#waiting.shift()!);
  }

  /** Ends the stream, once. A session that stays resumable must be cut, not closed (RFC 7395 §3.6, XEP-0198 §5). */
  end(reason?: StreamError, cut = false): void {
    if (this.#ended) return;
    if (!cut) this.send(xml("close", { xmlns: FRAMING }));
    this.#ended = true;
    this.#over(reason);
    // The other side says its close first, unless it takes too long.
    if (cut) this.#socket.close();
    else setTimeout(() => this.#socket.close(), CLOSE_TIMEOUT);
  }

  #receive(element: Element): void {
    const { name, attrs } = element;
    if (attrs.xmlns === FRAMING && name === "close") {
      this.end(new StreamError("closed"));
      this.#socket.close();
    } else if (this.#ended) return;
    else if (attrs.xmlns === STREAMS && name === "error") {
      const condition = element.all().find((child) => child.name !== "text");
      this.end(new StreamError(condition?.name ?? "undefined-condition", element.text("text")));
    } else if (attrs.xmlns !== FRAMING) {
      this.#waiting.push(element);
      this.#drain();
    }
  }
}
