/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html. A stream that we open, up to the other side's features. */
import { StreamError, streamErrorElement } from "../../protocol/errors.ts";
import * as NS from "../../protocol/ns.ts";
import { type Element, xml } from "../../xml/element.ts";
import { read, SERVER_LIMITS, XmlError } from "../../xml/reader.ts";
import { serialise } from "../../xml/writer.ts";

/** A connected WebSocket. */
export interface Wire {
  send(text: string): void;
  close(): void;
}

export interface WireEvents {
  text(text: string): void;
  gone(): void;
}

/** Connects to `wss://…` with the subprotocol "xmpp". @throws when nothing there takes it */
export type Dial = (url: string, events: WireEvents) => Promise<Wire>;

export interface Way {
  url: string;
  local: string;
  remote: string;
  dial: Dial;
}

/** The server that is there does not serve that domain. */
export class HostUnknown extends Error {}

/** From the first byte to the last word of negotiation. */
const NEGOTIATE_MS = 30_000;
const CLOSE = `<close xmlns="${NS.FRAMING_SERVER}"/>`;

export class Stream {
  readonly local: string;
  readonly remote: string;
  /** The other side's id for it. */
  id = "";
  /** Takes what nobody waits for. */
  onElement: (element: Element) => void = () => {};
  /** Runs once, however it ends. */
  onEnd: (reason: string) => void = () => {};
  #wire: Wire | undefined;
  #ended: Error | undefined;
  #waiting: { match: (element: Element) => boolean; resolve: (element: Element) => void } | undefined;
  #reject: ((error: Error) => void) | undefined;

  private constructor({ local, remote }: Way) {
    this.local = local;
    this.remote = remote;
  }

  /** @returns the stream and its features. @throws when it is refused, lost, or takes too long */
  static async open(way: Way): Promise<{ stream: Stream; features: Element }> {
    const stream = new Stream(way);
    const { local, remote } = way;
    stream.#wire = await way.dial(way.url, {
      text: (text) => stream.#receive(text),
      gone: () => stream.#end(new Error("the connection was lost")),
    });
    stream.send(xml("open", { xmlns: NS.FRAMING_SERVER, from: local, to: remote, version: "1.0", "xml:lang": "en" }));
    const features = await stream.next(({ name, attrs }) => name === "features" && attrs.xmlns === NS.STREAMS);
    return { stream, features };
  }

  /** The next such element; one at a time. @throws when the stream ends first, or after 30 s */
  async next(match: (element: Element) => boolean): Promise<Element> {
    if (this.#ended) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<Element>();
    this.#waiting = { match, resolve };
    this.#reject = reject;
    // Bounded: the object is kept by its socket anyway while it negotiates.
    const late = setTimeout(() => this.fail(new StreamError("connection-timeout")), NEGOTIATE_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  send(element: Element): void {
    this.write(serialise(element));
  }

  write(text: string): void {
    if (!this.#ended) this.#wire?.send(text);
  }

  close(reason = "closed"): void {
    this.write(CLOSE);
    this.#end(new Error(reason));
  }

  fail(error: StreamError): void {
    this.send(streamErrorElement(error));
    this.close(error.message);
  }

  #leave(reason: string): void {
    this.write(CLOSE);
    this.#end(new HostUnknown(reason));
  }

  #end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#wire?.close();
    this.#reject?.(reason);
    this.onEnd(reason.message);
  }

  #receive(text: string): void {
    if (this.#ended) return;
    try {
      this.#take(read(text, SERVER_LIMITS));
    } catch (error) {
      if (error instanceof StreamError) this.fail(error);
      else if (error instanceof XmlError) this.fail(new StreamError(error.condition));
      else {
        this.send(streamErrorElement(new StreamError("internal-server-error")));
        this.close(String(error));
      }
    }
  }

  #take(element: Element): void {
    const { name, attrs } = element;
    if (attrs.xmlns === NS.FRAMING_SERVER) {
      if (name === "close") return this.close("the other side closed the stream");
      if (name !== "open" || this.id !== "" || !attrs.id) throw new StreamError("undefined-condition");
      // RFC 6120 §4.7.2: who answers must be who was called.
      if (attrs.from !== undefined && attrs.from !== this.remote) return this.#leave(`it is ${attrs.from}`);
      this.id = attrs.id;
      return;
    }
    if (attrs.xmlns === NS.STREAMS && name === "error") {
      const condition = element.getChildElements()[0]?.name;
      const reason = `stream error ${condition}`;
      return condition === "host-unknown" || condition === "host-gone" ? this.#leave(reason) : this.close(reason);
    }
    if (this.id === "") throw new StreamError("not-authorized", "A stream begins with <open/> (RFC 7395 §3.4).");
    const waiting = this.#waiting;
    if (!waiting?.match(element)) return this.onElement(element);
    this.#waiting = undefined;
    waiting.resolve(element);
  }
}

/** XEP-0220 §2.1.2: asks the server of `way.remote` whether it made `key` for the stream `id`. @throws when it does not say */
export async function verify(way: Way, id: string, key: string): Promise<boolean> {
  const { stream } = await Stream.open(way);
  const { local, remote } = way;
  stream.send(xml("db:verify", { "xmlns:db": NS.DIALBACK, from: local, to: remote, id }, key));
  try {
    const { attrs } = await stream.next(
      // §3.1: what answers is known by all three.
      ({ name, attrs }) =>
        name === "verify" &&
        attrs.xmlns === NS.DIALBACK &&
        attrs.from === remote &&
        attrs.to === local &&
        attrs.id === id,
    );
    if (attrs.type !== "valid" && attrs.type !== "invalid") throw new Error(`${remote} could not verify its key`);
    return attrs.type === "valid";
  } finally {
    stream.close();
  }
}
