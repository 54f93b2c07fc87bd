/** XEP-0468: WebSocket S2S, v0.1 — https://xmpp.org/extensions/xep-0468.html. Another server's stream to us: dialback, stream management, and stanzas of what was verified. */
import { domainpart } from "../../protocol/domain.ts";
import { type StanzaCondition, StreamError, streamErrorElement } from "../../protocol/errors.ts";
import * as NS from "../../protocol/ns.ts";
import { Pairs } from "../../protocol/pairs.ts";
import { proofIn } from "../../protocol/proof.ts";
import { Received, wire } from "../../protocol/received.ts";
import { asClient, isStanza } from "../../protocol/server-stanza.ts";
import { Stanza } from "../../protocol/stanza.ts";
import { type Element, xml } from "../../xml/element.ts";
import { PRE_AUTH_LIMITS, read, SERVER_LIMITS, XmlError } from "../../xml/reader.ts";
import { serialise } from "../../xml/writer.ts";
import { originsOf } from "../intake.ts";
import type { IncomingPorts, IncomingSocket, IncomingState } from "./incoming-state.ts";

/** Bytes before some domain was verified, over all frames. */
const PRE_AUTH_BYTES = 65_536;
/** From the upgrade until some domain was verified. */
const NEGOTIATE_MS = 30_000;
/** An idle stream costs its other end nothing to open again. */
const IDLE_MS = 3_600_000;
/** Stanzas on their way into custody. */
const OPEN = 2_000;
/** On a resumed stream, those after what is certain that may have come before. */
const REPEATS = 1_000;

export class Incoming {
  readonly state: IncomingState;
  readonly #socket: IncomingSocket;
  readonly #ports: IncomingPorts;
  readonly #pairs: Pairs;
  #received: Received;
  #originOf: (n: number) => number;
  /** A resumption is looked up: frames wait. */
  #waiting: string[] | undefined;
  #ended = false;

