/** RFC 6120 §4: an XML stream as TCP brings it, piece by piece — https://www.rfc-editor.org/rfc/rfc6120#section-4 */

import type { Element } from "./element.ts";
import { type Limits, utf8Length, XmlError } from "./limits.ts";
import { checkProlog, TreeParser } from "./tree.ts";

/** What a stream brings, told while its text is read. */
export interface StreamHandler {
  /**
   * The stream's opening, an element without children. `namespaces` are those it declares, by prefix; the one at ""
   * is the content namespace, jabber:client or jabber:server.
   */
  open(stream: Element, namespaces: { readonly [prefix: string]: string }): void;
  /** A child of the stream, complete. */
  stanza(element: Element): void;
  /** The stream's end tag. */
  close(): void;
}

/** Thrown to leave the old stream's parser, which cannot be told to stop. */
const RESTARTED = Symbol("restarted");

/** Reads one stream. What a handler throws passes through `feed`, and ends the reading as an XmlError does. */
export class StreamReader {
  /** Of one stanza. May change from one to the next, as when the stream authenticates. */
  limits: Limits;
  readonly #handler: StreamHandler;
  #parser: TreeParser;
  /** The beginning, until the stream has opened. */
  #prolog: string | undefined = "";
  #failed: unknown;
  #chunk = "";
  /** Characters before this chunk. */
  #before = 0;
  /** Where in the stream the present stanza begins to be counted in `#bytes`. */
  #counted = 0;
  #bytes = 0;

  constructor(handler: StreamHandler, limits: Limits) {
    this.#handler = handler;
    this.limits = limits;
    this.#parser = this.#begin();
  }

  /** Takes the next text of the stream. Throws XmlError; then the stream cannot be read on. */
  feed(text: string): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      this.#read(text);
    } catch (error) {
      this.#failed = error;
      throw error;
    }
  }

  /**
   * After TLS or SASL a new stream begins on the same connection (§4.3.3). What came of the old one is forgotten,
   * and when a handler calls this, also what followed in the same text: it was sent before the new stream was agreed on.
   */
  restart(): void {
    this.#parser = this.#begin();
    this.#prolog = "";
    this.#failed = undefined;
    this.#chunk = "";
    this.#before = this.#counted = this.#bytes = 0;
  }

  #begin(): TreeParser {
    const goOn = (): void => {
      if (parser !== this.#parser) throw RESTARTED;
    };
    const parser: TreeParser = new TreeParser(
      {
        open: (stream, namespaces) => {
          checkProlog(this.#prolog ?? "");
          this.#prolog = undefined;
          this.#boundary();
          this.#handler.open(stream, namespaces);
          goOn();
        },
        top: (element) => {
          this.#boundary();
          this.#handler.stanza(element);
          goOn();
        },
        close: () => this.#handler.close(),
      },
      this.limits,
      0,
    );
    return parser;
  }

  #read(text: string): void {
    if (!text.isWellFormed()) throw new XmlError("not-well-formed", "This is not Unicode: a surrogate stands alone.");
    // The white space that kept the old stream alive may arrive in the new one, before its declaration.
    const chunk = this.#prolog === "" ? text.replace(/^[ \t\r\n]+/, "") : text;
    if (this.#prolog !== undefined) this.#prolog += chunk;
    this.#chunk = chunk;
    this.#parser.limits = this.limits;
    try {
      this.#parser.write(chunk);
    } catch (error) {
      if (error === RESTARTED) return;
      throw error;
    }
    this.#count(this.#before + chunk.length);
    this.#before += chunk.length;
  }

  /** A stanza has ended. */
  #boundary(): void {
    this.#count(this.#parser.position);
    this.#bytes = 0;
  }

  /** Adds the text as far as this to the size of the present stanza. */
  #count(to: number): void {
    this.#bytes += utf8Length(this.#chunk.slice(this.#counted - this.#before, to - this.#before));
    this.#counted = to;
    if (this.#bytes > this.limits.bytes) {
      throw new XmlError("policy-violation", `This is more than ${this.limits.bytes} bytes of XML.`);
    }
  }
}