  constructor(state: IncomingState, socket: IncomingSocket, ports: IncomingPorts) {
    this.state = state;
    this.#socket = socket;
    this.#ports = ports;
    this.#received = this.#count(state.handled);
    this.#originOf = originsOf(state.name);
    const { hosts, settings, secret } = ports;
    this.#pairs = new Pairs(state, state.id, {
      hosts,
      secret,
      isOurs: (domain) => hosts.has(domain) || domain === settings.guestDomain,
      certificatesOnly: false,
      verify: ports.verify,
      send: (element) => this.#send(element),
      verified: (from) => {
        this.#attach();
        ports.heard(from);
      },
      refused: (from, to) => {
        ports.log.warn("a dialback key was not made by who shows it", { from, to });
        if (!this.#pairs.some) this.close(); // XEP-0220 §2.2.1
      },
    });
  }

  receive(text: string): void {
    if (this.#ended) return;
    if (this.#waiting) {
      if (this.#waiting.length >= OPEN) return this.fail(new StreamError("policy-violation", "Too much at once."));
      this.#waiting.push(text);
      return;
    }
    this.state.used = Date.now();
    try {
      this.#take(this.#read(text));
    } catch (error) {
      this.fail(error);
    }
    this.#attach();
  }

  #attach(): void {
    if (!this.#ended) this.#socket.attach(this.state);
  }

  #read(text: string): Element {
    if (this.#pairs.some) return read(text, SERVER_LIMITS);
    this.state.bytes += text.length;
    if (this.state.bytes > PRE_AUTH_BYTES) throw new StreamError("policy-violation", "Authenticate first.");
    return read(text, PRE_AUTH_LIMITS);
  }

  #take(element: Element): void {
    const { name, attrs } = element;
    if (attrs.xmlns === NS.FRAMING_SERVER) {
      if (name === "close") this.close();
      else if (name === "open" && !this.state.opened) this.#open(element);
      else throw new StreamError("unsupported-stanza-type");
      return;
    }
    if (!this.state.opened) {
      if (name === "open") throw new StreamError("invalid-namespace");
      throw new StreamError("not-authorized", "A stream begins with <open/> (RFC 7395 §3.4).");
    }
    if (attrs.xmlns === NS.DIALBACK) this.#pairs.dialback(element);
    else if (attrs.xmlns === NS.SM) this.#manage(element);
    else if (isStanza(element)) this.#stanza(element);
    else if (attrs.xmlns === NS.STREAMS && name === "error") this.close();
    else throw new StreamError("unsupported-stanza-type");
  }

  #open({ attrs }: Element): void {
    const to = attrs.to === undefined ? undefined : domainpart(attrs.to);
    const from = attrs.from === undefined ? undefined : domainpart(attrs.from);
    this.state.opened = true;
    this.#header(to, from);
    if (to === undefined || !this.#ports.hosts.has(to)) throw new StreamError("host-unknown");
    if (!/^[1-9]\d*\.\d+$/.test(attrs.version ?? "")) throw new StreamError("unsupported-version"); // RFC 6120 §4.7.5
    this.#send(
      xml(
        "stream:features",
        { "xmlns:stream": NS.STREAMS },
        xml("dialback", { xmlns: "urn:xmpp:features:dialback" }, xml("errors")),
        xml("sm", { xmlns: NS.SM }),
        xml("limits", { xmlns: "urn:xmpp:stream-limits:0" }, xml("max-bytes", null, String(SERVER_LIMITS.bytes))),
      ),
    );
  }

  #header(from: string | undefined, to: string | undefined): void {
    const { id } = this.state;
    const known = from !== undefined && this.#ports.hosts.has(from) ? from : this.#ports.settings.domain;
    this.#send(xml("open", { xmlns: NS.FRAMING_SERVER, from: known, to, id, version: "1.0", "xml:lang": "en" }));
  }

  #send(element: Element): void {
    if (!this.#ended) this.#socket.send(serialise(element));
  }

  // XEP-0198

  #manage({ name, attrs }: Element): void {
    if (!this.#pairs.some) throw new StreamError("not-authorized");
    const { state } = this;
    if (name === "r" && state.managed) this.#received.ask();
    else if (name === "enable" && !state.managed && this.#received.count === 0) {
      state.managed = true;
      state.resumable = attrs.resume === "true" || attrs.resume === "1";
      this.#keep();
      this.#send(xml("enabled", { xmlns: NS.SM, ...(state.resumable && { id: state.name, resume: "true" }) }));
    } else if (name === "resume" && !state.managed && this.#received.count === 0) this.#resume(attrs.previd ?? "");
    else if (name === "enable" || name === "resume") this.#failed("unexpected-request");
    // What we sent is none: our stanzas go out on streams that we open.
    else if (name !== "a") throw new StreamError("unsupported-stanza-type");
  }

  #failed(condition: StanzaCondition): void {
    this.#send(xml("failed", { xmlns: NS.SM }, xml(condition, { xmlns: NS.STANZA_ERRORS })));
  }

  #resume(previd: string): void {
    const { state } = this;
    this.#waiting = [];
    this.#ports.custody
      .read(previd, this.#domain)
      .catch(() => undefined)
      .then((handled) => {
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        if (handled === undefined) this.#failed("item-not-found");
        else {
          Object.assign(state, { name: previd, managed: true, resumable: true, handled, doubtful: handled + REPEATS });
          this.#received = this.#count(handled);
          this.#originOf = originsOf(previd);
          this.#send(xml("resumed", { xmlns: NS.SM, previd, h: wire(handled) }));
        }
        for (const text of waiting) this.receive(text);
        this.#attach();
      });
  }

  /** Whose stream it is: the domain that was verified first. */
  get #domain(): string {
    return this.state.pairs[0]?.split(" ", 1)[0] ?? "";
  }

  #count(upTo: number): Received {
    const received: Received = new Received((acknowledgement) => {
      this.state.handled = received.inCustody;
      this.#keep();
      this.#send(acknowledgement);
    }, upTo);
    return received;
  }

  /** Written before it is said, so that a stream which resumes this one after a crash is told no less. */
  #keep(): void {
    const { resumable, name, handled } = this.state;
    if (resumable) this.#ports.custody.write(name, this.#domain, handled);
  }

  // Stanzas

  #stanza(element: Element): void {
    const { from, to } = this.#pairs.addresses(element);
    const n = this.#received.next();
    if (n - this.state.handled > OPEN) throw new StreamError("resource-constraint", "Wait for acknowledgements.");
    const done = (error?: Error) => this.#arrived(n, error);
    const proof = proofIn(element);
    if (proof !== undefined) {
      this.#ports.proof(from.domain, proof);
      return done();
    }
    let stanza: Stanza;
    try {
      stanza = Stanza.read(asClient(element), from, to);
    } catch (error) {
      this.#ports.log.warn("a stanza of another server was refused", { domain: from.domain, error: String(error) });
      return done();
    }
    const again = n <= this.state.doubtful;
    this.#ports.enter(stanza, { origin: this.#originOf(n), again }, done);
  }

  #arrived(n: number, error: Error | undefined): void {
    if (error) {
      this.#ports.log.error("a stanza of another server could not be handed on", error, { domain: this.#domain });
      // It comes again on the stream that resumes this one; what can never be handed on must not keep the rest.
      if (n > this.state.doubtful) return this.fail(new StreamError("internal-server-error"));
    }
    if (this.#ended || !this.#received.done(n)) return;
    this.state.handled = this.#received.inCustody;
    this.#attach();
  }

  // The end

  /** Ends a stream that has proved nothing in time, or that nobody uses. @returns when to look again */
  tend(now: number): number {
    const due = this.#pairs.some ? this.state.used + IDLE_MS : this.state.since + NEGOTIATE_MS;
    if (due > now) return due;
    if (this.#pairs.some) this.close();
    else this.fail(new StreamError("connection-timeout"));
    return Number.POSITIVE_INFINITY;
  }

  get ended(): boolean {
    return this.#ended;
  }

  close(): void {
    this.#end();
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    const known = error instanceof XmlError ? new StreamError(error.condition, error.message) : error;
    if (!(known instanceof StreamError)) this.#ports.log.error("a server's stream failed", error);
    // RFC 6120 §4.9.1.2: an error before the header is answered with a header first.
    if (!this.state.opened) this.#header(undefined, undefined);
    this.#send(streamErrorElement(known instanceof StreamError ? known : new StreamError("internal-server-error")));
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#send(xml("close", { xmlns: NS.FRAMING_SERVER }));
    this.lost();
    this.#socket.close();
  }

  /** The socket is gone. */
  lost(): void {
    this.#ended = true;
  }
}
